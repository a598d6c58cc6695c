"""Every surface, as a function that scores the shared rows; also a script, for local-cluster.

A function takes a session and a model's folder, and gives one JSON value per row, in row order.
``expected`` gives the engine's values for it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from surface_rows import HYPOTHESES, LABELS, ROWS

import sparknlp_zs
from sparknlp_zs import spark as zs
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.spark.versions import is_before_4
from sparknlp_zs.tasks import Annotation, RowLabels, RowLabelScores, Task

TEMPLATE = "Über {}?"
SETS = [LABELS, ["one"], None, [], ["b", "a"]]
ROW_LABELS = [SETS[i % 7 % 5] for i in range(len(ROWS))]
FLAGS = [i % 3 == 0 for i in range(len(ROWS))]
SCHEMA = "i int, text string, hypothesis string, labels array<string>, multi boolean"

RANKED = zs.ZeroShot(LABELS)
MULTI = zs.ZeroShotScores(LABELS, TEMPLATE, multi_label=True)
TASKS = {"topic": RANKED, "all": MULTI}
TREE = zs.Hierarchy(
    {"a": ["x", "y"], "b": {"z": ["1", "2"]}, "c": []}, ["{}!", TEMPLATE], 1, threshold=0.25
)


def frame(spark: Any) -> Any:
    """The shared rows, in three partitions."""
    rows = zip(range(len(ROWS)), ROWS, HYPOTHESES, ROW_LABELS, FLAGS, strict=True)
    return spark.createDataFrame(list(rows), SCHEMA).repartition(3)


def collected(scored: Any, *columns: str) -> list[Any]:
    """The columns' values by ``i``; each row exactly once."""
    rows = sorted(scored.collect(), key=lambda row: row["i"])
    assert [row["i"] for row in rows] == list(range(len(ROWS)))
    found = [[plain(row[name]) for name in columns] for row in rows]
    return [row[0] for row in found] if len(columns) == 1 else found


def plain(value: Any) -> Any:
    """Rows as dicts, vectors as lists, maps sorted (classic Spark does not keep their order)."""
    if hasattr(value, "asDict"):
        return value.asDict(recursive=True)
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    return value.toArray().tolist() if hasattr(value, "toArray") else value


def classify(spark: Any, model: Path) -> list[Any]:
    column = zs.classify("text", LABELS, model=model)
    return collected(frame(spark).withColumn("found", column), "found")


def scores(spark: Any, model: Path) -> list[Any]:
    column = zs.scores("text", LABELS, hypothesis_template=TEMPLATE, multi_label=True, model=model)
    return collected(frame(spark).withColumn("found", column), "found")


def tree(spark: Any, model: Path) -> list[Any]:
    """Labels in a tree, with templates, a threshold, and rows of different lengths."""
    column = zs.classify("text", TREE, model=model)
    return collected(frame(spark).withColumn("found", column), "found")


def nli(spark: Any, model: Path) -> list[Any]:
    column = zs.nli("text", "hypothesis", model=model)
    return collected(frame(spark).withColumn("found", column), "found")


def row_labels(spark: Any, model: Path) -> list[Any]:
    rows = frame(spark)
    column = zs.classify("text", rows["labels"], hypothesis_template=TEMPLATE, model=model)
    return collected(rows.withColumn("found", column), "found")


def described_rows(spark: Any, model: Path) -> list[Any]:
    from pyspark.sql import functions as F

    rows = frame(spark)
    said = F.transform(rows["labels"], lambda label: F.concat(F.lit("about "), label))
    column = zs.classify("text", rows["labels"], descriptions=said, model=model)
    return collected(rows.withColumn("found", column), "found")


def annotate(spark: Any, model: Path) -> list[Any]:
    column = zs.annotate("text", TASKS, model=model)
    return collected(frame(spark).withColumn("found", column), "found")


def transform(spark: Any, model: Path) -> list[Any]:
    scored = zs.transform(frame(spark), "text", TASKS, model=model)
    return collected(scored, "topic", "all")


def _sql(spark: Any, model: Path, expression: str) -> list[Any]:
    zs.register(spark, model=model)
    frame(spark).createOrReplaceTempView("rows")
    found = collected(spark.sql(f"SELECT i, {expression} AS found FROM rows"), "found")
    return [sql_value(value) for value in found]


def sql_value(value: Any) -> Any:
    """Null for a struct of nulls, which Spark 3's SQL gives in its place."""
    nulls = isinstance(value, dict) and all(x is None for x in value.values())
    return None if nulls and is_before_4() else value


def sql_classify(spark: Any, model: Path) -> list[Any]:
    return _sql(spark, model, "zs_classify(text, labels, multi)")


def sql_scores(spark: Any, model: Path) -> list[Any]:
    return _sql(spark, model, "zs_scores(text, labels, false)")


def sql_nli(spark: Any, model: Path) -> list[Any]:
    return _sql(spark, model, "zs_nli(text, hypothesis)")


def ml_classifier(spark: Any, model: Path) -> list[Any]:
    stage = zs.ZeroShotClassifier(
        inputCol="text", labels=LABELS, predictedLabelCol="label", model=model
    )
    return collected(stage.transform(frame(spark)), "prediction", "probability", "label")


