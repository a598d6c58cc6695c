"""Long texts in chunks: equal to chunks that are cut, scored and pooled by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import ARCHITECTURES, MAX_LENGTH

from sparknlp_zs.engine.chunks import spans_of
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import NLI, Annotation, Chunks, RowLabels, ZeroShot, ZeroShotScores

LABELS = ["travel", "a rather long label", "politics"]
SENTENCE = "My card was stolen yesterday, the quick brown fox jumps over the lazy dog café 東京"
WORDS = SENTENCE.split(" ")
LONG = " ".join(np.random.default_rng(1).choice(WORDS, 60))
LONGER = " ".join(np.random.default_rng(2).choice(WORDS, 110))
SHORT = "the quick brown fox"
TEXTS = [LONG, SHORT, None, LONGER, " ", LONG]
CHUNKS = [Chunks(), Chunks(overlap=0), Chunks(overlap=7, pool="mean")]


class ByHand:
    """Hugging Face's model on the ids of chunks that are cut here."""

    def __init__(self, folder):
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        load = transformers.AutoModelForSequenceClassification.from_pretrained
        self.model = load(folder, dtype=torch.float32).eval()
        self.between = 2 if self.model.config.model_type == "roberta" else 1
        # The exact rewrites add up in another order.
        self.tolerance = 1e-5

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def chunks(self, text, hypotheses, overlap, least=0):
        """As few pieces of one length as fit beside the longest hypothesis."""
        ids = self.ids(text)
        room = MAX_LENGTH - 2 - self.between - max(len(self.ids(x)) for x in hypotheses)
        room = max(room, least)
        overlap = room // 4 if overlap is None else overlap
        count = 1
        while count * room - (count - 1) * overlap < len(ids):
            count += 1
        if count == 1:
            return [ids]
        size = -(-(len(ids) + (count - 1) * overlap) // count)
        starts = [i * (len(ids) - size) // (count - 1) for i in range(count)]
        return [ids[start : start + size] for start in starts]

    def chunk_logits(self, chunks, hypothesis):
        cls, sep = [self.tokenizer.cls_token_id], [self.tokenizer.sep_token_id]
        left = MAX_LENGTH - 2 - self.between - len(chunks[0])
        rest = sep * self.between + self.ids(hypothesis)[:left] + sep
        rows = [cls + ids + rest for ids in chunks]  # of one length; no type ids, as the tokenizer
        with torch.no_grad():
            return self.model(torch.tensor(rows)).logits.double().numpy()

    def logits(self, text, hypotheses, chunks, least=0):
        """The pooled logits of a text's hypotheses."""
        pieces = self.chunks(text, hypotheses, chunks.overlap, least)
        found = [self.chunk_logits(pieces, hypothesis) for hypothesis in hypotheses]
        if chunks.pool == "mean":
            return np.array([x.mean(axis=0) for x in found])
        return np.array([x[np.argmax(x[:, 0] - x[:, 2])] for x in found])


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request, tiny_models):
    return tiny_models[request.param]


@pytest.fixture(scope="module")
def by_hand(folder):
    return ByHand(folder)


@pytest.fixture(scope="module")
def scorer(folder):
    return load_scorer(folder)


def values(scorer, task, *columns):
    """The numbers of each row, and whether its text was cut; None for a null row."""
    measured = scorer.measure(task, [pa.array(column, pa.string()) for column in columns])
    rows = [None if row is None else list(row.values()) for row in measured.result.to_pylist()]
    return rows, measured.truncated.to_pylist()


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_zero_shot(scorer, by_hand, chunks):
    single, cut = values(scorer, ZeroShotScores(LABELS, long_text=chunks), TEXTS)
    multi, _ = values(scorer, ZeroShotScores(LABELS, multi_label=True, long_text=chunks), TEXTS)
    assert cut == [False] * len(TEXTS)
    hypotheses = ZeroShot(LABELS).hypotheses
    assert len(by_hand.chunks(LONGER, hypotheses, chunks.overlap)) > 2
    for text, one, several in zip(TEXTS, single, multi, strict=True):
        if text is None or not text.strip():
            assert one is None
            assert several is None
            continue
        logits = by_hand.logits(text, hypotheses, chunks)
        np.testing.assert_allclose(one, softmax(logits[:, 0]), atol=by_hand.tolerance)
        alone = softmax(logits[:, [2, 0]])[:, 1]
        np.testing.assert_allclose(several, alone, atol=by_hand.tolerance)
    assert single[0] == single[-1]


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_nli(scorer, by_hand, chunks):
    premises, hypotheses = [LONG, LONGER, SHORT, LONG], ["a card", "the lazy dog", "a card", None]
    found, _ = values(scorer, NLI(long_text=chunks), premises, hypotheses)
    assert found[3] is None
    for premise, hypothesis, row in zip(premises[:3], hypotheses[:3], found, strict=False):
        logits = by_hand.logits(premise, [hypothesis], chunks)
        np.testing.assert_allclose(row[2:], softmax(logits)[0], atol=by_hand.tolerance)


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_nli_of_long_hypotheses(scorer, by_hand, chunks):
    """A chunk of the premise has at least half of the tokens, and the hypothesis the rest."""
    premises, hypotheses = [LONG, LONGER, SHORT, LONGER], [LONGER, LONG, LONGER, WORDS[0]]
    found, cut = values(scorer, NLI(long_text=chunks), premises, hypotheses)
    whole = MAX_LENGTH - 2 - by_hand.between
    for premise, hypothesis, row in zip(premises, hypotheses, found, strict=True):
        logits = by_hand.logits(premise, [hypothesis], chunks, least=-(-whole // 2))
        np.testing.assert_allclose(row[2:], softmax(logits)[0], atol=by_hand.tolerance)
    assert cut == [True, True, True, False]
    # A premise of less than half is scored as if both were cut.
    both_cut = values(scorer, NLI(), premises[2:3], hypotheses[2:3])[0][0]
    assert found[2][1:] == pytest.approx(both_cut[1:], abs=1e-6)


def test_row_labels_are_those_of_zero_shot(tiny):
    scorer = load_scorer(tiny)
    sets = [LABELS[:1], LABELS, LABELS[1:]]
    columns = [pa.array([LONGER] * 3), pa.array(sets), pa.array([False] * 3)]
    found = scorer.score(RowLabels(long_text="chunk"), columns).to_pylist()
    for labels, row in zip(sets, found, strict=True):
        expected = scorer.score(ZeroShot(labels, long_text="chunk"), [pa.array([LONGER])])
        assert row["labels"] == expected[0]["labels"].as_py()
        assert row["scores"] == pytest.approx(expected[0]["scores"].as_py(), abs=1e-6)


def test_tasks_in_one_pass_keep_their_own_chunks(tiny):
    scorer = load_scorer(tiny)
    tasks = {
        "cut": ZeroShotScores(LABELS),
        "max": ZeroShotScores(LABELS, long_text="chunk"),
        "mean": ZeroShotScores(LABELS, long_text=Chunks(pool="mean")),
        "other": ZeroShotScores(LABELS[:1], long_text="chunk"),
    }
    together = scorer.measure(Annotation(tasks), [pa.array(TEXTS)])
    assert together.truncated.to_pylist() == [text in (LONG, LONGER) for text in TEXTS]
    for name, task in tasks.items():
        alone = values(scorer, task, TEXTS)[0]
        for row, expected in zip(together.result.to_pylist(), alone, strict=True):
            found = row and list(row[name].values())
            assert found == (expected and pytest.approx(expected, abs=1e-6))


def test_short_texts_and_what_pools_have_in_common_are_scored_once(tiny):
    scorer = load_scorer(tiny)
    scored, logits = [], scorer._network.logits
    scorer._network.logits = lambda batch: (
        scored.extend(tuple(row) for inputs in batch for row in inputs["input_ids"].tolist())
        or logits(batch)
    )
    tasks = {pool: ZeroShot(LABELS, long_text=Chunks(pool=pool)) for pool in ("max", "mean")}
    scorer.score(Annotation(tasks), [pa.array([SHORT, LONG, SHORT])])
    assert len(scored) == len(set(scored)) > 2 * len(LABELS)
    scored.clear()
    scorer.score(Annotation({**tasks, "cut": ZeroShot(LABELS)}), [pa.array([SHORT])])
    assert len(scored) == len(LABELS)


def test_a_tokenizer_that_cuts_the_beginning(tmp_path, tiny):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny, truncation_side="left")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tiny)
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    left, right = load_scorer(tmp_path), load_scorer(tiny)
    cut, task = ZeroShotScores(LABELS), ZeroShotScores(LABELS, long_text="chunk")
    assert values(left, cut, [LONG]) != values(right, cut, [LONG])
    assert values(left, task, TEXTS) == values(right, task, TEXTS)


def test_an_overlap_without_room_fails_where_a_text_is_chunked(tiny):
    scorer = load_scorer(tiny)
    task = ZeroShotScores(LABELS, long_text=Chunks(overlap=60))
    assert values(scorer, task, [SHORT]) == values(scorer, ZeroShotScores(LABELS), [SHORT])
    with pytest.raises(ValueError, match=r"overlap=60: .* lower the overlap"):
        values(scorer, task, [SHORT, LONG])


@given(size=st.integers(1, 5000), room=st.integers(1, 500), overlap=st.integers(0, 499))
def test_spans_cover_the_text_and_share_enough(size, room, overlap):
    overlap = min(overlap, room - 1)
    spans = spans_of(np.array([size]), np.array([room]), np.array([overlap]))
    ends = spans.starts + spans.sizes
    assert spans.starts[0] == 0
    assert ends[-1] == size
    assert spans.sizes.max() <= room
    assert len(set(spans.sizes)) == 1
    assert (ends[:-1] - spans.starts[1:] >= overlap).all()
    assert (np.diff(spans.starts) > 0).all()  # none lies within another
    if len(ends) > 1:
        assert (len(ends) - 1) * room - (len(ends) - 2) * overlap < size  # fewer would not fit
