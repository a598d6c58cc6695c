"""DeBERTa's position embeddings, projected once per layer for the lengths that occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sparknlp_zs.engine.mapped import digest, mapped_tensors

TERMS = ("c2p", "p2c")  # content to position, position to content
_LENGTHS = (64, 128, 256)  # tables of these lengths are made before those of all offsets
_SHARED_BYTES = 2**20  # smaller tables are not worth a file
_FORMAT = 1  # of the file: another when tables of equal inputs become others


class Offsets:
    """The rows of the position embeddings at the offsets within a text, 1 - length to length - 1.

    Parameters
    ----------
    attention : transformers' DisentangledSelfAttention
    device : torch.device
    """

    def __init__(self, attention: Any, device: torch.device) -> None:
        self._buckets = attention.position_buckets
        self._farthest = attention.max_relative_positions
        self.span: int = attention.pos_ebd_size
        self._device = device
        self._rows: dict[int, Tensor] = {}
        self._slices: dict[int, bool] = {}

    def rows(self, length: int) -> Tensor:
        """Rows of the embeddings, int64 [2 length - 1]."""
        if length not in self._rows:
            offsets = torch.arange(1 - length, length)
            if self._buckets > 0:
                offsets = log_buckets(offsets, self._buckets, self._farthest)
            rows = (offsets + self.span).clamp(0, 2 * self.span - 1)
            # No bucket of a short text holds two offsets, and none is clamped.
            self._slices[length] = bool((rows.diff() == 1).all())
            self._rows[length] = rows.to(self._device)
        return self._rows[length]

    def are_slice(self, length: int) -> bool:
        """Whether those rows follow one another."""
        self.rows(length)
        return self._slices[length]


def log_buckets(offsets: Tensor, buckets: int, farthest: int) -> Tensor:
    """Offsets as they are within half the buckets, and beyond in steps that grow with them.

    As ``make_log_bucket_position`` of transformers' DeBERTa-v2, operation by operation, so that
    the logarithm rounds alike.

    Examples
    --------
    >>> log_buckets(torch.tensor([-600, -9, 3, 20, 600]), buckets=16, farthest=512).tolist()
    [-16, -9, 3, 10, 16]
    """
    half = buckets // 2
    near = (offsets < half) & (offsets > -half)
    distance = torch.where(near, torch.tensor(half - 1).type_as(offsets), offsets.abs())
    steps = torch.log(distance / half) / torch.log(torch.tensor((farthest - 1) / half))
    far = (steps * (half - 1)).ceil() + half
    return torch.where(distance <= half, offsets.type_as(far), far * offsets.sign()).long()


@dataclass(frozen=True)
class _Table:
    """What all tables share: how the offsets of a text are found on their last axis.

    ``centre`` is the place of offset 0 in rising order, ``width`` the number of places.
    """

    offsets: Offsets
    centre: int
    width: int

    def rising(self, table: Tensor, length: int) -> Tensor:
        """Those of a table [..., width] in rising order, [..., 2 length - 1]."""
        if self.offsets.are_slice(length):
            return table[..., self.centre - length + 1 : self.centre + length]
        return table.index_select(table.dim() - 1, self.offsets.rows(length))

    def falling(self, table: Tensor, length: int) -> Tensor:
        """The same from a table in falling order, in falling order."""
        if self.offsets.are_slice(length):
            start = self.width - self.centre - length
            return table[..., start : start + 2 * length - 1]
        rows = self.offsets.rows(length)
        return table.index_select(table.dim() - 1, self.width - 1 - rows.flip(0))


@dataclass(frozen=True)
class LayerTable(_Table):
    """Projected and scaled position embeddings of one layer, each [heads, size, width].

    The order of their last axis is such that the offsets within a short text are a slice.
    """

    keys: Tensor | None  # for c2p, falling
    queries: Tensor | None  # for p2c, rising


@dataclass(frozen=True)
class FirstTable(_Table):
    """The position embeddings of the last layer, as seen from the first token."""

    keys: Tensor | None  # for c2p: [heads, size, width], falling, to multiply with queries
    states: Tensor | None  # for p2c: [centre + 1, heads, hidden], to multiply with hidden states
    numbers: Tensor | None  # for p2c: [centre + 1, heads], to add

    def from_first(self, length: int) -> Tensor:
        """Rows of ``states`` at the offsets from the first token to every token."""
        rows = self.offsets.rows(length)[:length].flip(0)
        return rows - (self.offsets.span - self.centre)


class PositionTables:
    """The tables of all layers of an encoder.

    For a DeBERTa-v3-base and texts of any length they take 43 MB in float32, 22 in bfloat16; a
    quarter of it up to 64 tokens. They are made anew when a longer text comes, of the same
    numbers. On a CPU, those worth it are kept in a file that all processes of a host map.

    Parameters
    ----------
    encoder : transformers' DebertaV2Encoder
    scale : float
        Factor of the products of query and key.
    device : torch.device
    """

    def __init__(self, encoder: Any, scale: float, device: torch.device) -> None:
        self._attentions = [module.attention.self for module in encoder.layer]
        self._embeddings = _position_embeddings(encoder)
        self._scale = scale
        self._device = device
        self._offsets = Offsets(self._attentions[0], device)
        self._longest = 0
        self._layers: Sequence[LayerTable] = ()
        self._first: FirstTable | None = None

    def layer(self, at: int, length: int) -> LayerTable:
        """The table of a layer but the last, for texts of this many tokens."""
        self._reach(length)
        return self._layers[at]

    def first(self, length: int) -> FirstTable:
        """The last layer's table, for texts of this many tokens."""
        self._reach(length)
        assert self._first is not None
        return self._first

    def _reach(self, length: int) -> None:
        if length <= self._longest:
            return
        offsets = self._offsets
        fitting = [x for x in _LENGTHS if length <= x <= offsets.span and offsets.are_slice(x)]
        if fitting:
            self._longest = fitting[0]
            kept = slice(offsets.span - fitting[0] + 1, offsets.span + fitting[0])
            table = _Table(offsets, fitting[0] - 1, 2 * fitting[0] - 1)
        else:
            self._longest = 10**9
            kept = slice(0, 2 * offsets.span)
            table = _Table(offsets, offsets.span, 2 * offsets.span)
        self._layers, self._first = (), None  # freed before more is taken
        found = self._tensors(table, kept)
        parts = (offsets, table.centre, table.width)
        self._layers = [
            LayerTable(*parts, found.get(f"{at}.c2p"), found.get(f"{at}.p2c"))
            for at in range(len(self._attentions) - 1)
        ]
        names = ("first.c2p", "first.states", "first.numbers")
        self._first = FirstTable(*parts, *map(found.get, names))

    def _tensors(self, table: _Table, kept: slice) -> dict[str, Tensor]:
        """Those of all tables, by name."""
        make = partial(self._made, table, kept)
        dtype = self._attentions[0].key_proj.weight.dtype
        size = table.width * self._embeddings.shape[1] * len(self._attentions) * dtype.itemsize
        if self._device.type != "cpu" or size < _SHARED_BYTES:
            return make()
        return mapped_tensors(f"positions-{self._digest}-{table.width}", make)

    @cached_property
    def _digest(self) -> str:
        """Of all that the tables depend on."""
        facts = [
            (sorted(x.pos_att_type), x.share_att_key, x.num_attention_heads)
            for x in self._attentions
        ]
        linears = [x for attention in self._attentions for x in _linears(attention).values()]
        linears.append(self._attentions[-1].key_proj)  # for the first token
        weights = [x for linear in linears for x in (linear.weight, linear.bias)]
        return digest([self._embeddings, *weights], _FORMAT, self._scale, facts)

    @torch.no_grad()
    def _made(self, table: _Table, kept: slice) -> dict[str, Tensor]:
        *others, last = self._attentions
        found = {
            f"{at}.{term}": self._projected(term, attention, kept)
            for at, attention in enumerate(others)
            for term in _linears(attention)
        }
        return found | self._made_first(table, kept, last)

    def _made_first(self, table: _Table, kept: slice, attention: Any) -> dict[str, Tensor]:
        """Of positions' products with keys W h + b, W and b are in the table."""
        terms = _linears(attention)
        found = {}
        if "c2p" in terms:
            found["first.c2p"] = self._projected("c2p", attention, kept)
        if "p2c" in terms:
            queries = self._projected("p2c", attention, kept)
            linear, dtype, heads = attention.key_proj, queries.dtype, len(queries)
            # The first token meets no token before it: the other half of the rows is never read.
            asked = queries.float().permute(2, 0, 1)[: table.centre + 1]
            weight = linear.weight.float().view(heads, -1, linear.in_features)
            found["first.states"] = torch.einsum("phd,hdn->phn", asked, weight).to(dtype)
            bias = linear.bias.float().view(heads, -1)
            found["first.numbers"] = torch.einsum("phd,hd->ph", asked, bias).to(dtype)
        return {name: tensor.contiguous() for name, tensor in found.items()}

    def _projected(self, term: str, attention: Any, kept: slice) -> Tensor:
        """The embeddings as falling keys for c2p, or rising queries for p2c, [heads, size, width].

        All are projected and then some kept, so that numbers never depend on the lengths.
        """
        linear = _linears(attention)[term]
        projected = F.linear(self._embeddings, linear.weight.float(), linear.bias.float())
        by_row = (projected * self._scale).to(linear.weight.dtype)[kept]
        by_offset = by_row.view(len(by_row), attention.num_attention_heads, -1).permute(1, 2, 0)
        return (by_offset.flip(2) if term == "c2p" else by_offset).contiguous()


def _linears(attention: Any) -> dict[str, Any]:
    """What projects the positions for each term that the model has."""
    prefix = "" if attention.share_att_key else "pos_"
    names = {"c2p": f"{prefix}key_proj", "p2c": f"{prefix}query_proj"}
    return {
        term: getattr(attention, names[term]) for term in TERMS if term in attention.pos_att_type
    }


@torch.no_grad()
def _position_embeddings(encoder: Any) -> Tensor:
    """The position embeddings, normed if the model does so, as float32 [2 span, hidden]."""
    span = encoder.layer[0].attention.self.pos_ebd_size
    embeddings: Tensor = encoder.rel_embeddings.weight[: 2 * span].float()
    if "layer_norm" in encoder.norm_rel_ebd:
        norm = encoder.LayerNorm
        shape, weight, bias = norm.normalized_shape, norm.weight.float(), norm.bias.float()
        embeddings = F.layer_norm(embeddings, shape, weight, bias, norm.eps)
    return embeddings
