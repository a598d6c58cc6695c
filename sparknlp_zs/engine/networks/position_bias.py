"""DeBERTa's attention bias: tokens' products with the positions of all other tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparknlp_zs.engine.networks.attention import scores_buffer
from sparknlp_zs.engine.networks.buffers import Buffers
from sparknlp_zs.engine.networks.packing import Group
from sparknlp_zs.engine.networks.positions import PositionTables

_BLOCK_BYTES = 256  # tokens per block times bytes per number: the fastest of 128 to 512 on a CPU


class PositionBias:
    """The bias of one group's rows, for all layers of a batch.

    Parameters
    ----------
    tables : PositionTables
    group : Group
    query, key : Tensor [rows, length, heads, size]
        Views of where each layer's queries and keys will be.
    buffers : Buffers
    """

    def __init__(
        self, tables: PositionTables, group: Group, query: Tensor, key: Tensor, buffers: Buffers
    ) -> None:
        self._tables, self._length, self._padding = tables, group.length, group.padding
        self._bias = scores_buffer(buffers, query.shape[2], group).transpose(0, 1)
        step = _BLOCK_BYTES // query.element_size()
        starts = range(0, group.length, step)
        ends = [min(start + step, group.length) for start in starts]
        self._of_queries, self._of_keys = [], []
        for start, end in zip(starts, ends, strict=True):
            # From a key j, i - j rises with i. Copying a transposed view is faster than adding it.
            by_key = self._bias[..., start:end].transpose(-1, -2)
            self._of_keys.append(_block(key, start, end, by_key, buffers))
            by_query = self._bias[:, :, start:end]
            self._of_queries.append(_block(query, start, end, by_query, buffers))

    def __call__(self, layer: int) -> Tensor:
        """The bias [rows, heads, length, length], valid until the next call for any group."""
        length = self._length
        table = self._tables.layer(layer, length)
        if table.queries is None:
            self._bias.zero_()
        else:
            rising = table.rising(table.queries, length)
            for block in self._of_keys:
                block.target.copy_(block.products(rising))
        if table.keys is not None:
            falling = table.falling(table.keys, length)
            for block in self._of_queries:
                block.target.add_(block.products(falling))
        return self._bias if self._padding is None else self._bias.add_(self._padding)


@dataclass(frozen=True)
class _Block:
    """Some tokens of each row: they share most of their offsets to others, distant ones few.

    ``content`` [heads, rows, tokens, size] is a view of queries or keys, and ``flat`` a view of
    [heads, rows * tokens, size] if there is one. ``out`` takes the products with the positions at
    ``offsets`` from any of the tokens, and ``by_token`` shows those at a token's own offsets,
    [rows, heads, tokens, length]; ``target`` is where they belong.
    """

    content: Tensor
    flat: Tensor | None
    first: int
    offsets: int
    out: Tensor
    by_token: Tensor
    target: Tensor

    def products(self, positions: Tensor) -> Tensor:
        """Those with the positions [heads, size, 2 length - 1] from a token to all tokens."""
        flat = self.content.flatten(1, 2) if self.flat is None else self.flat
        torch.bmm(flat, positions.narrow(2, self.first, self.offsets), out=self.out)
        return self.by_token


def _block(content: Tensor, start: int, end: int, target: Tensor, buffers: Buffers) -> _Block:
    """The tokens ``start`` to ``end`` of [rows, length, heads, size]."""
    rows, length, heads, _ = content.shape
    count, width = end - start, length + end - start - 1
    part = content[:, start:end].permute(2, 0, 1, 3)
    out = buffers.get("diagonals", (heads, rows * count, width))
    # The next token meets the same other token one column further left.
    strides = (count * width, rows * count * width, width - 1, 1)
    by_token = out.as_strided(
        (rows, heads, count, length), strides, out.storage_offset() + count - 1
    )
    flat = part.flatten(1, 2) if part.is_contiguous() else None
    return _Block(part, flat, length - end, width, out, by_token, target)