def ml_nli(spark: Any, model: Path) -> list[Any]:
    stage = zs.NLIScorer(
        premiseCol="text", hypothesisCol="hypothesis", outputCol="found", model=model
    )
    return collected(stage.transform(frame(spark)), "found")


def command_line(spark: Any, model: Path) -> list[Any]:
    return _command_line("spark", model)


def _command_line(engine: str, model: Path) -> list[Any]:
    from sparknlp_zs.cli import main

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.parquet", Path(folder) / "out.parquet"
        pq.write_table(pa.table({"i": range(len(ROWS)), "text": ROWS}), source)
        arguments = ["classify", str(source), "--text", "text", "--output", str(target)]
        for label in LABELS:
            arguments += ["--label", label]
        arguments += ["--engine", engine, "--model", str(model), "--no-progress"]
        assert main(arguments) == 0
        found = pq.read_table(target)
    assert found["i"].to_pylist() == list(range(len(ROWS)))
    return [[row["label"], row["score"]] for row in found.to_pylist()]


def pandas_accessor(model: Path) -> list[Any]:
    import pandas as pd

    found = pd.Series(ROWS).zsc.annotate(TASKS, model=model)
    return found.astype(object).where(found.notna(), None).to_numpy().tolist()


SURFACES: dict[str, Callable[[Any, Path], list[Any]]] = {
    function.__name__: function
    for function in (
        classify,
        scores,
        tree,
        nli,
        row_labels,
        described_rows,
        annotate,
        transform,
        sql_classify,
        sql_scores,
        sql_nli,
        ml_classifier,
        ml_nli,
        command_line,
    )
}
WITHOUT_SPARK: dict[str, Callable[[Path], list[Any]]] = {
    "pandas_accessor": pandas_accessor,
    "command_line": lambda model: _command_line("pandas", model),
}


def expected(name: str, model: Path) -> list[Any]:
    """The engine's values for a surface."""
    scorer = load_scorer(model)

    def by(task: Task, *columns: Any) -> list[Any]:
        return scorer.score(task, [pa.array(column) for column in columns]).to_pylist()

    if name == "transform":
        return [list(row) for row in zip(by(RANKED, ROWS), by(MULTI, ROWS), strict=True)]
    if name == "pandas_accessor":
        tables = zip(by(RANKED, ROWS), by(MULTI, ROWS), strict=True)
        return [[*best(a), *(b or dict.fromkeys(LABELS)).values()] for a, b in tables]
    if name == "command_line":
        return [best(row) for row in by(RANKED, ROWS)]
    if name == "ml_classifier":
        return [predicted(row) for row in by(zs.ZeroShotScores(LABELS), ROWS)]
    if name == "sql_scores":
        found = by(RowLabelScores(), ROWS, ROW_LABELS, [False] * len(ROWS))
        return [row and dict(sorted(row)) for row in found]
    simple: dict[str, Callable[[], list[Any]]] = {
        "classify": lambda: by(RANKED, ROWS),
        "scores": lambda: by(MULTI, ROWS),
        "tree": lambda: by(TREE, ROWS),
        "nli": lambda: by(zs.NLI(), ROWS, HYPOTHESES),
        "row_labels": lambda: by(RowLabels(TEMPLATE), ROWS, ROW_LABELS, [False] * len(ROWS)),
        "described_rows": lambda: by(
            RowLabels("This example is about {}."), ROWS, ROW_LABELS, [False] * len(ROWS)
        ),
        "annotate": lambda: by(Annotation(TASKS), ROWS),
        "sql_classify": lambda: by(RowLabels(), ROWS, ROW_LABELS, FLAGS),
        "sql_nli": lambda: by(zs.NLI(), ROWS, HYPOTHESES),
        "ml_nli": lambda: by(zs.NLI(), ROWS, HYPOTHESES),
    }
    return simple[name]()


def best(row: Any) -> list[Any]:
    return [row["label"], row["score"]] if row else [None, None]


def predicted(row: Any) -> list[Any]:
    """Spark ML's outputs: position, probabilities, label."""
    if row is None:
        return [None, None, None]
    label = max(row, key=row.get)
    return [float(LABELS.index(label)), list(row.values()), label]


def assert_same(found: Any, value: Any, tolerance: float = 1e-6) -> None:
    """Equal, numbers within the tolerance, fields in the same order."""
    assert type(found) is type(value), (found, value)
    if isinstance(value, dict):
        assert list(found) == list(value)
        found, value = list(found.values()), list(value.values())
    if isinstance(value, list):
        assert len(found) == len(value)
        for a, b in zip(found, value, strict=True):
            assert_same(a, b, tolerance)
    elif isinstance(value, float):
        assert abs(found - value) <= tolerance
    else:
        assert found == value


def main(model: str, output: str) -> None:
    """Score every surface with two executors of their own, in local-cluster mode."""
    import pyspark
    from pyspark.sql import SparkSession

    package = str(Path(sparknlp_zs.__file__).parents[1])
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.executorEnv.PYTHONPATH", path)
        .getOrCreate()
    )
    name = spark.sparkContext.applicationId
    try:
        found = {name: surface(spark, Path(model)) for name, surface in SURFACES.items()}
    finally:
        spark.stop()
        shutil.rmtree(Path(pyspark.__file__).parent / "work" / name, ignore_errors=True)
    Path(output).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
