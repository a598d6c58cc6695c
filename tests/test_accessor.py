"""The pandas surface: index, missing values, errors, and equality with the engine."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import sparknlp_zs  # noqa: F401
from sparknlp_zs import NLI, Hierarchy, ZeroShot, ZeroShotScores
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.scorer import Scorer
from sparknlp_zs.models import ModelSpec

LABELS = ["travel", "cooking, and more", "{braces}"]
TEXTS = ["the fox", None, "", "My card", "the fox", " ", "😀"]


@pytest.mark.parametrize(
    "index",
    [
        range(10, 17),
        list("aabbccd"),
        pd.date_range("2026-01-01", periods=7),
        pd.MultiIndex.from_product([[1, 2, 3, 4, 5, 6, 7], ["x"]], names=["a", "b"]),
    ],
)
def test_classify_keeps_index_and_equals_engine(tiny, index):
    series = pd.Series(TEXTS, index=index, name="text")
    found = series.zsc.classify(LABELS, model=tiny)
    assert found.index.equals(series.index)
    assert found.columns.tolist() == ["label", "score"]
    expected = load_scorer(tiny).score(ZeroShot(LABELS), [pa.array(TEXTS)]).to_pylist()
    for (label, score), row in zip(found.itertuples(index=False), expected, strict=True):
        if row is None:
            assert pd.isna(label)
            assert np.isnan(score)
        else:
            assert (label, score) == (row["label"], pytest.approx(row["score"], abs=1e-6))


def test_scores_in_fixed_order(tiny):
    series = pd.Series(TEXTS)
    found = series.zsc.scores(LABELS, model=tiny)
    assert found.columns.tolist() == LABELS
    assert found.dtypes.tolist() == [np.dtype("float64")] * 3
    valid = found.dropna()
    assert valid.index.tolist() == [0, 3, 4, 6]
    np.testing.assert_allclose(valid.sum(axis=1), 1.0)
    best = series.zsc.classify(LABELS, model=tiny)
    assert (valid.idxmax(axis=1) == best["label"].dropna()).all()


def test_a_task_as_labels(tiny):
    """It carries every option, and no argument beside it can contradict it."""
    series = pd.Series(TEXTS)
    options = {"hypothesis_template": "Über {}?", "multi_label": True, "model": tiny}
    labels = {label: f"about {label}" for label in LABELS}
    for method, kind in (("classify", ZeroShotScores), ("scores", ZeroShot)):
        score = getattr(series.zsc, method)
        task = kind(labels, "Über {}?", multi_label=True)
        pd.testing.assert_frame_equal(score(task, model=tiny), score(labels, **options))
        for name, value in (("hypothesis_template", "{}"), ("multi_label", False)):
            with pytest.raises(ValueError, match=f"{name}={value!r}: labels is a task"):
                score(task, **{name: value}, model="no/such")


def test_threshold(tiny):
    series = pd.Series(["the fox", "", "My card", None])
    whole = series.zsc.classify(LABELS, model=tiny)
    limits = dict.fromkeys(LABELS, 1.0) | {whole["label"][2]: whole["score"][2]}
    found = series.zsc.classify(LABELS, threshold=limits, model=tiny)
    assert found["score"].equals(whole["score"])
    assert found["label"].fillna("").tolist() == [
        whole["label"][0] if whole["score"][0] >= limits[whole["label"][0]] else "",
        "",
        whole["label"][2],
        "",
    ]
    with pytest.raises(ValueError, match=r"threshold=2: scores"):
        series.zsc.classify(LABELS, threshold=2, model="no/such")


def test_labels_in_a_tree(tiny):
    series = pd.Series(TEXTS, index=list("abcdefg"))
    tree = {"billing": ["refund", "fee"], "travel": {"rail": "trains"}, "other": []}
    task = Hierarchy(tree, "Über {}?", beam=1)
    engine = load_scorer(tiny)
    expected = engine.score(task, [pa.array(TEXTS)]).to_pylist()
    found = series.zsc.classify(task, model=tiny)
    assert found.index.equals(series.index)
    assert found["label"].fillna("").tolist() == [row["label"] if row else "" for row in expected]
    scores = series.zsc.scores(task, model=tiny)
    assert scores.columns.tolist() == list(task.labels)
    assert scores.max(axis=1).fillna(-1).tolist() == pytest.approx(
        found["score"].fillna(-1).tolist()
    )
    plain = series.zsc.classify(tree, hypothesis_template="Über {}?", model=tiny)
    both = series.zsc.annotate(tree=Hierarchy(tree, "Über {}?"), model=tiny)
    pd.testing.assert_frame_equal(both.set_axis(["label", "score"], axis=1), plain, atol=1e-6)
    with pytest.raises(ValueError, match="multi_label=True: labels with children"):
        series.zsc.classify(tree, multi_label=True, model="no/such")


def test_nli(tiny):
    frame = pd.DataFrame({"p": ["a man", None, "x"], "h": ["a", "b", ""]}, index=[5, 6, 7])
    found = frame.zsc.nli("p", "h", model=ModelSpec(str(tiny)))
    columns = ["label", "score", "entailment", "neutral", "contradiction"]
    assert found.columns.tolist() == columns
    assert found.index.tolist() == [5, 6, 7]
    assert found["label"].isna().tolist() == [False, True, True]
    assert found.iloc[0][columns[2:]].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("long_text", ["truncate", "chunk"])
def test_nli_of_a_hypothesis_that_is_too_long(tiny, long_text):
    """Row in, row out."""
    frame = pd.DataFrame({"p": ["a man", "the fox", None], "h": ["a", "fox " * 500, "x"]})
    found = frame.zsc.nli("p", "h", long_text=long_text, model=tiny)
    assert found["label"].isna().tolist() == [False, False, True]
    columns = [pa.array(frame["p"][1:2]), pa.array(frame["h"][1:2])]
    expected = load_scorer(tiny).score(NLI(long_text=long_text), columns)[0].as_py()
    assert found["score"][1] == pytest.approx(expected["score"], abs=1e-6)
    pd.testing.assert_frame_equal(found[:1], frame[:1].zsc.nli("p", "h", model=tiny), atol=1e-6)


@pytest.mark.parametrize("dtype", ["object", "str", "string", "category", "string[pyarrow]"])
def test_text_dtypes(tiny, dtype):
    expected = pd.Series(TEXTS, dtype="object").zsc.scores(LABELS, model=tiny)
    found = pd.Series(TEXTS, dtype=dtype).zsc.scores(LABELS, model=tiny)
    pd.testing.assert_frame_equal(found, expected)


def test_arrow_categories_are_texts(tiny):
    """As ``read_parquet(dtype_backend="pyarrow")`` makes them of categories."""
    kind = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    series = pd.Series(pa.array(TEXTS).dictionary_encode(), dtype=kind)
    expected = pd.Series(TEXTS, dtype="object").zsc.scores(LABELS, model=tiny)
    pd.testing.assert_frame_equal(series.zsc.scores(LABELS, model=tiny), expected)


def test_other_texts(tiny):
    """Missing values that pandas tells from texts, and a sparse Series."""
    expected = pd.Series(["the fox", None]).zsc.scores(LABELS, model=tiny)
    values = [["the fox", pd.NaT], ["the fox", Decimal("NaN")]]
    for series in [pd.Series(x, dtype=object) for x in values] + [
        pd.Series(["the fox", None], dtype=object).astype(pd.SparseDtype(object))
    ]:
        pd.testing.assert_frame_equal(series.zsc.scores(LABELS, model=tiny), expected)


def test_no_rows_and_nothing_but_missing(tiny):
    empty = pd.Series([], dtype="str").zsc.classify(LABELS, model=tiny)
    assert empty.shape == (0, 2)
    missing = pd.Series([None, np.nan, pd.NA], dtype="object").zsc.classify(LABELS, model=tiny)
    assert missing.isna().all(axis=None)
    assert missing.shape == (3, 2)


@pytest.mark.parametrize("values", [[1, 2], [1.5], [b"x"], [["a"]], ["a", 3], [True]])
def test_series_that_is_not_text(tiny, values):
    with pytest.raises(TypeError, match=r"'column' is not text but .*astype"):
        pd.Series(values, name="column").zsc.classify(LABELS, model=tiny)


def test_half_a_character(tiny):
    cut = pd.Series(["a", None, "cut emoji \ud83d"], name="column", dtype=object)
    with pytest.raises(ValueError, match=r"'column': row 2 .* half a character"):
        cut.zsc.classify(LABELS, model=tiny)
    with pytest.raises(ValueError, match=r"labels: .*half a character"):
        pd.Series(["a"]).zsc.classify(["travel", "\ud83d"], model=tiny)


def test_category_that_is_not_text(tiny):
    with pytest.raises(TypeError, match="not text but"):
        pd.Series([1, None, 2], dtype="category").zsc.classify(LABELS, model=tiny)


def test_annotate(tiny):
    series = pd.Series(["the fox", None, "My card", " "], index=["a", "b", "b", "c"])
    topic = ZeroShot(LABELS, "Über {}?")
    scores = ZeroShotScores(["x", "y"], multi_label=True)
    found = series.zsc.annotate({"a b": scores}, topic=topic, model=tiny)
    assert found.columns.tolist() == ["a b_x", "a b_y", "topic", "topic_score"]
    expected = series.zsc.classify(LABELS, hypothesis_template="Über {}?", model=tiny)
    expected = expected.set_axis(["topic", "topic_score"], axis=1)
    pd.testing.assert_frame_equal(found[["topic", "topic_score"]], expected, atol=1e-6)
    expected = series.zsc.scores(["x", "y"], multi_label=True, model=tiny)
    pd.testing.assert_frame_equal(found[["a b_x", "a b_y"]].set_axis(["x", "y"], axis=1), expected)
    with pytest.raises(ValueError, match=r"more than one column would be named \['a_score'\]"):
        series.zsc.annotate(a=topic, a_score=topic, model="no/such")
    with pytest.raises(TypeError, match=r"pair=NLI\(.*\): takes premise"):
        series.zsc.annotate(pair=NLI(), model="no/such")


def test_wrong_arguments_fail_before_the_model_is_looked_for():
    series = pd.Series(["a"])
    with pytest.raises(ValueError, match="at least one"):
        series.zsc.classify([], model="no/such")
    with pytest.raises(ValueError, match="hypothesis_template="):
        series.zsc.scores(["a"], hypothesis_template="no", model="no/such")
    with pytest.raises(KeyError, match=r"hypothesis='h'.*\['p'\]"):
        pd.DataFrame({"p": ["a"]}).zsc.nli("p", "h", model="no/such")


def test_several_columns_of_one_name():
    frame = pd.DataFrame([("a", "b", "c")], columns=["p", "h", "p"])
    with pytest.raises(ValueError, match="premise='p': more than one column has this name; rename"):
        frame.zsc.nli("p", "h", model="no/such")
    with pytest.raises(AttributeError, match=r"classify is for a Series.* named \['p'\]: rename"):
        frame["p"].zsc.classify(LABELS, model="no/such")


def test_what_is_for_a_series():
    frame = pd.DataFrame({"text": ["a"]})
    with pytest.raises(AttributeError, match=r"take one column, such as df\['text'\]\.zsc\.scores"):
        frame.zsc.scores(LABELS)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = frame.zsc.nothing


def test_a_text_is_scored_once(tiny, monkeypatch):
    """However many labels there are, and so however few rows are scored together."""
    labels = [f"label {i}" for i in range(40)]
    texts = pd.Series([f"text {i % 7}" for i in range(1200)], index=range(1200, 0, -1))
    expected = texts[:7].zsc.classify(labels, model=tiny)
    seen = []
    stream = Scorer.score_stream

    def watched(self, task, batches, window_rows):
        batches = list(batches)
        seen.append(sum(len(columns[0]) for columns in batches))
        return stream(self, task, iter(batches), window_rows)

    monkeypatch.setattr(Scorer, "score_stream", watched)
    found = texts.zsc.classify(labels, model=tiny)
    assert seen == [7]
    assert found.index.equals(texts.index)
    assert (
        found["label"].tolist() == expected["label"].tolist() * 171 + expected["label"][:3].tolist()
    )
    pairs = pd.DataFrame({"a": ["x", "y", "x", None], "b": ["y", "x", "y", "y"]})
    nli = pairs.zsc.nli("a", "b", model=tiny)
    assert seen == [7, 3]
    assert nli.iloc[0].equals(nli.iloc[2])
    assert nli["label"].isna().tolist() == [False, False, False, True]


def test_progress_bar_on_long_work_only(tiny, capsys):
    short = pd.Series(["a"])
    long = pd.Series([f"text {i}" for i in range(300)])
    short.zsc.classify(LABELS, model=tiny)
    long.zsc.classify(LABELS, model=tiny, progress=False)
    assert "row" not in capsys.readouterr().err
    long.zsc.classify(LABELS, model=tiny)
    assert "300/300" in capsys.readouterr().err


def test_import_is_light():
    code = (
        "import sys, sparknlp_zs; "
        "print([x for x in ('torch', 'transformers', 'pyspark') if x in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
