"""Validation, JSON, and the result types of tasks."""

from __future__ import annotations

import pickle
from dataclasses import replace
from enum import Enum

import numpy as np
import pandas as pd
import pytest

from sparknlp_zs.tasks import (
    NLI,
    Chunks,
    ClassIds,
    Classifier,
    Hierarchy,
    HierarchyScores,
    RowLabels,
    RowLabelScores,
    TaskHead,
    ZeroShot,
    ZeroShotScores,
    task_from_json,
)
from sparknlp_zs.tasks.arguments import classify_task, scores_task

CLASSES = ClassIds(entailment=0, neutral=1, contradiction=2)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([], ValueError, "at least one"),
        (["a", "b", "a"], ValueError, r"\['a'\] given more than once"),
        (["a", 3], TypeError, "3 is a int"),
        (["a", None], TypeError, "None is a NoneType"),
        (["a", " "], ValueError, "blank"),
        ("a,b", TypeError, r"labels='a,b': pass a list"),
        (7, TypeError, "labels=7"),
        ({"a": " "}, ValueError, "descriptions: ' ' is blank"),
        ({"a": "x", "b": "x"}, ValueError, r"descriptions: \['x'\] given more than once"),
        ({"a": 3}, TypeError, "descriptions: 3 is a int"),
        ({}, ValueError, "at least one"),
        ({"a": ["x"]}, TypeError, r"descriptions: \['x'\] is a list"),
        (pd.DataFrame({"x": ["a"]}), TypeError, "a DataFrame of 2 dimensions; .* one column"),
        (np.array("a"), TypeError, "a ndarray of 0 dimensions"),
    ],
)
def test_wrong_labels(labels, error, message):
    with pytest.raises(error, match=message):
        ZeroShot(labels)


@pytest.mark.parametrize("template", ["This is it.", "", "{label}", "{0}"])
def test_template_without_place(template):
    with pytest.raises(ValueError, match="hypothesis_template="):
        ZeroShot(["a"], template)


def test_descriptions_know_their_labels_after_pickling_but_not_after_json():
    task = ZeroShot({"a": "x", "b": "y"})
    assert replace(pickle.loads(pickle.dumps(task)), labels=["b", "a"]).descriptions == ("y", "x")
    assert task_from_json(task.to_json()) == task
    with pytest.raises(ValueError, match="descriptions: given beside labels that are a dict"):
        ZeroShot({"a": "x"}, descriptions=["y"])


def test_labels_in_a_column_where_none_are_taken():
    class Column:
        def __iter__(self):
            raise TypeError("[NOT_ITERABLE] Column is not iterable.")

    for make in (ZeroShot, scores_task):
        with pytest.raises(
            TypeError, match=r"labels: a Column holds labels of its own .*zs.classify"
        ):
            make(Column())


def test_half_a_character():
    half = chr(0xD83D)
    for make in (
        lambda: ZeroShot(["a", half]),
        lambda: ZeroShot(["a"], half + "{}"),
        lambda: ZeroShot(["a"], ["{}", half + "{}"]),
        lambda: ZeroShot(["a", "b"]).calibrated(["a", half] * 20, model="no/such"),
    ):
        with pytest.raises(ValueError, match="half a character"):
            make()


def test_options_that_trees_have_not():
    tree = Hierarchy({"p": ["a", "b"]})
    for labels in (tree, {"p": ["a", "b"]}):
        for options in ({"long_text": "chunk"}, {"prefilter": 1}, {"multi_label": True}):
            with pytest.raises(ValueError, match="labels with children"):
                classify_task(labels, **options)
    assert classify_task({"p": ["a", "b"]}, long_text="truncate", multi_label=False) == tree


