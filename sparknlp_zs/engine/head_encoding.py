"""Inputs of task heads: single texts or pairs, each row with its head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sparknlp_zs.engine.encoding import Ids, PairEncoder, PairLayout

HEAD_IDS = "head_ids"


class HeadEncoder(PairEncoder):
    """Encodes as ``tokenizer(text, text_pair, truncation=True)``: the longer text is cut first.

    Zero-shot classification never cuts the hypothesis; here both texts are data of any length.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        Any tokenizer that encodes the two texts of a pair independently.
    max_length : int
        Longest input in tokens.
    layout : PairLayout or None
        That of single texts, whose second text is always empty; None is the tokenizer's for pairs.
    """

    def __init__(self, tokenizer: Any, max_length: int, layout: PairLayout | None = None) -> None:
        super().__init__(tokenizer, max_length, layout)

    def tokenize(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each text, without special tokens and uncut; none for an empty text."""
        ids = iter(super().tokenize([text for text in texts if text]))
        return [next(ids) if text else np.empty(0, np.int32) for text in texts]

    def room(self, second_length: int) -> int:
        """Tokens for both texts: the second one is cut too, and takes no room from the first."""
        return super().room(0)

    def cut_both(self, first: Ids, second: Ids) -> tuple[Ids, Ids]:
        """Both texts cut, on the tokenizer's side, to what fits, the longer one first."""
        sizes = longest_first(len(first), len(second), self.room(0))
        kept = [
            ids[len(ids) - size :] if self._cut_left else ids[:size]
            for ids, size in zip((first, second), sizes, strict=True)
        ]
        return kept[0], kept[1]

    def _parts(self, first: Ids, second: Ids) -> list[Ids]:
        prefix, middle, suffix = self._special
        first, second = self.cut_both(first, second)
        return [prefix, first, middle, second, suffix]

    def batch(
        self, pairs: Sequence[tuple[Any, ...]], rows: int, length: int
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Padded inputs, and ``head_ids`` [rows]; each pair is (first, second, head)."""
        inputs = super().batch([(first, second) for first, second, _ in pairs], rows, length)
        heads = [head for _, _, head in pairs]
        heads += heads[:1] * (rows - len(heads))
        inputs[HEAD_IDS] = np.array(heads, dtype=np.int64)
        return inputs


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """Lengths of two texts cut to fit together, as by the tokenizers' ``longest_first``.

    Examples
    --------
    >>> longest_first(100, 20, 80), longest_first(100, 60, 81)
    ((60, 20), (41, 40))
    """
    if first + second <= room:
        return first, second
    short = min(first, second)
    long = short if short > room else max(short, room - short)
    if short + long > room:
        short = room // 2
        long = room - short
    return (short, long) if first <= second else (long, short)
