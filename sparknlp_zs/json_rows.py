"""The objects of a JSON file: one in each line, or all in one array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sparknlp_zs.utf8 import open_utf8

_REMEDY = 'write one object per line, such as {"text": "..."}, or one array of objects'


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in their order; lines are read one at a time, an array at once.

    Raises
    ------
    ValueError
        If a line, or an item of the array, is no object; it names the file and the place.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rows.jsonl")
    >>> _ = path.write_text('{"text": "a"}\\n{"text": "b", "id": 2}\\n')
    >>> list(json_rows(path))
    [{'text': 'a'}, {'text': 'b', 'id': 2}]
    """
    with open_utf8(path) as file:
        yield from _items(path, file) if is_array(path) else _lines(path, file)


def is_array(path: Path) -> bool:
    """Whether the file begins as an array."""
    with path.open("rb") as file:
        start = next((line for line in file if line.strip()), b"")
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _lines(path: Path, file: TextIO) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield _object(path, f"line {number}", _parsed(path, line.rstrip(), number))


def _items(path: Path, file: TextIO) -> Iterator[dict[str, Any]]:
    for number, item in enumerate(_parsed(path, file.read()), 1):
        yield _object(path, f"item {number}", item)


def _parsed(path: Path, text: str, number: int = 1) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {number + error.lineno - 1}"
        raise ValueError(
            f"file {str(path)!r}, {place}: no JSON ({error.msg}, column {error.colno}); {_REMEDY}"
        ) from error


def _object(path: Path, place: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
        raise ValueError(f"file {str(path)!r}, {place}: {shown} is no object; {_REMEDY}")
    return value
