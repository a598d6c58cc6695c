"""Joined ids equal the tokenizer's own pairs, cut in the text alone or in both."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_models import ARCHITECTURES
from transformers import AutoTokenizer

from sparknlp_zs.engine.encoding import (
    PairEncoder,
    TextPairEncoder,
    longest_first,
    model_max_length,
)
from sparknlp_zs.engine.pairs import PairTokens

ONE = np.array([0])

PAIRS = [
    ("short", "hypothesis"),
    (" leading and trailing ", " both "),
    ("Größe 東京 😀" * 30, "a hypothesis, {braces}"),
    ("[SEP] literal special </s> tokens", "<s> [CLS]"),
]


def test_longest_pair():
    """DeBERTa-v3 has no table of positions: its tokenizer's limit holds, or what is asked for."""
    free = SimpleNamespace(model_max_length=10**30)
    bound = SimpleNamespace(model_max_length=1280)
    bert = SimpleNamespace(model_type="bert", max_position_embeddings=512)
    mpnet = SimpleNamespace(model_type="mpnet", max_position_embeddings=514)
    deberta = SimpleNamespace(
        model_type="deberta-v2",
        max_position_embeddings=512,
        relative_attention=True,
        position_biased_input=False,
    )
    found = [model_max_length(t, c) for c in (bert, mpnet, deberta) for t in (free, bound)]
    assert found == [512, 512, 512, 512, 512, 1280]
    assert model_max_length(free, deberta, 2000) == 2000
    assert model_max_length(bound, bert, 100) == 100
    with pytest.raises(ValueError, match="max_length=513: the model has positions for 512 tokens"):
        model_max_length(free, mpnet, 513)


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


@pytest.mark.parametrize("side", ["left", "right"])
def test_two_texts_equal_the_tokenizers(tokenizer, side):
    """Pairs of random lengths: of no text cut, of either, of both."""
    tokenizer.truncation_side = side
    draw = np.random.default_rng(5)
    words = [word for pair in PAIRS for word in " ".join(pair).split()]
    for max_length in (8, 16, 17, 63, 64):
        encoder = TextPairEncoder(tokenizer, max_length)
        sizes = np.exp(draw.uniform(0, np.log(4 * max_length), (2, 80))).astype(int)
        first, second = ([" ".join(draw.choice(words, n))[:n] for n in part] for part in sizes)
        tokens = tokens_of(encoder, first, second)
        expected = tokenizer(first, second, truncation=True, max_length=max_length)["input_ids"]
        inputs = tokens.inputs(np.arange(len(first)), max_length)["input_ids"].tolist()
        lengths = tokens.lengths.tolist()
        assert [ids[:size] for ids, size in zip(inputs, lengths, strict=True)] == expected
        whole = tokenizer(first, second)["input_ids"]
        assert tokens.cut.tolist() == [len(ids) > max_length for ids in whole]
        assert len(set(tokens.cut.tolist())) == 2


def tokens_of(encoder, first, second):
    places = np.arange(len(first))
    return PairTokens(encoder, encoder.tokenize(first), places, encoder.tokenize(second), places)


def test_longest_first_is_the_tokenizers(starter):
    """Every pair of lengths around a few limits, even and odd."""
    tokenizer = AutoTokenizer.from_pretrained(starter)
    (a,) = tokenizer("a", add_special_tokens=False)["input_ids"]
    sizes = np.array([(first, second) for first in range(1, 14) for second in range(1, 14)])
    for room in (5, 8, 9):
        kept = np.stack(longest_first(sizes[:, 0], sizes[:, 1], room), axis=1).tolist()
        for (first, second), found in zip(sizes.tolist(), kept, strict=True):
            pair = tokenizer("a " * first, "b " * second, truncation=True, max_length=room + 3)
            count = pair["input_ids"].count(a)
            assert found == [count, len(pair["input_ids"]) - 3 - count]


@pytest.mark.parametrize("max_length", [16, 17])
def test_chunks_of_a_text_are_whole_and_the_second_text_has_the_rest(tokenizer, max_length):
    encoder = TextPairEncoder(tokenizer, max_length)
    whole = encoder.room(0)
    for size in range(1, 40):
        room = encoder.room(size)
        assert room == max(whole - size, -(-whole // 2))
        first, second = encoder.kept_of_spans(np.arange(1, room + 1), np.array([size] * room))
        assert first.tolist() == list(range(1, room + 1))
        assert second.tolist() == [min(size, whole - part) for part in first]


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
