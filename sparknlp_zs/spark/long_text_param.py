"""The Param ``longText`` of stages over texts that may be longer than a model takes."""

# ruff: noqa: N802, N815 - Spark ML's names are in camelCase.

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.ml.param import Param, Params

from sparknlp_zs.tasks.long_text import CHUNK, TRUNCATE, checked_long_text

if TYPE_CHECKING:
    from typing import Self


def _to_long_text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"longText={value!r}: pass '{TRUNCATE}' or '{CHUNK}'")
    checked_long_text(value)
    return value


class HasLongText(Params):
    """The Param ``longText``."""

    longText: Param[str] = Param(
        Params._dummy(),
        "longText",
        "'truncate': texts that do not fit are cut at the end; 'chunk': scored in chunks.",
        typeConverter=_to_long_text,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(longText=TRUNCATE)

    def getLongText(self) -> str:
        """What becomes of texts that do not fit."""
        return str(self.getOrDefault(self.longText))

    def setLongText(self, value: str) -> Self:
        """Set what becomes of texts that do not fit."""
        self._set(longText=value)
        return self
