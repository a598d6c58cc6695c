"""Validation, JSON, and the result types of tasks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sparknlp_zs.tasks import (
    NLI,
    ClassIds,
    RowLabels,
    RowLabelScores,
    ZeroShot,
    ZeroShotScores,
    task_from_json,
)

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
        ({"a": "b"}, TypeError, "pass a list"),
    ],
)
def test_wrong_labels(labels, error, message):
    with pytest.raises(error, match=message):
        ZeroShot(labels)


@pytest.mark.parametrize("template", ["This is it.", "", "{label}", "{0}"])
def test_template_without_place(template):
    with pytest.raises(ValueError, match="hypothesis_template="):
        ZeroShot(["a"], template)


def test_wrong_types():
    with pytest.raises(TypeError, match="hypothesis_template=3"):
        ZeroShot(["a"], 3)
    with pytest.raises(TypeError, match="multi_label='yes'"):
        ZeroShot(["a"], multi_label="yes")


def test_template_is_filled_by_replacement():
    task = ZeroShot(["{0.__class__}", "a {} b", "%s"], "Is it {}?")
    assert task.hypotheses == ("Is it {0.__class__}?", "Is it a {} b?", "Is it %s?")


@pytest.mark.parametrize("kind", [list, tuple, iter, pd.Series, pd.Index, np.array])
def test_iterables_of_labels(kind):
    assert ZeroShot(kind(["x", "y"])).labels == ("x", "y")


@pytest.mark.parametrize(
    "task",
    [
        ZeroShot(["a, b", "{}", "ü😀"], "Über {}", True),
        ZeroShotScores(["a", "b"]),
        NLI(),
        RowLabels("Über {}"),
        RowLabelScores(),
    ],
)
def test_json_both_ways(task):
    again = task_from_json(task.to_json())
    assert again == task
    assert type(again) is type(task)


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
