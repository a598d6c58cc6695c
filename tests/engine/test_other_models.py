"""Models without a fast network, whose batches are not what those of others are."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from tiny_models import OTHERS, make_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import NLI

# Of many lengths; "</s>" is an end token of BART's.
PREMISES = [
    "fox",
    "was <s>99</s> now 50",
    "a </s> b </s> c",
    "The quick brown fox jumps",
    "card " * 90,
]
HYPOTHESES = ["travel", "the lazy dog", "a", "This example is about travel.", "x </s>"]


@pytest.mark.parametrize("architecture", OTHERS)
def test_scores_are_those_of_single_pairs(architecture, tmp_path):
    check_single_pairs(make_model(architecture, tmp_path))


@pytest.mark.parametrize("config_pad", [7, None])
@pytest.mark.parametrize("tokenizer_pads", [True, False])
def test_padding_tokens_that_differ(config_pad, tokenizer_pads, tmp_path):
    """GPT-2 and its like look for a text's last token by the padding token of the config."""
    folder = make_model("gpt2", tmp_path)
    change(folder / "config.json", pad_token_id=config_pad)
    if not tokenizer_pads:
        change(folder / "tokenizer_config.json", pad_token=None)
        assert AutoTokenizer.from_pretrained(folder).pad_token_id is None
    check_single_pairs(folder)


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def check_single_pairs(folder):
    scorer = load_scorer(folder, token_budget=4096)
    found = scorer.score(NLI(), [pa.array(PREMISES), pa.array(HYPOTHESES)]).to_pylist()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    for premise, hypothesis, row in zip(PREMISES, HYPOTHESES, found, strict=True):
        inputs = tokenizer(premise, hypothesis, truncation=True, return_tensors="pt")
        with torch.no_grad():
            expected = torch.softmax(model(**inputs).logits[0], dim=0)
        names = ("entailment", "neutral", "contradiction")
        np.testing.assert_allclose([row[name] for name in names], expected, atol=1e-5)
