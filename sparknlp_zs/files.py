"""Files in and out for the command line, with pandas."""

from __future__ import annotations

import base64
import contextlib
import csv
import json
import math
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sparknlp_zs import accessor as _accessor  # noqa: F401  (registers .zsc)
from sparknlp_zs.csv_rows import csv_rows
from sparknlp_zs.json_rows import json_rows
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.tasks.checks import is_unicode

FORMATS = {
    ".csv": "csv",
    ".jsonl": "json",
    ".json": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}


class EngineError(RuntimeError):
    """The engine of the command line does not start, or its job failed."""


def file_format(path: Path) -> str:
    """The format that a file's name tells: csv, json (lines, or an array) or parquet.

    Raises
    ------
    ValueError
        If the ending is none of these.

    Examples
    --------
    >>> file_format(Path("a/b.jsonl"))
    'json'
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise ValueError(f"file {str(path)!r}: the name must end in one of {sorted(FORMATS)}")
    return found


def read_frame(path: Path) -> pd.DataFrame:
    """The rows of a csv, json or parquet file; values of a csv file are strings.

    Raises
    ------
    ValueError
        If the file's name or content is of another format.
    """
    return _READERS[file_format(path)](path)


def check_columns(columns: Iterable[str], text: str, names: tuple[str, str]) -> None:
    """Refuse a text column that is missing or ambiguous, and new columns that are not new."""
    known = list(columns)
    if text not in known:
        raise KeyError(f"--text {text!r}: no such column; the columns are {known[:20]}")
    if known.count(text) > 1:
        raise ValueError(f"--text {text!r}: several columns have this name; rename them")
    taken = [name for name in names if name in known]
    if taken:
        raise ValueError(f"the file has columns {taken} already; choose others with --prefix")


def check_names(columns: Sequence[str], target: Path) -> None:
    """Refuse names that are given twice where the target's format cannot hold them."""
    kind = file_format(target)
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if kind != "csv" and twice:
        raise ValueError(
            f"--output {str(target)!r}: columns {twice} are given twice, which {kind} cannot hold; "
            "rename them, or write a csv file"
        )


def check_target(frame: pd.DataFrame, target: Path) -> None:
    """Refuse, before any scoring, what the target's format cannot hold."""
    kind = file_format(target)
    columns = frame.columns.tolist()
    for at, name in enumerate(columns):
        _check_values(frame.iloc[:, at], str(name), kind, target)
    check_names(columns, target)
    if kind == "parquet":
        try:
            pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowException, OverflowError) as error:
            raise ValueError(
                f"--output {str(target)!r}: {error}; write a json or csv file"
            ) from error


def _check_values(column: pd.Series, name: str, kind: str, target: Path) -> None:
    where = f"--output {str(target)!r}: column {name!r} holds"
    arrow = column.dtype.pyarrow_dtype if isinstance(column.dtype, pd.ArrowDtype) else None
    if arrow is not None:  # from parquet, whose strings are whole
        nested = pa.types.is_nested(arrow)
    elif column.dtype == "object":
        nested = column.map(lambda value: isinstance(value, (list, dict))).any()
        halves = column.map(_has_half_pair)
        if halves.any():
            raise ValueError(
                f"{where} half a surrogate pair in row {int(halves.to_numpy().argmax()) + 1}, "
                "which is no character; remove it"
            )
    else:
        return
    if kind == "csv" and nested:
        raise ValueError(f"{where} lists or objects, which csv cannot hold; write json or parquet")


def _has_half_pair(value: Any) -> bool:
    if isinstance(value, str):
        return not is_unicode(value)
    if isinstance(value, dict):
        return any(map(_has_half_pair, [*value, *value.values()]))
    return isinstance(value, list) and any(map(_has_half_pair, value))


@contextlib.contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A file to write in the target's place, which is as it was until all is written.

    Where the target is no plain file, or its folder takes no others, it is written directly.
    """
    place = target.resolve()
    if (place.exists() and not place.is_file()) or not os.access(place.parent, os.W_OK):
        yield target
        return
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        made = Path(folder) / place.name
        yield made
        if place.exists():
            shutil.copymode(place, made)
        os.replace(made, place)


def classify_file(
    source: Path,
    target: Path,
    text: str,
    task: ZeroShot,
    names: tuple[str, str],
    *,
    model: str | None = None,
    progress: bool = True,
) -> int:
    """Write ``source`` with two more columns as ``target``, row for row; the number of rows.

    Values of a csv file are kept as the strings they are.
    """
    frame = read_frame(source)
    check_columns(frame.columns, text, names)
    check_target(frame, target)
    found = frame[text].zsc.classify(task, model=model, progress=progress)
    frame[names[0]], frame[names[1]] = found["label"], found["score"]
    with replaced(target) as file:
        _WRITERS[file_format(target)](frame, file)
    return len(frame)


def _read_csv(path: Path) -> pd.DataFrame:
    # By pandas' own reader, columns would get other names, and longer rows' first fields an index.
    rows = csv_rows(path)
    header = next(rows, [])
    return pd.DataFrame(list(rows), columns=header, dtype="str")


def _read_json(path: Path) -> pd.DataFrame:
    # As objects: where one is missing, pandas would make floats of integers.
    return pd.DataFrame(list(json_rows(path)), dtype="object")


def _read_parquet(path: Path) -> pd.DataFrame:
    # Without pandas' notes on an index: its columns are columns of the file.
    table = pq.read_table(path).replace_schema_metadata()
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    # A return within a field ends the row for readers, and pandas would not quote it.
    returns = any("\r" in str(x) for at in range(frame.shape[1]) for x in frame.iloc[:, at])
    frame.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL)


def _write_json(frame: pd.DataFrame, path: Path) -> None:
    columns = [_with_none(frame.iloc[:, at]) for at in range(frame.shape[1])]
    names = frame.columns.tolist()
    with path.open("w", encoding="utf-8") as out:
        for values in zip(*columns, strict=True):
            row = dict(zip(names, values, strict=True))
            try:
                line = json.dumps(row, ensure_ascii=False, default=_json_value, allow_nan=False)
            except ValueError:
                line = json.dumps(_finite(row), ensure_ascii=False, default=_json_value)
            out.write(line + "\n")


def _finite(value: Any) -> Any:
    """NaN and infinities as nulls: JSON has none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(x) for key, x in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_finite(x) for x in value] if isinstance(value, (list, tuple)) else value


def _with_none(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_nested(column.dtype.pyarrow_dtype):
        # pandas makes arrays of lists, of floats where there is a null.
        found: list[Any] = pa.array(column).to_pylist()
        return found
    values = column.astype("object")
    return values.where(values.notna(), None).tolist()


def _json_value(value: Any) -> Any:
    """What JSON has no type for: times in ISO 8601, bytes in base64, as Spark writes them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": _read_csv,
    "json": _read_json,
    "parquet": _read_parquet,
}
_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "parquet": lambda frame, path: frame.to_parquet(path, index=False),
}
