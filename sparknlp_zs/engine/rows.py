"""The distinct rows of Arrow columns, and each row's place among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparknlp_zs.tasks import Row, Task

Column: TypeAlias = "pa.Array | pa.ChunkedArray"
Columns: TypeAlias = Sequence[Column]
T = TypeVar("T")


def distinct(values: Sequence[T]) -> tuple[list[T], npt.NDArray[np.int64]]:
    """The distinct values, and each value's place among them.

    Examples
    --------
    >>> distinct(["b", "a", "b"])
    (['b', 'a'], array([0, 1, 0]))
    """
    position: dict[T, int] = {}
    places = [position.setdefault(value, len(position)) for value in values]
    return list(position), np.array(places, dtype=np.int64)


def distinct_rows(task: Task, columns: Columns) -> tuple[list[Row], pa.Array]:
    """The distinct rows that a task admits, and each row's place among them.

    Returns
    -------
    rows : list of tuple
        One value per column; lists as tuples.
    row_of : pyarrow.Array of int64
        Null where a row is not scored: a value is null, or the task does not admit it.

    Examples
    --------
    >>> from sparknlp_zs.tasks import ZeroShot
    >>> columns = [pa.array(["b", None, " ", "a", "b"])]
    >>> rows, row_of = distinct_rows(ZeroShot(["any"]), columns)
    >>> rows, row_of.to_pylist()
    ([('b',), ('a',)], [0, None, None, 1, 0])
    """
    indices, values = [], []
    for name, column in zip(task.columns, columns, strict=True):
        codes, found = _encoded(one_array(same_type(column)))
        admitted = pa.array([task.admits(name, value) for value in found], pa.bool_())
        known = pc.if_else(admitted.take(codes), codes, pa.scalar(None, codes.type))
        indices.append(known.to_pylist())
        values.append(found)
    position: dict[tuple[int, ...], int] = {}
    row_of = [
        None if None in codes else position.setdefault(codes, len(position))
        for codes in zip(*indices, strict=True)
    ]
    rows = [tuple(values[i][code] for i, code in enumerate(codes)) for codes in position]
    return rows, pa.array(row_of, pa.int64())


def first_rows(columns: Columns) -> tuple[pa.Array, pa.Array]:
    """Where each distinct row comes first, in row order, and each row's place among these.

    Rows with lists count as distinct.

    Returns
    -------
    first, places : pyarrow.Array of int64 [distinct rows], [rows]

    Examples
    --------
    >>> first, places = first_rows([pa.array(["b", "a", "b", None])])
    >>> first.to_pylist(), places.to_pylist()
    ([0, 1, 3], [0, 1, 0, 2])
    """
    rows = len(columns[0])
    every = np.arange(rows)
    first, codes = every, np.zeros(rows, np.int64)
    for column in columns:
        if pa.types.is_nested(column.type):
            return pa.array(every), pa.array(every)
        found = one_array(same_type(column)).dictionary_encode().indices.fill_null(-1)
        # Small numbers again after each column, so that no product overflows.
        codes = codes * (rows + 1) + found.to_numpy(zero_copy_only=False) + 1
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return pa.array(first[order]), pa.array(rank[codes])


def _encoded(column: pa.Array) -> tuple[pa.Array, list[Any]]:
    """Each row's place in the column's distinct values (null for null), and these."""
    if not pa.types.is_nested(column.type):
        encoded = column.dictionary_encode()
        return encoded.indices, _values(encoded.dictionary)
    position: dict[tuple[Any, ...], int] = {}
    codes = [
        None if value is None else position.setdefault(tuple(value), len(position))
        for value in column.to_pylist()
    ]
    return pa.array(codes, pa.int32()), list(position)


def _values(column: pa.Array) -> list[Any]:
    """The values, with U+FFFD where a text is not UTF-8: Spark's strings may hold any bytes."""
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        encoded = column.cast(pa.large_binary()).to_pylist()
        values = [value and value.decode(errors="replace") for value in encoded]
    return values


def same_type(column: Column) -> Column:
    """Texts of any Arrow type as large strings; other columns as they are."""
    kind = column.type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return pc.cast(column, pa.large_string()) if any(is_(kind) for is_ in text) else column


def one_array(column: Column) -> pa.Array:
    """The column's chunks as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    joined = column.combine_chunks()
    # combine_chunks gave a ChunkedArray for nested types before pyarrow 20.
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
