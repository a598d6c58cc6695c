"""Labels chosen by their meaning, on the workers: shipped with the model, equal to pandas."""

from __future__ import annotations

import zipfile

import pandas as pd
import pyarrow as pa
import pytest

from sparknlp_zs import spark as zs
from sparknlp_zs.embedders import spec_for
from sparknlp_zs.engine.combined import with_embedder
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.prepared import hash_of
from sparknlp_zs.models import ModelSpec, model_spec
from sparknlp_zs.spark import shipping
from sparknlp_zs.spark.arrays import array_udf
from sparknlp_zs.spark.functions import task_udf
from sparknlp_zs.spark.shipping import SHIPPING, ship

LABELS = {f"label {i}": f"about {said}" for i, said in enumerate("abcdefgh")}
ROWS = ["My card was stolen!", None, "the fox", " ", "travel", "the fox", "a b c " * 40]
TASK = zs.ZeroShot(LABELS, prefilter=3)


@pytest.fixture
def model(tiny_models):
    return ModelSpec(str(tiny_models["bert"]), embedder=tiny_models["distilbert"])


def frame(spark):
    return spark.createDataFrame(list(enumerate(ROWS)), "i int, text string").repartition(2)


@pytest.mark.parametrize("way", ["archive", "other"])
def test_equals_pandas(spark, model, way):
    texts = pd.Series(ROWS)
    best = texts.zsc.classify(LABELS, prefilter=3, model=model)
    scores = texts.zsc.scores(LABELS, prefilter=3, model=model)
    connect = "connect" in type(spark).__module__
    spark.conf.set(SHIPPING, way if way == "archive" else "path" if connect else "broadcast")
    try:
        scored = zs.transform(frame(spark), "text", t=TASK, model=model).withColumns(
            {
                "c": zs.classify("text", LABELS, prefilter=3, model=model),
                "s": zs.scores("text", LABELS, prefilter=3, model=model),
            }
        )
        found = sorted(scored.collect(), key=lambda row: row["i"])
    finally:
        spark.conf.unset(SHIPPING)
    for row in found:
        at = row["i"]
        if pd.isna(best["label"][at]):
            assert row["t"] is None
            assert row["c"] is None
            assert row["s"] is None
            continue
        assert row["t"]["label"] == row["c"]["label"] == best["label"][at]
        assert row["t"]["score"] == pytest.approx(best["score"][at], abs=1e-6)
        assert row["c"]["scores"] == pytest.approx(row["t"]["scores"], abs=1e-6)
        assert len(row["c"]["labels"]) == 3
        assert row["s"].asDict() == pytest.approx(scores.loc[at].to_dict(), abs=1e-6)


def test_archive_holds_the_embedder(connect, model):
    shipped = ship(connect, model)
    packed = shipping.cache_folder() / "archives" / f"{shipped.archive}.zip"
    names = zipfile.ZipFile(packed).namelist()
    assert {"embedder/model.safetensors", "embedder/zs_embedding.json"} < set(names)
    assert {"model.safetensors", "config.json"} < set(names)
    described = {name.rpartition("described/")[0] for name in names if "described/" in name}
    assert described == {"", "embedder/"}
    assert shipped.archive != ship(connect, model_spec(model.model)).archive


def test_unpacked_archive_scores_alike(model, tiny, tmp_path):
    """What a worker loads, without the driver's cache and links."""
    folder = with_embedder(tiny, model, "float32")
    with zipfile.ZipFile(shipping._zipped(folder, hash_of(folder))) as packed:
        packed.extractall(tmp_path)
    assert hash_of(tmp_path) == hash_of(folder)
    found, expected = (
        load_scorer(place, token_budget=2048).score(TASK, [pa.array(ROWS)])
        for place in (tmp_path, folder)
    )
    assert found.equals(expected)
    assert found.null_count == 2


def test_refused_before_a_job(classic, model, tiny, monkeypatch):
    from pyspark.sql import functions as F

    labels = F.array(F.lit("a"), F.lit("b"))
    with pytest.raises(ValueError, match=r"prefilter=1.*differ by row"):
        zs.classify("text", labels, prefilter=1, model=model)
    shipped = ship(classic, model_spec(tiny))
    for make in (task_udf, array_udf):
        with pytest.raises(ValueError, match=r"no embedder.*embedder="):
            make(TASK, shipped)
    monkeypatch.setattr("sparknlp_zs.embedders._MODULE", "no_such_module")
    for call in (
        lambda: zs.classify("text", LABELS, prefilter=3, model=tiny),
        lambda: zs.annotate("text", t=TASK, model=tiny),
        lambda: zs.transform(frame(classic), "text", t=TASK, model=tiny),
    ):
        with pytest.raises(FileNotFoundError, match=r"sparknlp_zs\[prefilter\]"):
            call()
    assert spec_for(TASK, model) == model
