"""Labelled rows: what is dropped, refused, and how rows are split."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from sparknlp_zs.training.labelled import (
    entailment_task,
    head_labels,
    in_classes,
    raw_rows,
    split,
)


def frame(*rows):
    return pd.DataFrame(rows, columns=["text", "label"])


def test_rows_without_a_text_or_a_label_are_dropped_and_counted():
    rows = raw_rows(
        frame(("a", "x"), (None, "x"), (" ", "x"), ("b", None), ("c", np.nan), ("d", "  ")),
        "text",
        "label",
    )
    assert rows.pairs == (("a", "x"),)
    assert rows.dropped == 5


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["text", "label", "text"], "text='text': frame has 2 columns of this name; rename them"),
        (["label", "text", "label"], "label='label': frame has 2 columns of this name"),
        (["text", "labels", "x"], "label='label': frame has no such column"),
    ],
)
def test_columns_that_are_not_one(names, message):
    with pytest.raises(ValueError, match=message):
        raw_rows(pd.DataFrame([("a", "b", "c")], columns=names), "text", "label")


def test_other_columns_may_share_a_name():
    rows = pd.DataFrame([("a", 1, 2, "x")], columns=["text", "n", "n", "label"])
    assert raw_rows(rows, "text", "label").pairs == (("a", "x"),)


def test_texts_are_no_labels():
    with pytest.raises(ValueError, match="label='text': the column of the texts"):
        raw_rows(frame(("a", "x")), "text", "text")


def test_integers_that_pandas_made_floats_are_integers():
    rows = raw_rows(frame(("a", 3), ("b", None), ("c", 10)), "text", "label")
    assert rows.pairs == (("a", 3), ("c", 10))
    assert head_labels(None, rows.labels()) == (3, 10)


def test_the_order_of_the_rows_does_not_matter():
    rows = frame(("b", "x"), ("a", "y"), ("a", "x"), ("c", "y"))
    found = in_classes(raw_rows(rows, "text", "label"), ("y", "x"))
    turned = in_classes(raw_rows(rows[::-1], "text", "label"), ("y", "x"))
    assert found == turned
    assert list(zip(found.texts, found.classes, strict=True)) == [
        ("a", 0),
        ("c", 0),
        ("a", 1),
        ("b", 1),
    ]


def test_split_takes_a_part_of_each_label_and_leaves_one():
    rows = in_classes(
        raw_rows(frame(*[(f"t{i}", "ab"[i < 20]) for i in range(21)]), "text", "label"),
        ("a", "b"),
    )
    train, held = split(rows, 0.5, seed=0)
    assert (train.classes.count(0), held.classes.count(0)) == (1, 0)
    assert (train.classes.count(1), held.classes.count(1)) == (10, 10)
    assert sorted(train.texts + held.texts) == sorted(rows.texts)
    assert split(rows, 0.5, seed=0) == (train, held)
    assert split(rows, 0.5, seed=1)[1] != held
    with pytest.raises(ValueError, match=r"validation=0.01 of 21 rows"):
        split(rows, 0.01, seed=0)
    with pytest.raises(ValueError, match=r"validation=1\.5"):
        split(rows, 1.5, seed=0)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (frame(("a", "x"), (3, "y")), TypeError, "text='text'"),
        (frame(("a", 1.5), ("b", 2.0)), TypeError, r"label='label': 1.5"),
        (frame(("a", True), ("b", False)), TypeError, "label='label': True"),
        (frame().rename(columns={"label": "y"}), ValueError, "label='label': frame has no such"),
        ([("a", "x")], TypeError, "frame: a list"),
    ],
)
def test_bad_frames(rows, error, message):
    with pytest.raises(error, match=message):
        raw_rows(rows, "text", "label")


def test_labels_in_arrays_and_series():
    for given in (np.array(["x", "y"], object), pd.Index(["x", "y"]), pd.Series(["x", "y"])):
        assert entailment_task(given, {"x"}, "It is {}.").labels == ("x", "y")
    labels = head_labels(np.array([3, 1]), {1})
    assert json.dumps(labels) == "[3, 1]"
    assert head_labels(np.array([0.0, 1.0]), {1}) == (0, 1)
    assert all(isinstance(label, int) for label in head_labels([0.0, 1.0], {1}))


def test_bad_labels():
    with pytest.raises(ValueError, match="1 different labels"):
        entailment_task(None, {"x"}, "It is {}.")
    with pytest.raises(ValueError, match="0 different labels"):
        entailment_task(None, set(), "It is {}.")
    with pytest.raises(ValueError, match=r"labelled \['z'\]"):
        entailment_task(["x", "y"], {"x", "z"}, "It is {}.")
    with pytest.raises(TypeError, match="1 is an integer"):
        entailment_task(None, {1, 2}, "It is {}.")
    with pytest.raises(TypeError, match="strings and integers"):
        head_labels(None, {1, "x"})
    with pytest.raises(ValueError, match="more than once"):
        head_labels(["x", "y", "x"], {"x"})
    with pytest.raises(ValueError, match="blank"):
        head_labels(["x", " "], {"x"})
    for names in ({"entailment", "contradiction"}, {"Entailed", "not entailed"}):
        with pytest.raises(ValueError, match=r"classes of an NLI model.*otherwise"):
            head_labels(None, names)
    for row, place in ((("half \ud83d", "x"), "text"), (("a", "\ud83d"), "label")):
        with pytest.raises(ValueError, match=f"{place}='{place}': .*half a character"):
            raw_rows(pd.DataFrame([row], columns=["text", "label"], dtype=object), "text", "label")
    with pytest.raises(ValueError, match=r"lost digits.*Int64"):
        raw_rows(frame(("a", float(2**53 + 2)), ("b", None)), "text", "label")
    large = pd.array([2**53 + 1, None], "Int64")
    rows = raw_rows(frame(("a", 0), ("b", 0)).assign(label=large), "text", "label")
    assert rows.labels() == {2**53 + 1}
    rows = raw_rows(frame(("a", "x"), ("b", "new")), "text", "label")
    with pytest.raises(ValueError, match=r"validation: rows are labelled \['new'\]"):
        in_classes(rows, ("x", "y"), "validation")


def test_descriptions_are_what_is_said():
    task = entailment_task({"x": "about money", "y": "about travel"}, {"x"}, "It is {}.")
    assert task.labels == ("x", "y")
    assert task.hypotheses[0] == "It is about money."
