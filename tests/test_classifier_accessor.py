"""Trained classifiers on the pandas surface: the engine's scores, index, missing values, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tiny_models import make_model

from sparknlp_zs import ModelNotFoundError, ModelSpec
from sparknlp_zs.classifiers import read_classifier
from sparknlp_zs.engine.loading import load_scorer

TEXTS = ["the fox", None, "", "My card was stolen", "the fox", " ", "😀", np.nan]
INDEX = pd.Index(list("aabbccdd"))


def expected(folder):
    texts = [None if text is np.nan else text for text in TEXTS]
    rows = load_scorer(folder).score(read_classifier(folder), [pa.array(texts)]).to_pylist()
    assert [row is not None for row in rows] == [True, False, False, True, True, False, True, False]
    return rows


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_predict(moods, dtype):
    found = pd.Series(TEXTS, index=INDEX, dtype=dtype).zsc.predict(moods)
    rows = expected(moods)
    assert found.columns.tolist() == ["label", "score"]
    assert found.index.equals(INDEX)
    assert found["label"].isna().tolist() == [row is None for row in rows]
    labels = [row and row["label"] for row in rows]
    assert found["label"].astype(object).where(found["label"].notna(), None).tolist() == labels
    np.testing.assert_allclose(found["score"], [row["score"] if row else np.nan for row in rows])


def test_predict_scores(moods):
    found = pd.Series(TEXTS, index=INDEX).zsc.predict_scores(str(moods))
    assert found.columns.tolist() == ["sad", "neutral", "glad"]
    assert found.index.equals(INDEX)
    for scores, row in zip(found.itertuples(index=False), expected(moods), strict=True):
        by_class = dict(zip(row["labels"], row["scores"], strict=True)) if row else {}
        values = [by_class.get(name, np.nan) for name in found.columns]
        np.testing.assert_allclose(list(scores), values, atol=1e-6)


def test_no_rows_and_no_text(moods):
    assert pd.Series([], dtype="str").zsc.predict(moods).shape == (0, 2)
    assert pd.Series([None, ""]).zsc.predict(moods)["score"].isna().all()


def test_spec_is_used(moods):
    texts = pd.Series(["the fox", "My card was stolen yesterday; I cannot pay"])
    exact = texts.zsc.predict_scores(moods)
    half = texts.zsc.predict_scores(ModelSpec(str(moods), dtype="bfloat16"))
    short = texts.zsc.predict_scores(ModelSpec(str(moods), max_length=8))
    assert 0 < (half - exact).abs().max().max() < 0.1
    assert short.loc[0].tolist() == pytest.approx(exact.loc[0].tolist(), abs=1e-6)
    assert (short.loc[1] - exact.loc[1]).abs().max() > 1e-3


def test_retrained_in_place(tmp_path):
    """A folder that is written anew is loaded anew, with its new classes."""
    texts, folder = pd.Series(["the fox"]), tmp_path / "model"
    make_model("bert", folder, ("a", "b", "c"))
    assert texts.zsc.predict_scores(folder).columns.tolist() == ["a", "b", "c"]
    make_model("bert", folder, ("x", "y"))
    assert texts.zsc.predict(folder)["label"].item() in ("x", "y")


def test_errors(moods, tiny):
    texts = pd.Series(["the fox"])
    with pytest.raises(ValueError, match=r"names no entailment class.* predict\(\)"):
        texts.zsc.classify(["a"], model=moods)
    with pytest.raises(ValueError, match=r"an NLI model.* classify\(\)"):
        texts.zsc.predict(tiny)
    with pytest.raises(TypeError, match="is not text but integer"):
        pd.Series([1]).zsc.predict(moods)
    with pytest.raises(ModelNotFoundError, match="no such folder"):
        texts.zsc.predict("./nowhere")
