"""Labels that differ by row, in pandas: each row's result is that of its labels alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import sparknlp_zs  # noqa: F401  (registers the accessor)

TEXTS = pd.Series(["the fox", None, "", "travel", "the fox", "a", "b"], index=list("tuvwxyz"))
LISTS = [["a", "b"], ["a", "b"], ["a"], ("b", "a"), np.array(["one"], object), [], None]
DICTS = [{"a": "x y", "b": "z"}, {"a": "b"}, None, {"b": "x y"}, ["a", "b"], {}, float("nan")]


def series(values):
    return pd.Series(values, index=TEXTS.index, dtype=object)


@pytest.mark.parametrize("values", [LISTS, DICTS], ids=["lists", "dicts"])
@pytest.mark.parametrize("options", [{}, {"multi_label": True, "hypothesis_template": "{}!"}])
def test_equal_to_each_row_by_itself(tiny, values, options):
    found = TEXTS.zsc.classify(series(values), model=tiny, **options)
    assert found.index.equals(TEXTS.index)
    for at, labels in enumerate(values):
        row = found.iloc[at]
        if isinstance(labels, float) or labels is None or not len(labels):
            assert row.isna().all()
            continue
        labels = labels if isinstance(labels, dict) else list(labels)
        alone = TEXTS.iloc[[at]].zsc.classify(labels, model=tiny, **options).iloc[0]
        assert row.isna().tolist() == alone.isna().tolist()
        if not row.isna().any():
            assert row["label"] == alone["label"]
            assert row["score"] == pytest.approx(alone["score"], abs=1e-6)


def test_a_threshold_abstains(tiny):
    labels = series([["a", "b"]] * len(TEXTS))
    found = TEXTS.zsc.classify(labels, model=tiny, threshold=1.0)
    assert found["label"].isna().all()
    assert found["score"].notna().sum() == 5


def test_no_rows(tiny):
    none = pd.Series([], dtype=object)
    assert none.zsc.classify(none, model=tiny).columns.tolist() == ["label", "score"]


def test_names_for_all_rows_may_come_as_a_series(tiny):
    found = TEXTS.zsc.classify(pd.Series(["a", "b"]), model=tiny)
    pd.testing.assert_frame_equal(found, TEXTS.zsc.classify(["a", "b"], model=tiny))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (pd.Series([["a", "b"]] * 7), ValueError, r"index is not that of the 7 texts.*reindex"),
        (series([["a"]] * 6 + [[1]]), TypeError, r"labels: 1 in \[1\] of a row is a int"),
        (series([["a"]] * 6 + [{"a": None}]), TypeError, "labels: None in .* is a NoneType"),
        (series([["a"]] * 6 + [3]), TypeError, "labels: 3 is the value of a row; pass lists"),
        (series([["a"]] * 6 + [["a", "a"]]), ValueError, "of a row: .*more than once"),
        (series([["a"]] * 6 + ["b"]), TypeError, r"labels: 'b' .* others have lists; pass \['b'\]"),
        (series([["a"]] * 6 + [[chr(0xD83D)]]), ValueError, "labels: .* half a character"),
        (series([["a"]] * 6 + [[" "]]), ValueError, "labels: ' ' is blank"),
    ],
)
def test_wrong_labels(tiny, labels, error, message):
    with pytest.raises(error, match=message):
        TEXTS.zsc.classify(labels, model=tiny)


def test_wrong_labels_of_the_last_row_fail_before_any_is_scored(tiny, monkeypatch):
    monkeypatch.setattr("sparknlp_zs.accessor_row_labels.scored", None)
    with pytest.raises(ValueError, match="more than once"):
        TEXTS.zsc.classify(series([["a", "b"]] * 6 + [["a", "a"]]), model=tiny)


@pytest.mark.parametrize("kind", [list, np.array, pd.Index, pd.Series, pd.array, pd.Categorical])
def test_kinds_of_lists(tiny, kind):
    lists = [["a", "b"], ["b", "c"]] * 3 + [["a"]]
    found = TEXTS.zsc.classify(series([kind(x) for x in lists]), model=tiny)
    pd.testing.assert_frame_equal(found, TEXTS.zsc.classify(series(lists), model=tiny))


def test_labels_in_groups_and_in_arrow_maps(tiny):
    frame = pd.DataFrame({"key": [1, 1, 2], "label": ["a", "b", "a"]})
    texts = pd.Series(["the fox", "travel"], index=pd.Index([1, 2], name="key"))
    groups = frame.groupby("key")["label"].unique()
    expected = texts.zsc.classify(pd.Series([["a", "b"], ["a"]], texts.index), model=tiny)
    pd.testing.assert_frame_equal(texts.zsc.classify(groups, model=tiny), expected)
    dicts = [{"a": "x y", "b": "z"}, {"b": "x"}]
    kind = pd.ArrowDtype(pa.map_(pa.string(), pa.string()))
    maps = pd.Series(dicts, texts.index).map(lambda x: list(x.items())).astype(kind)
    expected = texts.zsc.classify(pd.Series(dicts, texts.index), model=tiny)
    pd.testing.assert_frame_equal(texts.zsc.classify(maps, model=tiny), expected)


def test_scores_takes_no_labels_by_row(tiny):
    with pytest.raises(
        TypeError, match=r"labels: a Series of labels for each row; .* use classify"
    ):
        TEXTS.zsc.scores(series([["a", "b"]] * 7), model=tiny)


def test_prefilter_is_refused(tiny):
    with pytest.raises(ValueError, match="prefilter=1: chooses among labels that all rows share"):
        TEXTS.zsc.classify(series([["a"]] * 7), model=tiny, prefilter=1)
