"""Whether Spark keeps the values of JSON rows: a column has one type there."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from sparknlp_zs.json_rows import json_rows

_LONG = 2**63
_EXACT = 2**53  # beyond it, an integer may be no double
_NAMELESS = "values without a name"
_REMEDY = "use --engine pandas, which keeps values as they are"

# A value's place: the names that lead to it, "[]" for the items of an array.
_Place = tuple[str, ...]


def kept_columns(path: Path) -> list[str]:
    """The names in the objects of a file, in the order in which they first appear.

    Raises
    ------
    ValueError
        As ``json_rows``; or if Spark would change values without a word, or drop them: where a
        name has values of several types, numbers are too large, or objects empty.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rows.jsonl")
    >>> _ = path.write_text('{"text": "a", "id": 1}\\n{"text": "b", "id": "x"}\\n')
    >>> kept_columns(path)
    Traceback (most recent call last):
    ...
    ValueError: file ... column 'id': integers and strings, which Spark makes strings; use ...
    """
    columns: dict[str, None] = {}
    kinds: defaultdict[_Place, set[str]] = defaultdict(set)
    for row in json_rows(path):
        columns |= dict.fromkeys(row)
        for name, value in row.items():
            _collect((name,), value, kinds)
    for place, found in kinds.items():
        problem = _problem(found)
        if problem:
            raise ValueError(f"file {str(path)!r}, column {_shown(place)!r}: {problem}; {_REMEDY}")
    return list(columns)


def _collect(place: _Place, value: Any, kinds: defaultdict[_Place, set[str]]) -> None:
    kinds[place].add(_kind(value))
    if not place[-1]:
        kinds[place].add(_NAMELESS)
    if isinstance(value, dict):
        for name, part in value.items():
            _collect((*place, name), part, kinds)
    elif isinstance(value, list):
        for item in value:
            _collect((*place, "[]"), item, kinds)


def _kind(value: Any) -> str:
    if value is None:
        return "nulls"
    if isinstance(value, bool):  # which is an int as well
        return "booleans"
    if isinstance(value, int):
        large = "" if abs(value) <= _EXACT else "large "
        return f"{large}integers" if -_LONG <= value < _LONG else "huge numbers"
    if isinstance(value, float):
        return "numbers" if math.isfinite(value) else "huge numbers"
    if isinstance(value, dict):
        return "objects" if value else "empty objects"
    return "strings" if isinstance(value, str) else "arrays"


def _problem(kinds: set[str]) -> str | None:
    if _NAMELESS in kinds:
        return "values under an empty name, which Spark drops"
    found = kinds - {"nulls"}
    if "huge numbers" in found:
        return "numbers beyond those of Spark's types"
    if found == {"empty objects"}:
        return "empty objects, which Spark drops"
    if {"large integers", "numbers"} <= found:
        return "large integers beside other numbers, which Spark rounds"
    alike = ({"integers", "large integers"}, {"integers", "numbers"}, {"objects", "empty objects"})
    if len(found) < 2 or any(found <= x for x in alike):
        return None
    return f"{' and '.join(sorted(found))}, which Spark makes strings"


def _shown(place: _Place) -> str:
    return ".".join(place).replace(".[]", "[]")
