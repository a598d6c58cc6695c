"""Long texts in chunks: every surface gives the engine's scores."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from surface_rows import LABELS

from sparknlp_zs import spark as zs
from sparknlp_zs.cli import main
from sparknlp_zs.engine.loading import load_scorer

ROWS = ["the fox", "My card was stolen, " * 90 + "the end", None, " ", "the fox"]
MEAN = zs.Chunks(overlap=5, pool="mean")


@pytest.fixture(scope="module")
def expected(tiny):
    """The engine's values by surface, one per row; the long text's differ from the cut text's."""
    scorer, texts = load_scorer(tiny), pa.array(ROWS)

    def by(make, columns, long_text):
        found, cut = (scorer.score(make(x), columns).to_pylist() for x in (long_text, "truncate"))
        score = "score" if "score" in found[1] else LABELS[0]
        assert abs(found[1][score] - cut[1][score]) > 1e-3
        return found

    return {
        "classify": by(lambda x: zs.ZeroShot(LABELS, long_text=x), [texts], "chunk"),
        "scores": by(lambda x: zs.ZeroShotScores(LABELS, long_text=x), [texts], MEAN),
        "nli": by(lambda x: zs.NLI(long_text=x), [texts, pa.array(["a card"] * 5)], "chunk"),
    }


def same(found, expected):
    """Rows of scores that are equal within the tolerance."""
    assert [row is None for row in found] == [row is None for row in expected]
    for a, b in zip(found, expected, strict=True):
        if b is not None:
            for name, value in b.items():
                number = isinstance(value, (float, list)) and name != "labels"
                assert a[name] == (pytest.approx(value, abs=1e-6) if number else value)


def test_spark(spark, tiny, expected):
    df = spark.createDataFrame(
        [(i, x, LABELS) for i, x in enumerate(ROWS)], "i int, text string, labels array<string>"
    )
    stage = zs.NLIScorer(
        premiseCol="text", hypothesisCol="h", outputCol="stage", longText="chunk", model=tiny
    )
    df = stage.transform(df.selectExpr("*", "'a card' AS h")).select(
        "i",
        "stage",
        zs.classify("text", LABELS, long_text="chunk", model=tiny).alias("classify"),
        zs.classify("text", df["labels"], long_text="chunk", model=tiny).alias("by_row"),
        zs.scores("text", LABELS, long_text=MEAN, model=tiny).alias("scores"),
        zs.nli("text", "h", long_text="chunk", model=tiny).alias("nli"),
    )
    rows = [row.asDict(recursive=True) for row in sorted(df.collect(), key=lambda row: row["i"])]
    names = {"by_row": "classify", "stage": "nli"}
    for name in ("classify", "by_row", "scores", "nli", "stage"):
        same([row[name] for row in rows], expected[names.get(name, name)])


def test_pandas(tiny, expected):
    df = pd.DataFrame({"text": ROWS, "h": "a card"})
    found = {
        "classify": df["text"].zsc.classify(LABELS, long_text="chunk", model=tiny),
        "scores": df["text"].zsc.scores(LABELS, long_text=MEAN, model=tiny),
        "nli": df.zsc.nli("text", "h", long_text="chunk", model=tiny),
    }
    for name, frame in found.items():
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        fields = list(frame.columns)
        same(
            [row if row[fields[0]] is not None else None for row in rows],
            [row and {field: row[field] for field in fields} for row in expected[name]],
        )


def test_command_line(tiny, expected, tmp_path):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pd.DataFrame({"text": ROWS}).to_parquet(source)
    command = ["classify", str(source), "--text", "text", "--output", str(target)]
    for label in LABELS:
        command += ["--label", label]
    assert main([*command, "--long-text", "chunk", "--model", str(tiny), "--no-progress"]) == 0
    found = pd.read_parquet(target)["score"].tolist()
    assert found[1] == pytest.approx(expected["classify"][1]["score"], abs=1e-6)
