"""What becomes of texts that are longer than a model takes: they are cut, or scored in chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from sparknlp_zs.tasks.base import Pair

TRUNCATE, CHUNK = "truncate", "chunk"
POOLS = ("max", "mean")


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """Long texts are scored in chunks, and the chunks' logits pooled, hypothesis by hypothesis.

    A text that fits beside the longest of its hypotheses is scored as ever. A longer one is cut
    into as few chunks as fit there, of nearly equal length. All hypotheses of a row (of a task,
    where several are scored together) see the same chunks, so that their scores compare.

    Parameters
    ----------
    overlap : int or None
        Tokens that neighbouring chunks share at least. None: 64, or a quarter of the longest
        possible chunk where that is less.
    pool : {"max", "mean"}
        "max": a hypothesis has the logits of the chunk that speaks most for it, by entailment
        less contradiction: one relevant passage suffices. It is how SummaC-ZS finds a sentence's
        support in a document (Laban et al. 2022, arXiv:2111.09525). "mean": the mean of the
        chunks' logits, for what the text as a whole says.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Examples
    --------
    >>> from sparknlp_zs import ZeroShot
    >>> ZeroShot(["travel", "cooking"], long_text=Chunks(pool="mean")).long_text
    Chunks(overlap=None, pool='mean')
    >>> ZeroShot(["travel", "cooking"], long_text="chunk").long_text
    Chunks(overlap=None, pool='max')
    """

    overlap: int | None = None
    pool: str = "max"

    def __post_init__(self) -> None:
        if self.overlap is not None:
            object.__setattr__(self, "overlap", _checked_overlap(self.overlap))
        if self.pool not in POOLS:
            raise ValueError(f"pool={self.pool!r}: pass one of {', '.join(map(repr, POOLS))}")


LongText: TypeAlias = "str | Chunks"


@dataclass(frozen=True)
class Beside:
    """How a pair's text is chunked: to fit beside the longest of these hypotheses."""

    hypotheses: tuple[str, ...]
    chunks: Chunks


def checked_long_text(value: Any) -> LongText:
    """``"truncate"`` or the chunks; a mapping is what ``long_text_fields`` gives.

    Raises
    ------
    TypeError, ValueError
        If the value is wrong.

    Examples
    --------
    >>> checked_long_text({"overlap": 10, "pool": "mean"})
    Chunks(overlap=10, pool='mean')
    """
    if isinstance(value, Chunks):
        return value
    if isinstance(value, Mapping):
        return Chunks(**value)
    if not isinstance(value, str) or value not in (TRUNCATE, CHUNK):
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(
            f"long_text={value!r}: pass 'truncate', 'chunk', or Chunks(overlap=..., pool=...)"
        )
    return Chunks() if value == CHUNK else TRUNCATE


def long_text_fields(long_text: LongText) -> Any:
    """The value for JSON."""
    return asdict(long_text) if isinstance(long_text, Chunks) else long_text


def paired(text: str, hypotheses: Sequence[str], long_text: LongText) -> list[Pair]:
    """The pairs of a text with hypotheses whose scores are compared.

    Examples
    --------
    >>> paired("a text", ["one", "two"], "truncate")
    [('a text', 'one'), ('a text', 'two')]
    """
    if not isinstance(long_text, Chunks):
        return [(text, hypothesis) for hypothesis in hypotheses]
    beside = Beside(tuple(hypotheses), long_text)
    return [(text, hypothesis, beside) for hypothesis in hypotheses]


def _checked_overlap(overlap: Any) -> int:
    if isinstance(overlap, (bool, np.bool_)) or not isinstance(overlap, (int, np.integer)):
        raise TypeError(f"overlap={overlap!r}: pass a number of tokens, or None")
    if overlap < 0:
        raise ValueError(f"overlap={overlap!r}: pass a number of tokens from 0, or None")
    return int(overlap)
