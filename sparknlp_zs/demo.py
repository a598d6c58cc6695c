"""``python -m sparknlp_zs.demo``: the main job on bundled messages, in Spark."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from sparknlp_zs.samples import messages

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession


def main() -> None:
    """Classify the messages with the starter model and print what came out."""
    spark = _session()
    from sparknlp_zs import spark as zs

    sample = messages()
    labels = sorted(sample["label"].unique())
    df = spark.createDataFrame(sample).repartition(2)
    scored = df.withColumn("topic", zs.classify("text", labels, model="starter"))
    columns = scored.selectExpr("text", "label AS truth", "topic.label", "topic.score")

    start = time.perf_counter()
    first = columns.toPandas()
    cold = time.perf_counter() - start
    start = time.perf_counter()
    columns.toPandas()
    warm = time.perf_counter() - start
    _report(first, labels, cold, warm)
    spark.stop()


def _session() -> SparkSession:
    # Workers must run in this environment, not in whatever python3 the path has.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .appName("sparknlp_zs demo")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


def _report(found: pd.DataFrame, labels: list[str], cold: float, warm: float) -> None:
    rows = len(found)
    print(f"\n{rows} messages of bank customers x {len(labels)} labels, starter model, no training")
    print("\nLabel counts")
    counts = found["label"].value_counts().to_frame("found")
    counts["true"] = found["truth"].value_counts()
    print(counts.rename_axis(None).to_string())
    print("\nSome rows")
    some = found.sort_values("score", ascending=False).iloc[:: rows // 8]
    shown = some.assign(text=some["text"].str.slice(0, 60), score=some["score"].round(3))
    print(shown[["text", "label", "score", "truth"]].to_string(index=False))
    accuracy = (found["label"] == found["truth"]).mean()
    print(f"\nAccuracy against the true labels: {accuracy:.1%} (chance {1 / len(labels):.0%})")
    print(
        f"Rows per second: {rows / warm:.0f} once warm; the first job took {cold:.1f} s, "
        "with the start of the workers and the loading of the model"
    )


if __name__ == "__main__":
    main()
