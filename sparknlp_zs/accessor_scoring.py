"""From pandas Series to scores and back, for the accessor ``.zsc``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from sparknlp_zs.bars import bar
from sparknlp_zs.embedders import spec_for
from sparknlp_zs.engine.local import local_scorer
from sparknlp_zs.engine.rows import first_rows
from sparknlp_zs.models import Model, read_class_ids
from sparknlp_zs.tasks import FixedTask, Task
from sparknlp_zs.tasks.checks import REPLACE_HALVES, half_character, is_unicode

if TYPE_CHECKING:
    from sparknlp_zs.engine.rows import Columns

# A bar for work that takes seconds: fewer pairs than this are scored without one.
LONG_WORK_PAIRS = 500
BAR_STEP_PAIRS = 4096


@dataclass(frozen=True)
class RowResults:
    """The results of distinct rows, and each row's place among them (None: all are distinct).

    Rows are joined with their results column by column: all labels of all rows may be too much for
    one Arrow array.
    """

    distinct: pa.ChunkedArray
    places: pa.Array | None

    def fields(self) -> dict[str, RowResults]:
        """The fields of structs."""
        names = [field.name for field in self.distinct.type]
        columns = zip(names, self.distinct.flatten(), strict=True)
        return {name: RowResults(column, self.places) for name, column in columns}


def scored_texts(
    task: FixedTask,
    texts: Sequence[pd.Series],
    model: Model,
    progress: bool,
    check: Callable[[Path], object] = read_class_ids,
) -> RowResults:
    """The task's result for text Series of one length.

    ``check`` raises if a model's folder lacks the classes of the task.
    """
    columns = [text_array(series) for series in texts]
    return scored(task, columns, len(columns[0]) * task.pairs_per_row, model, progress, check)


def scored(
    task: Task,
    columns: Columns,
    pairs: int,
    model: Model,
    progress: bool,
    check: Callable[[Path], object] = read_class_ids,
) -> RowResults:
    """The task's result for Arrow columns with so many pairs to score, with a bar if it is long."""
    rows = len(columns[0])
    # Windows are small where a row has many pairs: the same text may come again in a later one.
    first, places = first_rows(columns)
    repeated = len(first) < rows
    if repeated:
        columns, pairs = [x.take(first) for x in columns], pairs * len(first) // rows
    step = max(1, BAR_STEP_PAIRS * len(first) // max(1, pairs))
    parts = local_scorer(spec_for(task, model), check).score_stream(
        task, _slices(columns, step), window_rows=step
    )
    unit = "distinct row" if repeated else "row"
    shown = _with_bar(parts, len(first), unit, progress and pairs > LONG_WORK_PAIRS)
    result = pa.chunked_array(list(shown), type=task.result_type)
    return RowResults(result, places if repeated else None)


def text_array(series: pd.Series) -> pa.ChunkedArray:
    """A text Series as Arrow, missing values as nulls.

    Raises
    ------
    TypeError
        If it holds anything but strings and missing values.
    ValueError
        If a string is no Unicode text.

    Examples
    --------
    >>> text_array(pd.Series(["a", None])).to_pylist()
    ['a', None]
    """
    values = series.astype("object") if _wants_objects(series.dtype) else series
    missing = values.isna().to_numpy(dtype=bool)
    objects = values.to_numpy(object)
    kind = pd.api.types.infer_dtype(objects, skipna=True)
    if kind not in ("string", "empty"):
        kind = pd.api.types.infer_dtype(objects[~missing])  # it does not skip NaT beside strings
    if kind not in ("string", "empty"):
        raise TypeError(
            f"Series {series.name!r} is not text but {kind} (dtype {series.dtype}); "
            "convert it first, such as with .astype('string')"
        )
    try:
        return pa.chunked_array([pa.array(objects, pa.large_string(), mask=missing)])
    except UnicodeEncodeError:
        row = next(at for at, x in enumerate(objects) if not missing[at] and not is_unicode(x))
        raise half_character(
            f"Series {series.name!r}: row {row} (from 0)", REPLACE_HALVES
        ) from None


def _wants_objects(dtype: Any) -> bool:
    if isinstance(dtype, pd.ArrowDtype):
        return bool(pa.types.is_dictionary(dtype.pyarrow_dtype))
    return isinstance(dtype, pd.CategoricalDtype | pd.SparseDtype)


def as_frame(result: RowResults, names: list[str], index: pd.Index) -> pd.DataFrame:
    """Some fields of Arrow structs as a DataFrame's columns; null structs are missing values."""
    fields = result.fields()
    table = pa.table({name: fields[name].distinct for name in names})
    if result.places is not None:
        table = table.take(result.places)
    frame: pd.DataFrame = table.to_pandas()
    return frame.set_axis(index, axis=0)


def _slices(columns: Columns, step: int) -> Iterator[Columns]:
    for start in range(0, len(columns[0]), step):
        yield [column.slice(start, step) for column in columns]


def _with_bar(parts: Iterator[pa.Array], rows: int, unit: str, show: bool) -> Iterator[pa.Array]:
    if not show:
        yield from parts
        return
    with bar(rows, unit) as shown:
        for part in parts:
            shown.update(len(part))
            yield part
