"""The rows of a csv file, as Python reads them: counted, and checked to be of one length."""

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


def checked_header(path: Path) -> list[str]:
    """The names in the first row, if no row is longer: a reader would drop or shift fields.

    Raises
    ------
    ValueError
        Naming the file and the line.
    """
    with _long_fields(), open_utf8(path, newline="") as file:
        reader = csv.reader(file)
        header = next((row for row in reader if row), [])
        for row in reader:
            if len(row) > len(header):
                raise ValueError(
                    f"file {str(path)!r}, line {reader.line_num}: {len(row)} fields, but the "
                    f"header has {len(header)}; quote fields that hold commas or line breaks"
                )
    return header


def single_fields(path: Path) -> list[str]:
    """The fields of a csv file of one column, its header first; lines of blanks are rows.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rows.csv")
    >>> _ = path.write_text('text\\na\\n\\n  \\n""\\n')
    >>> single_fields(path)
    ['text', 'a', '  ', '']
    """
    with _long_fields(), open_utf8(path, newline="") as file:
        return [row[0] for row in csv.reader(file) if row]
