"""Files in and out for the command line, with pandas."""

from __future__ import annotations

import base64
import csv
import json
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sparknlp_zs import accessor as _accessor  # noqa: F401  (registers .zsc)
from sparknlp_zs.csv_rows import single_fields
from sparknlp_zs.json_rows import json_rows
from sparknlp_zs.tasks import ZeroShot

FORMATS = {
    ".csv": "csv",
    ".jsonl": "json",
    ".json": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}


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


def check_target(frame: pd.DataFrame, target: Path) -> None:
    """Refuse, before any scoring, what the target's format cannot hold."""
    kind = file_format(target)
    columns = frame.columns.tolist()
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if kind != "csv" and twice:
        raise ValueError(
            f"--output {str(target)!r}: columns {twice} are given twice, which {kind} cannot hold; "
            "rename them, or write a csv file"
        )
    if kind == "parquet":
        try:
            pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowException, OverflowError) as error:
            raise ValueError(
                f"--output {str(target)!r}: {error}; write a json or csv file"
            ) from error


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
    _WRITERS[file_format(target)](frame, target)
    return len(frame)


def _read_csv(path: Path) -> pd.DataFrame:
    # Told of a header, pandas renames columns, and makes longer rows' first fields an index.
    try:
        raw = pd.read_csv(path, dtype="str", keep_default_na=False, header=None)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()  # no column can be named in it
    except UnicodeDecodeError as error:
        raise ValueError(f"file {str(path)!r} is not UTF-8 ({error}); convert it") from error
    except pd.errors.ParserError as error:
        raise ValueError(
            f"file {str(path)!r}: {error}; quote fields that hold commas or line breaks"
        ) from error
    if raw.shape[1] == 1:  # pandas skips lines of blanks, which are texts here
        raw = pd.DataFrame(single_fields(path), dtype="str")
    return raw[1:].reset_index(drop=True).set_axis(raw.iloc[0].tolist(), axis=1)


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
