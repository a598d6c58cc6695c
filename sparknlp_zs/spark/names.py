"""Names of columns and types, as Spark spells them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A column's name that Spark does not read as a path into a struct.

    Examples
    --------
    >>> quoted("a.b"), quoted("odd`")
    ('`a.b`', '`odd```')
    """
    return "`" + name.replace("`", "``") + "`"


def readable(name: str) -> str:
    """A column's name, quoted only where it must be.

    Examples
    --------
    >>> readable("text"), readable("a.b")
    ('text', '`a.b`')
    """
    return quoted(name) if "." in name or "`" in name else name


def is_string(kind: str) -> bool:
    """Whether a type's name is that of strings, with a collation or without.

    Examples
    --------
    >>> is_string("string"), is_string("string collate UNICODE_CI"), is_string("array<string>")
    (True, True, False)
    """
    return kind.split(" ")[0] == "string"
