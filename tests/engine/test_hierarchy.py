"""Labels in a tree give the products of separate classifications, for fewer pairs."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import (
    Annotation,
    ClassIds,
    Hierarchy,
    HierarchyScores,
    ZeroShot,
    ZeroShotScores,
    task_from_json,
)

TREE = {
    "billing": ["refund", "fee", "invoice"],
    "travel": {"trains": "about trains", "planes": {"late": [], "early": "too early"}},
    "cards": {"only": ["stolen", "lost"]},
    "other": [],
}
LEAVES = (
    "billing > refund",
    "billing > fee",
    "billing > invoice",
    "travel > trains",
    "travel > planes > late",
    "travel > planes > early",
    "cards > only > stolen",
    "cards > only > lost",
    "other",
)
TEXTS = ["the fox", None, " ", "My card was stolen!", "the fox", "東京 😀"]
TEMPLATE = "Über {}?"
CLASSES = ClassIds(entailment=0, neutral=1, contradiction=2)


@pytest.fixture(scope="module")
def scorer(tiny):
    return load_scorer(tiny)


def rows(scorer, task, texts=TEXTS):
    return scorer.score(task, [pa.array(texts, pa.string())]).to_pylist()


def by_hand(scorer, text, tree, beam, template=TEMPLATE):
    """Leaves and their scores: a classification of its own for every family, breadth first."""
    level, found = [((), tree, 1.0)], {}
    while level:
        level = sorted(level, key=lambda entry: -entry[2])[:beam]
        below = []
        for path, family, reached in level:
            labels = family if isinstance(family, list) else list(family)
            said = [family[x] if isinstance(family, dict) else x for x in labels]
            said = [x if isinstance(x, str) else y for x, y in zip(said, labels, strict=True)]
            task = ZeroShotScores(labels, template, descriptions=said)
            (scores,) = rows(scorer, task, [text])
            for label in labels:
                score = reached * (scores[label] if len(labels) > 1 else 1.0)
                children = family[label] if isinstance(family, dict) else []
                if children and not isinstance(children, str):
                    below.append(((*path, label), children, score))
                else:
                    found[" > ".join((*path, label))] = score
        level = below
    return found


@pytest.mark.parametrize("beam", [1, 2, 10])
def test_equals_products_of_classifications(scorer, beam):
    task = Hierarchy(TREE, TEMPLATE, beam)
    found, fixed = rows(scorer, task), rows(scorer, HierarchyScores(TREE, TEMPLATE, beam))
    assert [row is None for row in found] == [text is None or not text.strip() for text in TEXTS]
    for text, row, scores in zip(TEXTS, found, fixed, strict=True):
        if row is None:
            assert scores is None
            continue
        expected = by_hand(scorer, text, TREE, beam)
        assert dict(zip(row["labels"], row["scores"], strict=True)) == pytest.approx(
            expected, abs=1e-6
        )
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert (row["label"], row["score"]) == (row["labels"][0], row["scores"][0])
        assert list(scores) == list(LEAVES)
        assert scores == pytest.approx({leaf: expected.get(leaf, 0.0) for leaf in LEAVES}, abs=1e-6)
        total = math.fsum(row["scores"])
        assert total == pytest.approx(1.0) if beam == 10 else total <= 1.0 + 1e-9
        assert (len(row["labels"]) == len(LEAVES)) == (beam >= 3)


def test_only_children_of_the_best_parents_are_scored(tiny):
    """And a row may have no pair in a step: other parents were better, or it has but one child."""
    scorer = load_scorer(tiny)
    asked, logits_of = [], scorer._logits
    scorer._logits = lambda task, pairs: asked.append(pairs) or logits_of(task, pairs)
    texts = [f"text {i} {'?' * (i % 7)}" for i in range(20)]
    found = rows(scorer, Hierarchy(TREE, TEMPLATE, beam=1), texts)
    counts = np.array([[len(pairs) for pairs in step] for step in asked])
    assert len(counts) == 3
    assert (counts[0] == 4).all()
    assert {0, 2, 3} >= set(counts[1])
    best = {"billing": (3, 0), "travel": (2, 2), "cards": (0, 2)}
    tops = rows(scorer, ZeroShotScores(list(TREE), TEMPLATE), texts)
    for row, top, seen in zip(found, tops, counts.T, strict=True):
        parent = max(best, key=top.get)
        assert tuple(seen[1:]) == best[parent]
        assert {label.split(" > ")[0] for label in row["labels"]} == {parent, "other"}
    assert len(set(map(tuple, counts.T))) > 1, "the texts must differ in their best parents"


def test_truncation_in_any_step_is_reported(scorer):
    """The last level's hypotheses leave less room for the text than those of the first."""
    tree = {"a": {"b": ["c", "d " * 20], "e": []}, "f": []}
    top = pa.array(["a " * size for size in range(1, 200)])
    cut = scorer.measure(ZeroShot(["a", "f"]), [top]).truncated.to_pylist()
    text = top[cut.index(True) - 1].as_py()
    texts = pa.array([text, None, "short"])
    found = scorer.measure(Hierarchy(tree), [texts]).truncated.to_pylist()
    assert found == [True, False, False]


