"""Inputs of task heads: single texts or pairs, either of which may be cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparknlp_zs.engine.encoding import Ids, PairEncoder, PairLayout, Sizes


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

    def kept(self, first: Sizes, second: Sizes) -> tuple[Sizes, Sizes]:
        """How many tokens of each pair's texts fit: the longer text is cut first."""
        return longest_first(first, second, self.room(0))


def longest_first(first: Sizes, second: Sizes, room: int) -> tuple[Sizes, Sizes]:
    """Lengths of pairs of texts cut to fit together, as by the tokenizers' ``longest_first``.

    Examples
    --------
    >>> first, second = longest_first(np.array([100, 100]), np.array([20, 60]), 81)
    >>> first.tolist(), second.tolist()
    ([61, 41], [20, 40])
    """
    fits = first + second <= room
    short = np.minimum(first, second)
    long = np.where(short > room, short, np.maximum(short, room - short))
    halved = short + long > room
    short = np.where(halved, room // 2, short)
    long = np.where(halved, room - short, long)
    swapped = first > second
    return (
        np.where(fits, first, np.where(swapped, long, short)),
        np.where(fits, second, np.where(swapped, short, long)),
    )
