"""Properties of the scoring loop: nothing but a row's own text changes its scores."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparknlp_zs.engine.batching import Padding, plan_batches
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import NLI, ZeroShot, ZeroShotScores

TASK = ZeroShotScores(["travel", "cooking", "politics"])
TEXTS = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(
            ["", " ", "\u2003\n", "the fox", "My card was stolen!", "é" * 50, "a b c d"]
        ),
        st.text(max_size=40),
    ),
    max_size=24,
)


@pytest.fixture(scope="module")
def scorer(tiny):
    return load_scorer(tiny)


def rows(scorer, texts, task=TASK):
    return scorer.score(task, [pa.array(texts, pa.string())]).to_pylist()


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(list(a.values()), list(b.values()), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(texts=TEXTS, data=st.data())
def test_order_duplicates_budget_and_windows_change_nothing(tiny, texts, data):
    scorer = load_scorer_once(tiny)
    expected = [rows(scorer, [text])[0] for text in texts]
    assert_same(rows(scorer, texts), expected)

    order = data.draw(st.permutations(range(len(texts))))
    shuffled = rows(scorer, [texts[i] for i in order])
    assert_same(shuffled, [expected[i] for i in order])
    assert_same(rows(scorer, texts + texts), expected + expected)

    small = load_scorer_once(tiny, token_budget=data.draw(st.integers(1, 300)))
    assert_same(rows(small, texts), expected)

    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=4)))
    parts = [texts[a:b] for a, b in zip([0, *cuts], [*cuts, len(texts)], strict=True)]
    batches = ([pa.array(part, pa.string())] for part in parts)
    window = data.draw(st.integers(1, 30))
    results = list(scorer.score_stream(TASK, batches, window_rows=window))
    assert [len(x) for x in results] == [len(x) for x in parts]
    assert_same([row for x in results for row in x.to_pylist()], expected)


_scorers = {}


def load_scorer_once(folder, token_budget=None):
    if token_budget not in _scorers:
        _scorers[token_budget] = load_scorer(folder, token_budget=token_budget)
    return _scorers[token_budget]


def test_null_empty_blank(scorer):
    found = rows(scorer, ["a", None, "", "  \t\n", "\u00a0", "\u3000"])
    assert [row is None for row in found] == [False, True, True, True, True, True]
    everything_null = scorer.score(TASK, [pa.nulls(3)])
    assert everything_null.null_count == 3
    assert len(scorer.score(TASK, [pa.array([], pa.string())])) == 0


def test_nli_is_null_if_either_is(scorer):
    premise = pa.array(["a", None, "a", " "])
    hypothesis = pa.array(["b", "b", "", "b"])
    found = scorer.score(NLI(), [premise, hypothesis]).to_pylist()
    assert [row is None for row in found] == [False, True, True, True]


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_arrow_text_types(scorer, kind):
    texts = ["the fox", None, "the fox", ""]
    found = scorer.score(TASK, [pa.array(texts).cast(kind)]).to_pylist()
    assert_same(found, rows(scorer, texts))


def test_bytes_that_are_no_utf8_are_replaced(scorer):
    wrong = pa.array([b"caf\xe9", b"the fox", None, b"caf\xe9"]).cast(pa.binary())
    texts = pa.StringArray.from_buffers(len(wrong), *wrong.buffers()[1:], wrong.buffers()[0])
    expected = rows(scorer, ["caf\N{REPLACEMENT CHARACTER}", "the fox", None])
    assert_same(scorer.score(TASK, [texts]).to_pylist(), [*expected, expected[0]])


def test_slices_and_chunks(scorer):
    texts = ["a", "b", None, "the fox", ""]
    column = pa.chunked_array([texts[:2], texts[2:]])
    assert_same(scorer.score(TASK, [column.slice(1, 3)]).to_pylist(), rows(scorer, texts[1:4]))


def test_a_label_is_never_cut(scorer):
    with pytest.raises(ValueError, match=r"'This example is word .*'\.\.\.\) leaves no room for"):
        rows(scorer, ["a"], ZeroShot(["word " * 100]))


@pytest.mark.parametrize("long_text", ["truncate", "chunk"])
def test_a_long_hypothesis_of_nli_is_cut(scorer, long_text):
    """No other row changes, and a text that is too long in either column counts as cut."""
    premises = ["the fox", "the fox", None, "My card " * 90, "My card " * 90, "the fox"]
    hypotheses = ["a card", "a fox " * 200, "a fox " * 200, "a card", "a fox " * 200, "a card"]
    task = NLI(long_text=long_text)
    found = scorer.measure(task, [pa.array(premises), pa.array(hypotheses)])
    chunked = long_text == "chunk"
    assert found.truncated.to_pylist() == [False, True, False, not chunked, True, False]
    for at, row in enumerate(found.result.to_pylist()):
        alone = [pa.array(column[at : at + 1], pa.string()) for column in (premises, hypotheses)]
        expected = scorer.score(task, alone)[0].as_py()
        assert row == (expected and pytest.approx(expected, abs=1e-6))
        assert (row is None) == (premises[at] is None)


def test_threads_share_a_scorer(tiny):
    from concurrent.futures import ThreadPoolExecutor

    scorer = load_scorer(tiny)
    texts = [[f"text {i} of {part}" for i in range(40)] for part in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: rows(scorer, part), texts))
    for part, result in zip(texts, found, strict=True):
        assert_same(result, rows(scorer, part))


def test_distinct_pairs_are_scored_once(tiny):
    class Counting:
        def __init__(self, network):
            self.network, self.rows, self.padding = network, 0, network.padding

        def logits(self, batch):
            self.rows += sum(len(inputs["input_ids"]) for inputs in batch)
            return self.network.logits(batch)

    scorer = load_scorer(tiny)
    scorer._network = counting = Counting(scorer._network)
    rows(scorer, ["a", "b", None, "a", "", "b"] * 10)
    assert counting.rows == 2 * len(TASK.labels)


PADDINGS = st.builds(
    Padding,
    step=st.sampled_from([1, 8, 16]),
    mixed=st.booleans(),
    group_tokens=st.sampled_from([1, 200, 5000]),
)


@settings(max_examples=200, deadline=None)
@given(
    lengths=st.lists(st.integers(3, 512), max_size=60),
    budget=st.integers(1, 4000),
    padding=PADDINGS,
)
def test_batches_hold_every_pair_once_within_the_budget(lengths, budget, padding):
    batches = list(plan_batches(np.array(lengths, np.int64), lambda _: budget, 512, padding))
    assert sorted(i for batch in batches for i in batch.pairs) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch.groups) == 1 or padding.mixed
        for group in batch.groups:
            assert max(lengths[i] for i in group.pairs) <= group.length <= 512
        assert len(batch.pairs) == 1 or batch.tokens <= budget
        if len(batch.pairs) > 1:
            halves = batch.halves()
            assert [i for half in halves for i in half.pairs] == batch.pairs.tolist()
            assert abs(len(halves[0].pairs) - len(halves[1].pairs)) <= 1