_scorers = {}


@settings(max_examples=5, deadline=None)
@given(
    texts=st.lists(st.sampled_from([*TEXTS, "b", "?", "the foxes"]), max_size=14),
    beam=st.integers(1, 3),
    data=st.data(),
)
def test_order_duplicates_and_windows_change_nothing(tiny, texts, beam, data):
    scorer = _scorers.get(tiny) or _scorers.setdefault(tiny, load_scorer(tiny))
    task = HierarchyScores(TREE, beam=beam)
    expected = [rows(scorer, task, [text])[0] for text in texts]
    window = data.draw(st.integers(1, 20))
    cut = data.draw(st.integers(0, len(texts)))
    batches = ([pa.array(part, pa.string())] for part in (texts[:cut], texts[cut:]))
    parts = list(scorer.score_stream(task, batches, window_rows=window))
    assert [len(part) for part in parts] == [cut, len(texts) - cut]
    order = data.draw(st.permutations(range(len(texts))))
    shuffled = rows(scorer, task, [texts[i] for i in order])
    for found, values in (
        ([row for part in parts for row in part.to_pylist()], expected),
        (shuffled, [expected[i] for i in order]),
        (rows(scorer, task, texts * 2), expected * 2),
    ):
        for a, b in zip(found, values, strict=True):
            assert (a is None) == (b is None)
            assert a is None or a == pytest.approx(b, abs=1e-6)


@pytest.mark.parametrize("task", [Hierarchy(TREE, beam=1), HierarchyScores(TREE)])
def test_no_rows_and_result_from_all_logits(scorer, task):
    """``result`` looks at the same pairs as ``steps``, among the logits of all."""
    assert rows(scorer, task, []) == []
    assert rows(scorer, task, [None, ""]) == [None, None]
    logits, _ = scorer._logits(task, [task.pairs((text,)) for text in ("the fox", "a b c d")])
    found = task.result([("the fox",), ("a b c d",)], logits, scorer._classes)
    expected = scorer.score(task, [pa.array(["the fox", "a b c d"])])
    assert found.type == expected.type == task.result_type
    for a, b in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        assert a.get("labels") == b.get("labels")
        for name in set(a) - {"label", "labels"}:
            assert a[name] == pytest.approx(b[name], abs=1e-6)


def test_options_of_every_family(scorer):
    """Templates, own hypotheses and thresholds are those of ``ZeroShot``."""
    templates = ["It is {}.", "About {}!"]
    own = {"a": "Something of the first kind.", "a > x": ["One.", "Two."]}
    task = Hierarchy({"a": ["x", "y"], "b": []}, templates, hypotheses=own)
    top = ZeroShotScores(["a", "b"], templates, hypotheses={"a": own["a"]})
    below = ZeroShotScores(["x", "y"], templates, hypotheses={"x": own["a > x"]})
    texts = ["the fox", "a b c d"]
    found = rows(scorer, task, texts)
    for row, first, second in zip(
        found, rows(scorer, top, texts), rows(scorer, below, texts), strict=True
    ):
        expected = {"a > x": first["a"] * second["x"], "a > y": first["a"] * second["y"]}
        scores = dict(zip(row["labels"], row["scores"], strict=True))
        assert scores == pytest.approx({**expected, "b": first["b"]}, abs=1e-6)
    limits = {"a > x": 1.0, "a > y": 1.0, "b": found[0]["score"] if found[0]["label"] == "b" else 1}
    strict = rows(scorer, Hierarchy(**{**task.arguments(), "threshold": limits}), texts)
    assert strict[0]["label"] == ("b" if limits["b"] < 1 else None)
    assert [row["score"] for row in strict] == pytest.approx([row["score"] for row in found])


