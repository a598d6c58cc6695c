"""Models without a fast network, whose batches are not what those of others are."""

from __future__ import annotations

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
    folder = make_model(architecture, tmp_path)
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
