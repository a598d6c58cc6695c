"""Joined ids equal the tokenizer's own pairs, cut on the text's side only."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_models import ARCHITECTURES
from transformers import AutoTokenizer

from sparknlp_zs.engine.encoding import PairEncoder
from sparknlp_zs.engine.pairs import PairTokens

ONE = np.array([0])

PAIRS = [
    ("short", "hypothesis"),
    (" leading and trailing ", " both "),
    ("Größe 東京 😀" * 30, "a hypothesis, {braces}"),
    ("[SEP] literal special </s> tokens", "<s> [CLS]"),
]


@pytest.fixture(params=[*ARCHITECTURES, "starter"])
def tokenizer(request, tiny_models):
    name = request.param
    folder = request.getfixturevalue("starter") if name == "starter" else tiny_models[name]
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("max_length", [16, 64])
@pytest.mark.parametrize("side", ["left", "right"])
def test_pairs_equal_the_tokenizers(tokenizer, max_length, side):
    tokenizer.truncation_side = side
    encoder = PairEncoder(tokenizer, max_length)
    for first, second in PAIRS[:3]:
        a, b = encoder.tokenize([first, second])
        if encoder.room(len(b)) < 1:
            continue
        expected = tokenizer(first, second, truncation="only_first", max_length=max_length)
        found = PairTokens(encoder, [a], ONE, [b], ONE)
        assert found.lengths.tolist() == [len(expected["input_ids"])]
        inputs = found.inputs(ONE, len(expected["input_ids"]))
        assert inputs["input_ids"][0].tolist() == expected["input_ids"]


def test_inputs_have_masks_and_type_ids(tokenizer):
    encoder = PairEncoder(tokenizer, 64)
    places = np.arange(len(PAIRS))
    first, second = (encoder.tokenize([pair[at] for pair in PAIRS]) for at in (0, 1))
    tokens = PairTokens(encoder, first, places[::-1], second, places[::-1])
    batch = tokens.inputs(places[::-1], 64)
    expected = tokenizer(
        [pair[0] for pair in PAIRS],
        [pair[1] for pair in PAIRS],
        truncation="only_first",
        max_length=64,
        padding="max_length",
        return_token_type_ids=True,
    )
    np.testing.assert_array_equal(batch["input_ids"], expected["input_ids"])
    np.testing.assert_array_equal(batch["attention_mask"], expected["attention_mask"])
    mask = batch["attention_mask"] == 1
    types = np.array(expected["token_type_ids"])
    np.testing.assert_array_equal(batch["token_type_ids"][mask], types[mask])


class ShiftingTokenizer:
    """Encodes the second text of a pair differently from a text alone."""

    model_max_length = 64

    def __call__(self, first, second=None, **_):
        ids = [ord(c) for c in first]
        return {"input_ids": ids if second is None else ids + [ord(c) + 1 for c in second]}


def test_a_tokenizer_that_does_not_join_is_refused():
    with pytest.raises(ValueError, match="inside a pair"):
        PairEncoder(ShiftingTokenizer(), 64)
