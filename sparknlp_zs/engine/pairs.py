"""Padded inputs of any of many pairs, whose distinct texts are tokenised once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparknlp_zs.engine.chunks import Spans
from sparknlp_zs.engine.encoding import Ids, PairEncoder

Places = npt.NDArray[np.int64]

HEAD_IDS = "head_ids"


@dataclass(frozen=True)
class _Texts:
    """Ids of many texts, one after the other."""

    flat: Ids
    starts: Places
    sizes: Places

    @classmethod
    def of(cls, texts: Sequence[Ids]) -> _Texts:
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        # One more id, so that a text of none at the end has a place to start.
        flat = np.concatenate([*texts, np.zeros(1, np.int32)])
        return cls(flat, np.cumsum(sizes) - sizes, sizes)


class PairTokens:
    """The token ids of pairs.

    Parameters
    ----------
    encoder : PairEncoder
    first, second : list of int array
        Ids of the distinct first and second texts.
    first_of, second_of : int array [pairs]
        The places of a pair's texts among them.
    heads : int array [pairs] or None
        Each pair's task head.
    spans : Spans or None
        Each of them makes a pair, of a part of the first text and of the second text, in place of
        the pair that it is of. Not for task heads.

    Attributes
    ----------
    cut : bool array [pairs]
        Whether any of a pair's texts was cut to fit.
    """

    def __init__(
        self,
        encoder: PairEncoder,
        first: Sequence[Ids],
        first_of: Places,
        second: Sequence[Ids],
        second_of: Places,
        heads: Places | None = None,
        spans: Spans | None = None,
    ) -> None:
        if spans is not None:
            first_of, second_of = first_of[spans.pair_of], second_of[spans.pair_of]
        self._encoder = encoder
        self._first, self._second = _Texts.of(first), _Texts.of(second)
        self._heads = heads
        uncut_1 = self._first.sizes[first_of] if spans is None else spans.sizes
        uncut_2 = self._second.sizes[second_of]
        kept = encoder.kept if spans is None else encoder.kept_of_spans
        self._size_1, self._size_2 = kept(uncut_1, uncut_2)
        cut_1, cut_2 = uncut_1 - self._size_1, uncut_2 - self._size_2
        self.cut: npt.NDArray[np.bool_] = cut_1 + cut_2 > 0
        self._start_1 = self._first.starts[first_of] + (cut_1 if encoder.cuts_left else 0)
        if spans is not None:
            self._start_1 += spans.starts
        self._start_2 = self._second.starts[second_of] + (cut_2 if encoder.cuts_left else 0)

    def __len__(self) -> int:
        return len(self._size_1)

    @property
    def lengths(self) -> Places:
        """Tokens of each pair, special tokens included."""
        return self._size_1 + self._size_2 + self._encoder.layout.special_tokens

    def inputs(self, pairs: Places, length: int) -> dict[str, npt.NDArray[np.int64]]:
        """Padded inputs of some pairs.

        Parameters
        ----------
        pairs : int array [rows]
        length : int
            At least the tokens of the longest.

        Returns
        -------
        dict of numpy.ndarray, int64 [rows, length]
            ``input_ids``, ``attention_mask`` and ``token_type_ids``; with heads also ``head_ids``
            [rows].
        """
        layout = self._encoder.layout
        sizes = np.empty((len(pairs), 5), dtype=np.int64)
        sizes[:, (0, 2, 4)] = len(layout.prefix), len(layout.middle), len(layout.suffix)
        sizes[:, 1], sizes[:, 3] = self._size_1[pairs], self._size_2[pairs]
        ends = sizes.cumsum(axis=1)
        column = np.arange(length)
        ids = np.full((len(pairs), length), self._encoder.pad_id, dtype=np.int64)
        types = np.zeros_like(ids)
        inside = column < ends[:, -1:]
        starts = ends - sizes
        for at in range(5):
            where = (column >= starts[:, at, None]) & (column < ends[:, at, None])
            rows, columns = np.nonzero(where)
            offsets = columns - starts[rows, at]
            ids[where] = self._part(at, pairs, rows, offsets)
            # A text has one type, each special token its own.
            kinds = np.array(layout.types[at], dtype=np.int64)
            types[where] = kinds[offsets] if at % 2 == 0 else kinds[0]
        mask = inside.astype(np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        if self._heads is not None:
            inputs[HEAD_IDS] = self._heads[pairs]
        return inputs

    def _part(self, at: int, pairs: Places, rows: Places, offsets: Places) -> Ids:
        """Ids at offsets within a part of the rows: prefix, first, middle, second, suffix."""
        if at % 2 == 0:
            return self._encoder.special[at // 2].take(offsets)
        if at == 1:
            return self._first.flat.take(self._start_1[pairs][rows] + offsets)
        return self._second.flat.take(self._start_2[pairs][rows] + offsets)
