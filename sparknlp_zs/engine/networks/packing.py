"""Rows of different lengths as one long list of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sparknlp_zs.engine.networks.huggingface import Inputs
from sparknlp_zs.engine.pairs import HEAD_IDS


@dataclass(frozen=True)
class Group:
    """Rows of one padded length among the tokens of a batch."""

    rows: int
    length: int
    start: int  # its first token's place
    first_row: int
    padding: Tensor | None  # [rows, 1, 1, length]; None if nothing is padded

    @property
    def tokens(self) -> slice:
        return slice(self.start, self.start + self.rows * self.length)

    @property
    def row_slice(self) -> slice:
        return slice(self.first_row, self.first_row + self.rows)

    @property
    def real_tokens(self) -> Tensor | None:
        """Which tokens are no padding, bool [rows, length]; None if all are."""
        return None if self.padding is None else self.padding[:, 0, 0] == 0

    def of(self, packed: Tensor, heads: int) -> Tensor:
        """The group's part of [tokens, hidden] as a view [rows, length, heads, size]."""
        return packed[self.tokens].view(self.rows, self.length, heads, -1)


@dataclass(frozen=True)
class Tokens:
    """What the embeddings of tokens depend on, each int64 [1, tokens]."""

    ids: Tensor
    positions: Tensor | None  # from 0
    types: Tensor | None
    heads: Tensor | None = None  # 1 + the task head of a first token; 0 for other tokens


def groups_of(batch: Sequence[Inputs], dtype: torch.dtype, device: torch.device) -> Iterator[Group]:
    """The groups of a batch, whose inputs are [rows, length] each, padded on the right."""
    start = first_row = 0
    for inputs in batch:
        rows, length = inputs["input_ids"].shape
        mask = inputs.get("attention_mask")
        # Seen in numpy, where it does not wait for a GPU.
        padded = mask is not None and not mask.all()
        padding = _padding(torch.from_numpy(mask).to(device), dtype) if padded else None
        yield Group(rows, length, start, first_row, padding)
        start, first_row = start + rows * length, first_row + rows


def distinct_tokens(
    batch: Sequence[Inputs], positions: bool, types: bool, step: int, device: torch.device
) -> tuple[Tokens, Tensor]:
    """The distinct tokens of a batch, and each token's place among them.

    Labels repeat a text, and texts a hypothesis: most tokens of a batch occur many times.

    Parameters
    ----------
    batch : sequence of dict of int64 arrays [rows, length]
        With ``head_ids`` [rows] in all of them or in none.
    positions, types : bool
        Whether a token's position, or type, makes it another.
    step : int
        The number of tokens is rounded up to its multiples, that of distinct ones too.
    device : torch.device

    Returns
    -------
    Tokens
    Tensor of int64 [tokens]
    """
    names = ("ids", "positions", "types", "heads")
    parts: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in names}
    for inputs in batch:
        rows, length = inputs["input_ids"].shape
        parts["ids"].append(inputs["input_ids"].ravel())
        if positions:
            parts["positions"].append(np.tile(np.arange(length), rows))
        if types:
            parts["types"].append(inputs["token_type_ids"].ravel())
        if HEAD_IDS in inputs:
            heads = np.zeros((rows, length), np.int64)
            heads[:, 0] = inputs[HEAD_IDS] + 1
            parts["heads"].append(heads.ravel())
    flat = {name: np.concatenate(arrays) for name, arrays in parts.items() if arrays}
    key = np.zeros_like(flat["ids"])
    for array in flat.values():
        key = key * (int(array.max()) + 1) + array
    _, first, place_of = np.unique(key, return_index=True, return_inverse=True)
    chosen = np.append(first, np.zeros(-len(first) % (4 * step), np.int64))
    place_of = np.append(place_of, np.zeros(-len(place_of) % step, np.int64))

    def tensor(array: npt.NDArray[np.int64] | None) -> Tensor | None:
        return None if array is None else torch.from_numpy(array[chosen][None]).to(device)

    ids = torch.from_numpy(flat["ids"][chosen][None]).to(device)
    tokens = Tokens(ids, *(tensor(flat.get(name)) for name in names[1:]))
    return tokens, torch.from_numpy(place_of).to(device)


def _padding(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Zero for tokens and hugely negative for padding, [rows, 1, 1, length]."""
    # Half the minimum: nothing added to it overflows, and a row of padding alone gives no NaN.
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill_(mask == 0, torch.finfo(dtype).min / 2)[:, None, None, :]
