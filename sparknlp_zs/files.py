"""Files in and out for the command line, with pandas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from sparknlp_zs import accessor as _accessor  # noqa: F401  (registers .zsc)
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
    """Refuse a missing text column, and new columns that would replace old ones."""
    known = list(columns)
    if text not in known:
        raise KeyError(f"--text {text!r}: no such column; the columns are {known[:20]}")
    taken = [name for name in names if name in known]
    if taken:
        raise ValueError(f"the file has columns {taken} already; choose others with --prefix")


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
    found = frame[text].zsc.classify(task, model=model, progress=progress)
    frame[names[0]], frame[names[1]] = found["label"], found["score"]
    _WRITERS[file_format(target)](frame, target)
    return len(frame)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": lambda path: pd.read_csv(path, dtype="str", keep_default_na=False),
    "json": lambda path: pd.DataFrame(list(json_rows(path))),
    "parquet": lambda path: pd.read_parquet(path, dtype_backend="pyarrow"),
}
_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "json": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, force_ascii=False, double_precision=15
    ),
    "parquet": lambda frame, path: frame.to_parquet(path, index=False),
}