def test_wrong_types():
    with pytest.raises(TypeError, match="hypothesis_template=3"):
        ZeroShot(["a"], 3)
    with pytest.raises(TypeError, match="hypothesis_template=3"):
        ZeroShot(["a"], ["{}", 3])
    with pytest.raises(ValueError, match="at least one"):
        ZeroShot(["a"], [])
    with pytest.raises(ValueError, match="more than once"):
        ZeroShot(["a"], ["{}", "{}"])
    with pytest.raises(TypeError, match="multi_label='yes'"):
        ZeroShot(["a"], multi_label="yes")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Chunks(overlap=-1), ValueError, "overlap=-1"),
        (lambda: Chunks(overlap=True), TypeError, "overlap=True"),
        (lambda: Chunks(overlap=0.5), TypeError, "overlap=0.5"),
        (lambda: Chunks(pool="sum"), ValueError, "pool='sum': pass one of 'max', 'mean'"),
        (lambda: ZeroShot(["a"], long_text="cut"), ValueError, "long_text='cut': pass 'truncate'"),
        (lambda: NLI(long_text=None), TypeError, "long_text=None"),
        (lambda: RowLabels(long_text=64), TypeError, "long_text=64"),
    ],
)
def test_wrong_long_text(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_template_is_filled_by_replacement():
    task = ZeroShot(["{0.__class__}", "a {} b", "%s"], "Is it {}?")
    assert task.hypotheses == ("Is it {0.__class__}?", "Is it a {} b?", "Is it %s?")


def test_several_templates_and_own_hypotheses():
    labels = {"fee": "what it costs", "card": "cards", "x": "{}"}
    task = ZeroShot(labels, ["It is {}.", "{}?"], hypotheses={"card": "I lost my {}.", "x": "1 2"})
    said = ("It is what it costs.", "what it costs?", "I lost my {}.", "1 2")
    assert task.hypotheses == said
    assert task.pairs(("t",)) == [("t", hypothesis) for hypothesis in said]
    assert task.pairs_per_row == 4


@pytest.mark.parametrize("multi_label", [False, True])
def test_mean_logits_by_hand(multi_label):
    """The logits of a label's hypotheses are averaged before any softmax."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(5, 5, 3)).astype(np.float32)
    own = {"b": ["One.", "Two.", "Three."]}
    task = ZeroShot(["a", "b", "c"], multi_label=multi_label, hypotheses=own)
    of_labels = np.stack([logits[:, 0], logits[:, 1:4].mean(axis=1), logits[:, 4]], axis=1)
    expected = ZeroShot(["a", "b", "c"], multi_label=multi_label).scores(of_labels, CLASSES)
    np.testing.assert_allclose(task.scores(logits, CLASSES), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("hypotheses", "error", "message"),
    [
        ({"d": "x"}, ValueError, r"hypotheses: 'd' is none of the labels \['a', 'b'\]"),
        ({"a": " "}, ValueError, "hypotheses: ' ' is blank"),
        ({"a": []}, ValueError, "at least one sentence"),
        ({"a": ["x", "x"]}, ValueError, "more than once"),
        ({"a": 3}, TypeError, "hypotheses: 3 is a int"),
        ({"a": "x", "b": "x"}, ValueError, r"'a' and 'b' have the same, \['x'\]"),
        ("a: x", TypeError, "hypotheses='a: x': pass a dict"),
        (["a", "x"], TypeError, r"hypotheses=\['a', 'x'\]: pass a dict"),
    ],
)
def test_wrong_hypotheses(hypotheses, error, message):
    with pytest.raises(error, match=message):
        ZeroShot(["a", "b"], hypotheses=hypotheses)


SCORES = np.array([[0.6, 0.3, 0.1], [0.2, 0.45, 0.35]])


@pytest.mark.parametrize(
    ("threshold", "labels", "scores"),
    [
        (0.0, ["a", "b"], [0.6, 0.45]),
        (0.4499, ["a", "b"], [0.6, 0.45]),
        (0.5, ["a", None], [0.6, 0.45]),
        (1, [None, None], [0.6, 0.45]),
        ({"a": 0.7}, ["b", "b"], [0.3, 0.45]),
        ({"a": 0.7, "b": 0.4}, ["c", "b"], [0.1, 0.45]),
        ({"a": 0.7, "b": 0.5, "c": 0.3}, [None, "c"], [0.6, 0.35]),
    ],
)
def test_thresholds(threshold, labels, scores):
    """The best label that reaches its own; the score is the label's, or the best of all."""
    logits = np.log(SCORES).reshape(-1, 1) @ [[1.0, 0.0, 0.0]]
    task = ZeroShot(["a", "b", "c"], threshold=threshold)
    found = task_from_json(task.to_json()).result([("x",)] * 2, logits, CLASSES)
    assert found.field("label").to_pylist() == labels
    assert found.field("score").to_pylist() == pytest.approx(scores)
    assert found.field("labels").to_pylist() == [["a", "b", "c"], ["b", "c", "a"]]
    names = [("x", ("a", "b", "c"), False), ("y", ("c", "a", "b"), False), ("z", ("c",), False)]
    ragged = np.concatenate([logits[:3], logits[[5, 3, 4]], [[-9.0, 0.0, 0.0]]])
    by_row = RowLabels(threshold=threshold).result(names, ragged, CLASSES)
    assert by_row.field("label").to_pylist()[:2] == labels
    assert by_row.field("score").to_pylist()[:2] == pytest.approx(scores)


@pytest.mark.parametrize(
    ("threshold", "error", "message"),
    [
        (1.5, ValueError, r"threshold=1\.5: scores are from 0 to 1"),
        (float("nan"), ValueError, "threshold=nan"),
        (True, TypeError, "threshold=True"),
        ("0.5", TypeError, "threshold='0.5'"),
        ({"c": 0.5}, ValueError, "threshold: 'c' is none of the labels"),
        ({"a": -1}, ValueError, r"threshold\['a'\]=-1"),
        ({"a": "x"}, TypeError, r"threshold\['a'\]='x'"),
    ],
)
def test_wrong_thresholds(threshold, error, message):
    with pytest.raises(error, match=message):
        ZeroShot(["a", "b"], threshold=threshold)


def test_descriptions_stand_in_the_hypotheses_and_labels_in_the_result():
    logits = np.array([[0.0, 0.0, 1.0], [3.0, 0.0, 1.0]], dtype=np.float32)
    task = ZeroShot({"fee": "about what it costs", "card": "about a {} card"}, "It is {}.")
    assert task.hypotheses == ("It is about what it costs.", "It is about a {} card.")
    assert task.result([("x",)], logits, CLASSES).field("label").to_pylist() == ["card"]


@pytest.mark.parametrize("kind", [list, tuple, iter, pd.Series, pd.Index, np.array])
def test_iterables_of_labels(kind):
    assert ZeroShot(kind(["x", "y"])).labels == ("x", "y")


class Topic(str, Enum):  # noqa: UP042  StrEnum says its value
    """Its str() is the member's name, which is not what it says."""

    REFUND = "refund"
    CARD = "stolen card"


def test_members_of_an_enum():
    names = ("refund", "stolen card")
    task = ZeroShot(list(Topic), threshold={Topic.CARD: 0.5}, hypotheses={"refund": Topic.REFUND})
    assert task == ZeroShot(names, threshold={"stolen card": 0.5}, hypotheses={"refund": "refund"})
    assert task_from_json(task.to_json()) == task
    assert ZeroShot({"x": Topic.REFUND}).hypotheses == ("This example is refund.",)
    tree = Hierarchy({Topic.REFUND: ["q"], Topic.CARD: ["r", Topic.CARD]})
    assert tree.labels == ("refund > q", "stolen card > r", "stolen card > stolen card")
    assert {type(x) for x in (*task.labels, *task.hypotheses)} == {str}


@pytest.mark.parametrize(
    "task",
    [
        ZeroShot(["a, b", "{}", "ü😀"], "Über {}", True),
        ZeroShot({"a": "about {} or %s", "b": "about b"}),
        ZeroShot(["a", "b"], ["{}.", "Is it {}?"], hypotheses={"a": "x"}, threshold={"b": 0.5}),
        ZeroShotScores(["a", "b"], threshold=np.float32(0.5)),
        NLI(),
        RowLabels("Über {}"),
        RowLabels(["{}", "Über {}"], threshold={"a": 0.5}),
        RowLabelScores(),
        ZeroShot(["a"], long_text="chunk"),
        ZeroShotScores(["a"], long_text=Chunks(overlap=9, pool="mean")),
        NLI(long_text=Chunks(pool="mean")),
        RowLabels(long_text=Chunks(overlap=0)),
    ],
)
def test_json_both_ways(task):
    again = task_from_json(task.to_json())
    assert again == task
    assert type(again) is type(task)


@pytest.mark.parametrize(
    ("task", "changes", "expected"),
    [
        (
            ZeroShotScores({"a": "x", "b": "y"}, ["{}.", "{}?"], hypotheses={"b": "B!"}),
            {"threshold": 0.5, "multi_label": True},
            ZeroShotScores(
                {"a": "x", "b": "y"},
                ["{}.", "{}?"],
                True,
                hypotheses={"b": "B!"},
                threshold=0.5,
            ),
        ),
        (
            ZeroShot(["a", "b"], threshold={"a": 0.3}, long_text="chunk", label_bias=[0.1, -0.1]),
            {"prefilter": 1},
            ZeroShot(
                ["a", "b"],
                threshold={"a": 0.3},
                long_text="chunk",
                prefilter=1,
                label_bias=[0.1, -0.1],
            ),
        ),
        # Hypotheses follow the labels where these have no descriptions.
        (ZeroShot(["a", "b"]), {"labels": ["c", "d"]}, ZeroShot(["c", "d"])),
        (ZeroShot({"a": "x"}), {"labels": {"b": "y"}}, ZeroShot({"b": "y"})),
        (ZeroShot({"a": "x"}), {"descriptions": None}, ZeroShot(["a"])),
        # Descriptions stay with their labels.
        (ZeroShot({"a": "x", "b": "y"}), {"labels": ["b", "a"]}, ZeroShot({"b": "y", "a": "x"})),
        (ZeroShot({"a": "x", "b": "y"}), {"labels": ["b"]}, ZeroShot({"b": "y"})),
        (
            ZeroShot({"a": "x"}),
            {"labels": ["c"], "descriptions": ["z"]},
            ZeroShot({"c": "z"}),
        ),
        (
            ZeroShot(["a", "b"], hypotheses={"a": "A!"}),
            {"hypotheses": {"b": "B!"}},
            ZeroShot(["a", "b"], hypotheses={"b": "B!"}),
        ),
        (ZeroShot(["a"], hypotheses={"a": "A!"}), {"hypotheses": {}}, ZeroShot(["a"])),
        (
            Hierarchy({"p": {"a": "x", "b": []}, "q": []}, hypotheses={"p > b": "B!"}),
            {"threshold": {"q": 0.5}},
            Hierarchy(
                {"p": {"a": "x", "b": []}, "q": []},
                hypotheses={"p > b": "B!"},
                threshold={"q": 0.5},
            ),
        ),
        (
            HierarchyScores({"p": ["a", "b"]}, beam=3),
            {"labels": {"q": ["c", "d"]}},
            HierarchyScores({"q": ["c", "d"]}, beam=3),
        ),
        (NLI(long_text="chunk"), {"long_text": "truncate"}, NLI()),
        (
            RowLabels(["{}", "{}?"], threshold={"a": 0.5}),
            {"long_text": "chunk"},
            RowLabels(["{}", "{}?"], threshold={"a": 0.5}, long_text="chunk"),
        ),
        (Classifier(["a", "b"]), {"multi_label": True}, Classifier(["a", "b"], True)),
        (TaskHead("glue/stsb"), {"kind": "regression"}, TaskHead("glue/stsb", "regression")),
    ],
)
def test_replace(task, changes, expected):
    found = replace(task, **changes)
    assert found == expected
    assert type(found) is type(task)
    assert replace(found) == found


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (ZeroShot(["a", "b"]), {"threshold": 2}, "threshold=2"),
        (
            ZeroShot({"a": "x", "b": "y"}),
            {"labels": ["a", "c"]},
            r"descriptions: those of \['a', 'b'\], and \['c'\] have none",
        ),
        (ZeroShot(["a"], hypotheses={"a": "A!"}), {"labels": ["b"]}, "hypotheses: 'a' is none of"),
        (Hierarchy({"p": ["a", "b"]}), {"beam": 0}, "beam=0"),
    ],
)
def test_replace_checks_the_whole(task, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(task, **changes)


def test_unknown_kind():
    with pytest.raises(ValueError, match="kind='x'"):
        task_from_json('{"kind": "x"}')


def test_scores_by_hand():
    logits = np.array([[[2.0, 0.0, 1.0], [1.0, 5.0, 1.0]]], dtype=np.float32)
    single = ZeroShot(["a", "b"]).scores(logits, CLASSES)
    multi = ZeroShot(["a", "b"], multi_label=True).scores(logits, CLASSES)
    np.testing.assert_allclose(single, [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]])
    np.testing.assert_allclose(multi, [[1 / (1 + np.exp(-1)), 0.5]])


def test_large_logits_do_not_overflow():
    logits = np.array([[[1e4, 0.0, -1e4], [-1e4, 0.0, 1e4]]], dtype=np.float32)
    np.testing.assert_array_equal(ZeroShot(["a", "b"]).scores(logits, CLASSES), [[1.0, 0.0]])


@pytest.mark.parametrize(
    "task", [ZeroShot(["a", "b"]), ZeroShotScores(["a", "b"]), NLI(), RowLabels(), RowLabelScores()]
)
def test_no_rows(task):
    result = task.result([], np.zeros((0, 3), np.float32), CLASSES)
    assert result.type == task.result_type
    assert len(result) == 0
