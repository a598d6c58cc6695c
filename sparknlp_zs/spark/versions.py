"""The differences between Spark versions, but for those of UDFs (see ``udfs``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column


def is_before_4() -> bool:
    """Whether this is Spark 3."""
    import pyspark

    return int(pyspark.__version__.split(".")[0]) < 4


def string_only(column: Column) -> Column:
    """The column itself; a column of another type fails when the plan is analysed, on the driver.

    Most of Spark's functions would cast it to a string.
    """
    from pyspark.sql import functions as F

    if not is_before_4():
        return F.collate(column, "UTF8_BINARY")
    # from_json casts nothing; Spark drops the branch after the types are checked.
    return F.when(F.lit(False), F.from_json(column, "x string")["x"]).otherwise(column)
