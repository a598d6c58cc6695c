"""local-cluster[2,1,1024]: every way of shipping, sessions, changed content, faults."""

from __future__ import annotations

import shutil

from common import (
    arguments,
    cached,
    frame,
    read_marks,
    report,
    scored,
    scored_with_fault,
    two_executors,
)

from sparknlp_zs import spark as zs
from sparknlp_zs.models import model_spec
from sparknlp_zs.spark.session import sent_before
from sparknlp_zs.spark.shipping import SHIPPING, ship


def main(models: list[str], folder: str, marks: str) -> None:
    batches = {"spark.sql.execution.arrow.maxRecordsPerBatch": "500"}
    with two_executors(**batches) as spark:
        report(checks(spark, models, folder, marks))


def checks(spark, models, folder, marks) -> dict:
    df = frame(spark, 20_000, 4)
    few = frame(spark, 80, 2)
    found = {"auto": ship(spark, model_spec(models[0])).archive}
    found["archive"] = scored(df, models[0])
    found["archive_cached"] = cached(few)
    found["new_session"] = scored(frame(spark.newSession(), 80, 2), models[0])

    # One folder, whose content is replaced between two columns.
    shutil.copytree(models[0], folder)
    found["before"] = scored(few, folder)
    shutil.rmtree(folder)
    shutil.copytree(models[1], folder)
    found["after"] = scored(few, folder)

    spark.conf.set(SHIPPING, "broadcast")
    found["broadcast"] = scored(df, models[2])
    found["broadcast_again"] = scored(few, models[2])
    found["broadcast_cached"] = cached(few)
    found["sent"] = sorted(sent_before(spark))

    spark.conf.set(SHIPPING, "path")
    found["path"] = scored(few, models[3])
    found["path_cached"] = cached(few)

    found["together"] = together(few, models[:2])
    spark.conf.unset(SHIPPING)
    found["kill"] = scored_with_fault(df, models[0], "kill", marks)
    found["raise"] = scored_with_fault(df, models[0], "raise", marks)
    found["marks"] = read_marks(marks)
    return found


def together(df, models) -> list[list]:
    """Two models in one select, in the order of the rows."""
    a, b = (zs.classify("text", ["travel", "cooking"], model=model)["score"] for model in models)
    rows = df.select("id", a.alias("a"), b.alias("b")).collect()
    return [[row["a"], row["b"]] for row in sorted(rows)]


if __name__ == "__main__":
    main(**arguments())
