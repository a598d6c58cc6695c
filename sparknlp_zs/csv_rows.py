"""The rows of a csv file, as Python reads them: for both engines, which then have the same."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path

from sparknlp_zs.utf8 import open_utf8

_LONGEST_FIELD = 2**31 - 1  # Python's own limit is 128 KiB: less than a long document


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def count_csv_rows(path: Path) -> int:
    """The rows of a csv file, without its header.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rows.csv")
    >>> _ = path.write_text('text\\na\\n"two\\nlines"\\n')
    >>> count_csv_rows(path)
    2
    """
    with _long_fields(), path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def csv_rows(path: Path) -> Iterator[list[str | None]]:
    """The rows, the header first, each as long as it: None for fields that are missing.

    Lines without anything are no rows; a line of blanks is one.

    Raises
    ------
    ValueError
        If the file is not UTF-8, or a row is longer than the header: a reader would drop or shift
        fields. It names the file and the line.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rows.csv")
    >>> _ = path.write_text('id,text\\n1,"a,\\nb"\\n\\n2\\n3,""\\n')
    >>> list(csv_rows(path))
    [['id', 'text'], ['1', 'a,\\nb'], ['2', None], ['3', '']]
    """
    with _long_fields(), open_utf8(path, newline="") as file:
        reader = csv.reader(file)
        width = None
        for row in filter(None, reader):
            width = len(row) if width is None else width
            if len(row) > width:
                raise ValueError(
                    f"file {str(path)!r}, line {reader.line_num}: {len(row)} fields, but the "
                    f"header has {width}; quote fields that hold commas or line breaks"
                )
            yield [*row, *(width - len(row)) * [None]]
