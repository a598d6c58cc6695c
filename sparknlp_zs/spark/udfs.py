"""The UDF around a scoring function: Arrow iterators; pandas iterators before Spark 4.1."""

# ruff: noqa: N802 - Spark's names are in camelCase.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column
    from pyspark.sql.types import DataType

Score: TypeAlias = "Callable[[Iterator[Any]], Iterator[pa.Array]]"
Types: TypeAlias = "Sequence[pa.DataType]"

_NO_TEXT = {
    "labels": pa.list_(pa.string()),
    "choices": pa.list_(pa.string()),
    "multi_label": pa.bool_(),
}


def column_types(names: Sequence[str]) -> list[pa.DataType]:
    """The Arrow types of a task's columns, by their names.

    Examples
    --------
    >>> column_types(["text", "labels"])
    [DataType(string), ListType(list<item: string>)]
    """
    return [_NO_TEXT.get(name, pa.string()) for name in names]


def batch_udf(score: Score, name: str, columns: Types, result_type: pa.DataType) -> Any:
    """A UDF that scores a stream of Arrow batches.

    Parameters
    ----------
    score : callable
        Takes an iterator of batches, each a sequence of Arrow arrays, and yields one array of
        ``result_type`` per batch, in order.
    name : str
        The UDF's name in plans and in errors.
    columns : sequence of pyarrow.DataType
        The types of the UDF's columns, which pandas does not know for nulls alone.
    result_type : pyarrow.DataType

    Returns
    -------
    UserDefinedFunction or NullStructUDF
        An ``arrow_udf`` where Spark has it (4.1), else a ``pandas_udf`` with the same results.

    Examples
    --------
    >>> import pyarrow.compute as pc
    >>> def lengths(batches):
    ...     for (text,) in batches:
    ...         yield pc.utf8_length(text)
    >>> udf = batch_udf(lengths, "lengths", [pa.string()], pa.int32())
    >>> spark.createDataFrame([("abc",), (None,)], "t string").select(udf("t")).collect()
    [Row(lengths(t)=3), Row(lengths(t)=None)]
    """
    from pyspark.sql import functions as F

    make = _arrow_udf if hasattr(F, "arrow_udf") else _pandas_udf
    return make(score, name, columns, result_type)


def _arrow_udf(score: Score, name: str, columns: Types, result_type: pa.DataType) -> Any:
    from pyspark.sql.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    def one(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
        yield from score([batch] for batch in batches)

    def several(batches: Iterator[tuple[pa.Array, ...]]) -> Iterator[pa.Array]:
        yield from score(iter(batches))

    function = one if len(columns) == 1 else several
    function.__name__ = name
    # Evaluated here: the closure's annotations are strings to Spark otherwise.
    function.__annotations__ = {
        "batches": Iterator[pa.Array] if function is one else Iterator[tuple[pa.Array, ...]],
        "return": Iterator[pa.Array],
    }
    return arrow_udf(function, from_arrow_type(result_type))


def _pandas_udf(score: Score, name: str, columns: Types, result_type: pa.DataType) -> Any:
    import pandas as pd
    from pyspark.sql.functions import pandas_udf
    from pyspark.sql.pandas.types import from_arrow_type

    def one(batches: Iterator[pd.Series]) -> Iterator[Any]:
        yield from map(to_pandas, score([to_arrow(batch, columns[0])] for batch in batches))

    def several(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[Any]:
        yield from map(to_pandas, score(list(map(to_arrow, batch, columns)) for batch in batches))

    struct = pa.types.is_struct(result_type)
    result = pd.DataFrame if struct else pd.Series
    function = one if len(columns) == 1 else several
    function.__name__ = name
    function.__annotations__ = {
        "batches": Iterator[pd.Series] if function is one else Iterator[tuple[pd.Series, ...]],
        "return": Iterator[result],  # type: ignore[valid-type]
    }
    udf = pandas_udf(function, from_arrow_type(result_type))
    return NullStructUDF(udf) if struct else udf


class NullStructUDF:
    """A pandas UDF of structs, with null for a struct of nulls alone.

    The UDF gives structs as rows of a DataFrame, which cannot be null themselves.
    """

    def __init__(self, udf: Any) -> None:
        self._udf = udf

    @property
    def returnType(self) -> DataType:
        """The struct."""
        return self._udf.returnType

    def asNondeterministic(self) -> NullStructUDF:
        """As the UDF's own."""
        return NullStructUDF(self._udf.asNondeterministic())

    def __call__(self, *columns: str | Column) -> Column:
        from pyspark.sql import functions as F

        empty = F.struct(*[F.lit(None).cast(x.dataType).alias(x.name) for x in self.returnType])
        # Through an array of one: the lambda uses the struct twice, and Spark scores it once.
        found = F.array(self._udf(*columns))
        result: Column = F.transform(found, lambda x: F.when(~x.eqNullSafe(empty), x))[0]
        return result


def registrable(udf: Any) -> Any:
    """What ``spark.udf.register`` takes of a ``batch_udf``."""
    return udf._udf if isinstance(udf, NullStructUDF) else udf


def sql_result(udf: Any, call: str) -> str:
    """SQL for the result of a ``batch_udf``, from a call of what was registered."""
    if not isinstance(udf, NullStructUDF):
        return call
    nulls = ", ".join("NULL" for _ in udf.returnType)
    empty = f"CAST(struct({nulls}) AS {udf.returnType.simpleString()})"
    return f"transform(array({call}), x -> IF(x <=> {empty}, NULL, x))[0]"


def to_arrow(series: pd.Series, kind: pa.DataType) -> pa.Array:
    """A Series as an Arrow array of a type; None, nan and pandas.NA become null.

    Examples
    --------
    >>> import pandas as pd
    >>> series = pd.Series(["a", None, float("nan"), pd.NA], dtype=object)
    >>> to_arrow(series, pa.string()).to_pylist()
    ['a', None, None, None]
    """
    array = pa.Array.from_pandas(series, type=kind)
    return pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array


def to_pandas(array: pa.Array) -> pd.Series | pd.DataFrame:
    """An Arrow array as pandas UDFs return it: a struct as a DataFrame, else a Series.

    Nested values, structs in a struct too, are Python objects.

    Examples
    --------
    >>> to_pandas(pa.array([{"a": [1.5], "b": "x"}, None]))
           a     b
    0  [1.5]     x
    1   None  None
    >>> to_pandas(pa.array([{"a": {"b": 1}}, {"a": None}]))
              a
    0  {'b': 1}
    1      None
    >>> to_pandas(pa.array([[("a", 1.5)]], pa.map_(pa.string(), pa.float64())))[0]
    {'a': 1.5}
    """
    import pandas as pd

    if not pa.types.is_struct(array.type):
        return _to_series(array)
    fields = [field.name for field in array.type]
    return pd.DataFrame(dict(zip(fields, map(_to_series, array.flatten()), strict=True)))


def _to_series(array: pa.Array) -> pd.Series:
    import pandas as pd

    if pa.types.is_primitive(array.type):
        series: pd.Series = array.to_pandas()
        return series
    values = array.to_pylist()
    if pa.types.is_map(array.type):
        values = [None if value is None else dict(value) for value in values]
    return pd.Series(values, dtype=object)