def test_in_an_annotation(tiny):
    """The tasks take their steps together: one pass for each level, not for each task's."""
    scorer = load_scorer(tiny)
    asked, logits_of = [], scorer._logits
    parts = {
        "tree": Hierarchy(TREE, beam=1),
        "flat": ZeroShot(["x", "y"]),
        "all": HierarchyScores(TREE),
    }
    scorer._logits = lambda task, pairs: asked.append(pairs) or logits_of(task, pairs)
    found = rows(scorer, Annotation(parts))
    assert len(asked) == 3
    assert sum(map(len, asked[2])) < 3 * parts["all"].pairs_per_row / 2
    assert rows(scorer, Annotation(parts), [None]) == [None]
    for name, task in parts.items():
        for a, b in zip(found, rows(scorer, task), strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                assert a[name].get("labels") == b.get("labels")
                values = [x for x in b if x not in ("label", "labels", "scores")]
                assert [a[name][x] for x in values] == pytest.approx(
                    [b[x] for x in values], abs=1e-6
                )
    assert task_from_json(Annotation(parts).to_json()) == Annotation(parts)


@pytest.mark.parametrize(
    "task",
    [
        Hierarchy(TREE, [TEMPLATE, "{}"], 3, hypotheses={"cards": "x", "other": ["y", "z"]}),
        HierarchyScores(TREE, threshold={"other": 0.25}),
    ],
)
def test_json_both_ways(task):
    again = task_from_json(task.to_json())
    assert again == task
    assert type(again) is type(task)
    assert again.labels == LEAVES


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ({"a": ["x", "y", "x"], "b": []}, ValueError, r"labels\['a'\]: \['x'\] given more than"),
        ({"a": {"b": ["x", " "]}, "c": []}, ValueError, r"labels\['a'\]\['b'\]: ' ' is blank"),
        ({"a": ["x", 3]}, TypeError, r"labels\['a'\]: 3 is a int"),
        ({"a": {"x": 3, "y": []}}, TypeError, r"labels\['a'\]\['x'\]=3: pass a list"),
        ({"a": {"x": "same", "y": "same"}}, ValueError, r"labels\['a'\], descriptions: \['same'\]"),
        ({"a": ["x", "y"], "b": " "}, ValueError, r"labels\['b'\]: ' ' is blank"),
        ({"a": ["x > y", "z"]}, ValueError, r"labels\['a'\]: 'x > y' holds ' > '"),
        ({"a >": ["b"], "a": ["c"]}, ValueError, "labels: 'a >' holds ' > '"),
        ({"a": ["> b", "c"]}, ValueError, r"labels\['a'\]: '> b' holds ' > '"),
        ({"a": ["x"]}, ValueError, "two labels that have no children"),
        ({}, ValueError, "at least one"),
        (["a", "b"], TypeError, r"labels=\['a', 'b'\]: pass a dict"),
        ("a", TypeError, "labels='a': pass a dict"),
    ],
)
def test_wrong_labels(labels, error, message):
    with pytest.raises(error, match=message):
        Hierarchy(labels)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"beam": 0}, ValueError, "beam=0: pass at least 1"),
        ({"beam": 1.5}, TypeError, r"beam=1\.5"),
        ({"beam": True}, TypeError, "beam=True"),
        ({"hypothesis_template": "none"}, ValueError, "hypothesis_template='none'"),
        (
            {"hypotheses": {"refund": "x"}},
            ValueError,
            r"hypotheses: 'refund' is none of the labels",
        ),
        ({"threshold": {"billing": 0.5}}, ValueError, "threshold: 'billing' is none of the labels"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        Hierarchy(TREE, **options)
