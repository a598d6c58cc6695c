"""Text files, which are UTF-8 or refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def open_utf8(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """The file as text, without a byte order mark.

    Raises
    ------
    ValueError
        Where it is read, if it is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline=newline) as file:
            yield file
    except UnicodeDecodeError as error:
        raise ValueError(f"file {str(path)!r} is not UTF-8 ({error}); convert it") from error
