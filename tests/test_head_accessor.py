"""Task heads on the pandas surface: equality with the engine, index, missing values, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tiny_adapters import NAMES, make_adapter, stock_logits

from sparknlp_zs import ModelNotFoundError, ModelSpec, TaskHead, ZeroShot, adapter_tasks
from sparknlp_zs.tasks import HeadTask

TEXTS = ["the fox", None, "", "My card", "the fox", " ", "😀"]
INDEX = pd.Index(list("aabbccd"))


@pytest.fixture
def model(tiny_heads):
    return tiny_heads


def assert_classes(found, expected, labels):
    assert found.index.equals(INDEX)
    for (label, score), logits in zip(found.itertuples(index=False), expected, strict=True):
        if logits is None:
            assert pd.isna(label)
            assert np.isnan(score)
        else:
            scores = logits.softmax(-1)
            assert label == labels[int(scores.argmax())]
            assert score == pytest.approx(scores.max().item(), abs=1e-5)


def by_stock(model, name, *columns):
    rows = [all(x and x.strip() for x in row) for row in zip(*columns, strict=True)]
    kept = [[x for x, ok in zip(column, rows, strict=True) if ok] for column in columns]
    logits = iter(stock_logits(model, name, *kept))
    return [next(logits) if ok else None for ok in rows]


def test_single_texts(model):
    found = pd.Series(TEXTS, index=INDEX).zsc.task("glue/sst2", model=model)
    assert_classes(found, by_stock(model, "glue/sst2", TEXTS), ["negative", "positive"])
    frame = pd.DataFrame({"t": TEXTS}, index=INDEX).zsc.task("glue/sst2", "t", model=model)
    pd.testing.assert_frame_equal(frame, found)


def test_heads_among_the_tasks_of_annotate(model):
    topic = ZeroShot(["travel", "cooking"])
    series = pd.Series(TEXTS, index=INDEX)
    found = series.zsc.annotate(topic=topic, mood=TaskHead("glue/sst2"), model=model)
    expected = {
        "topic": series.zsc.classify(topic.labels, model=model),
        "mood": series.zsc.task("glue/sst2", model=model),
    }
    for name, alone in expected.items():
        alone = alone.set_axis([name, f"{name}_score"], axis=1)
        pd.testing.assert_frame_equal(found[alone.columns], alone, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="'glue/nope'"):
        series.zsc.annotate(mood=TaskHead("glue/nope"), model=model)
    with pytest.raises(TypeError, match=r"mood=TaskHead.*: takes text, text_pair"):
        series.zsc.annotate(mood=TaskHead("glue/rte", columns=("text", "text_pair")), model=model)
    with pytest.raises(TypeError, match="pass a task head by its name"):
        series.zsc.annotate(mood=HeadTask(adapter_tasks(model)[1]), model=model)


def test_pairs_and_regression(model):
    pairs = ["a", "b", "c", None, "a dog", "x", "y"]
    df = pd.DataFrame({"a": TEXTS, "b": pairs}, index=INDEX)
    expected = by_stock(model, "glue/rte", TEXTS, pairs)
    found = df.zsc.task("glue/rte", "a", "b", model=model)
    assert_classes(found, expected, ["entailment", "not_entailment"])
    found = df.zsc.task("glue/stsb", "a", "b", model=model)
    assert found["label"].isna().all()
    values = [np.nan if x is None else x.item() for x in by_stock(model, "glue/stsb", TEXTS, pairs)]
    np.testing.assert_allclose(found["score"], values, atol=1e-5)


@pytest.mark.parametrize("arrow", [False, True])
def test_choices(model, arrow):
    choices = [["jumps", "cooks"], ["a"], ["a"], ["stolen", "dog", "x"], None, [], ["a", None]]
    column = pd.Series(choices, index=INDEX)
    if arrow:
        column = column.astype(pd.ArrowDtype(pa.list_(pa.string())))
    df = pd.DataFrame({"t": TEXTS, "c": column}, index=INDEX)
    found = df.zsc.task("swag/regular", "t", choices="c", model=model)
    assert found["label"].notna().tolist() == [True, False, False, True, False, False, False]
    for at in (0, 3):
        options = choices[at]
        logits = stock_logits(model, "swag/regular", [TEXTS[at]] * len(options), options)[:, 0]
        scores = logits.softmax(0)
        assert found["label"].iloc[at] == options[int(scores.argmax())]
        assert found["score"].iloc[at] == pytest.approx(scores.max().item(), abs=1e-5)


def test_no_rows(model):
    empty = pd.DataFrame({"t": pd.Series([], dtype="str"), "c": []})
    assert empty["t"].zsc.task("glue/sst2", model=model).shape == (0, 2)
    assert empty.zsc.task("swag/regular", "t", choices="c", model=model).shape == (0, 2)


def test_explicit_adapter_and_dtype(model, tiny_models, tmp_path):
    adapter = make_adapter(tmp_path / "elsewhere")
    spec = ModelSpec(str(tiny_models["deberta-v2"]), adapter=str(adapter))
    series = pd.Series(TEXTS, index=INDEX)
    expected = series.zsc.task("glue/sst2", model=model)
    pd.testing.assert_frame_equal(series.zsc.task("glue/sst2", model=spec), expected, atol=1e-6)
    plain = series.zsc.scores(["x", "y"], model=tiny_models["deberta-v2"])
    pd.testing.assert_frame_equal(series.zsc.scores(["x", "y"], model=spec), plain, atol=1e-6)
    half = ModelSpec(str(model), dtype="bfloat16")
    found = series.zsc.task("glue/sst2", model=half).dropna()["score"]
    assert np.isfinite(found).all()
    assert (found != expected.dropna()["score"]).any()


def test_listing(model):
    found = pd.Series(["x"]).zsc.tasks(model)
    assert found["name"].tolist() == NAMES
    assert found.columns.tolist() == ["name", "index", "outputs", "kind", "labels"]
    sentiment = pd.DataFrame().zsc.tasks(model, search="positive")
    assert sentiment.loc[0, ["name", "labels"]].tolist() == ["glue/sst2", ("negative", "positive")]
    assert pd.DataFrame().zsc.tasks(model, search="no such").empty


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda df, m: df["t"].zsc.task("glue/sst-2", model=m), ValueError, "similar names are"),
        (lambda df, m: df["t"].zsc.task("swag/regular", model=m), ValueError, "pass choices"),
        (lambda df, m: df.zsc.task("glue/rte", "t", "no", model=m), KeyError, "text_pair='no'"),
        (lambda df, m: df["n"].zsc.task("glue/sst2", model=m), TypeError, "'n' is not text"),
        (
            lambda df, m: df.zsc.task("swag/regular", "t", choices="t", model=m),
            TypeError,
            "'t' has str values; choices are lists",
        ),
        (
            lambda df, m: df.zsc.task("swag/regular", "t", choices="numbers", model=m),
            TypeError,
            "'numbers' has lists of int values",
        ),
        (
            lambda df, m: df.zsc.task("swag/regular", "t", "t", choices="c", model=m),
            ValueError,
            "pass one of them",
        ),
        (
            lambda df, m: df["t"].zsc.task("glue/sst2", model="starter"),
            ModelNotFoundError,
            "model='starter': it has no adapter",
        ),
    ],
)
def test_errors(model, call, error, message):
    df = pd.DataFrame({"t": ["a"], "n": [1], "c": [["a"]], "numbers": [[1, 2]]})
    with pytest.raises(error, match=message):
        call(df, model)
