"""The columns of a fine-tuning: checked, and collected on the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sparknlp_zs.spark.names import is_string, quoted
from sparknlp_zs.spark.session import column_key

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_ROWS = 1_000_000
_INTEGERS = {"tinyint", "smallint", "int", "bigint"}


def collected(dataset: DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """The columns that Params name.

    Raises
    ------
    TypeError
        If texts are no strings, or marks of the validation rows no booleans.
    ValueError
        If a column is missing or ambiguous, or there are too many rows.
    """
    from pyspark.sql import functions as F

    _check_columns(dataset, names)
    kinds = dict(dataset.dtypes)
    text = names["inputCol"]
    if not is_string(kinds[text]):
        raise TypeError(f"inputCol={text!r}: a column of {kinds[text]}; use strings")
    mark = names.get("validationIndicatorCol")
    # Strings such as "false" would all be true.
    if mark is not None and kinds[mark] != "boolean":
        raise TypeError(
            f"validationIndicatorCol={mark!r}: a column of {kinds[mark]}; use booleans, such as "
            f"F.col({mark!r}) == 'true'"
        )
    label = names["labelCol"]
    exact = kinds[label] in _INTEGERS
    columns = {name: F.col(quoted(name)) for name in names.values()}
    if exact:  # pandas makes floats of integers where some are null
        columns[label] = columns[label].cast("string").alias(label)
    frame: pd.DataFrame = dataset.select(*columns.values()).limit(MOST_ROWS + 1).toPandas()
    if exact:
        values = [
            None if missing else int(x)
            for x, missing in zip(frame[label], frame[label].isna(), strict=True)
        ]
        frame[label] = pd.Series(values, frame.index, dtype=object)
    if len(frame) > MOST_ROWS:
        raise ValueError(
            f"more than {MOST_ROWS:,} rows: they are collected on the driver; take a sample, "
            "such as df.sample(0.1, seed=0)"
        )
    return frame


def _check_columns(dataset: DataFrame, names: dict[str, str]) -> None:
    """Each Param names one column, and no two the same."""
    columns = dataset.columns
    same = column_key(dataset.sparkSession)
    param_of: dict[str, str] = {}
    for param, name in names.items():
        if name not in columns:
            raise ValueError(f"{param}={name!r}: no such column; there are {columns}")
        alike = [column for column in columns if same(column) == same(name)]
        if len(alike) > 1:
            raise ValueError(
                f"{param}={name!r}: more than one column has this name, {alike}; rename them, or "
                "drop all but one"
            )
        first = param_of.setdefault(name, param)
        if first != param:
            raise ValueError(f"{param}={name!r}: the column of {first} too; name another")
