"""Printed tables compared by their words, and by their numbers up to rounding."""

from __future__ import annotations

import re

TOLERANCE = 2e-3  # other processors round otherwise

_NUMBER = re.compile(r"\d+\.\d+")


def assert_same_output(found: str, expected: str) -> None:
    """Equal but for white space (widths follow the digits) and for the last digits."""
    words_found, words_expected = _words(found), _words(expected)
    assert words_found == words_expected
    numbers = zip(_NUMBER.findall(found), _NUMBER.findall(expected), strict=True)
    for a, b in numbers:
        assert abs(float(a) - float(b)) <= TOLERANCE * max(1.0, abs(float(b)))


def _words(text: str) -> list[str]:
    return re.sub(r"-{2,}", "-", _NUMBER.sub("#", text)).split()
