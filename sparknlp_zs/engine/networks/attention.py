"""Attention of the rows of one group: views of buffers that serve all layers of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from sparknlp_zs.engine.networks.buffers import Buffers
from sparknlp_zs.engine.networks.packing import Group

# What a layer adds to the scaled scores of a group, [rows, heads or 1, length or 1, length].
Bias: TypeAlias = Callable[[int], "Tensor | None"]
# The bias of a group, given views of its queries and keys [rows, length, heads, size].
BiasOf: TypeAlias = Callable[[Group, Tensor, Tensor], Bias]


@dataclass(frozen=True)
class Place:
    """Where the attention of one group's rows happens.

    Parameters
    ----------
    group : Group
    projected : Tensor [3, tokens, hidden]
        Queries, keys and values of all tokens of the batch.
    context : Tensor [tokens, hidden]
        Takes the group's result.
    heads : int
    scale : float
        Factor of the products of query and key.
    bias_of : callable
        Gives the group's bias, once; the bias is asked again by every layer.
    """

    group: Group
    projected: Tensor
    context: Tensor
    heads: int
    scale: float
    bias_of: BiasOf

    @property
    def target(self) -> Tensor:
        """The group's part of the context, a view [rows, length, heads, size]."""
        return self.group.of(self.context, self.heads)


class FusedAttention:
    """torch's fused attention."""

    def __init__(self, place: Place) -> None:
        query, key, value = (place.group.of(part, place.heads) for part in place.projected)
        self._query, self._key = query.transpose(1, 2), key.transpose(1, 2)
        self._value = value.transpose(1, 2)
        self._target = place.target.transpose(1, 2)
        self._bias = place.bias_of(place.group, query, key)
        self._scale = place.scale

    def __call__(self, layer: int) -> None:
        """Attend in that layer."""
        found = F.scaled_dot_product_attention(
            self._query,
            self._key,
            self._value,
            attn_mask=self._bias(layer),
            scale=self._scale,
        )
        self._target.copy_(found)


class PlainAttention:
    """Plain products, for rows so short that a fused kernel's blocks stay empty.

    The buffers are for copies and scores.
    """

    def __init__(self, place: Place, buffers: Buffers) -> None:
        group, heads, projected = place.group, place.heads, place.projected
        rows, length = group.rows, group.length
        packed = projected[:, group.tokens].view(len(projected), rows, length, heads, -1)
        self._packed = packed.permute(0, 3, 1, 2, 4)  # heads first
        self._split = split_buffer(buffers, tuple(self._packed.shape))
        query, key, value = self._split.unbind()
        self._found = query.permute(1, 2, 0, 3)
        self._bias = place.bias_of(group, self._found, key.permute(1, 2, 0, 3))
        self._query, self._value = query.flatten(0, 1), value.flatten(0, 1)
        self._keys = key.flatten(0, 1).transpose(1, 2)
        # A bias that each head has lies there already.
        self._by_head = scores_buffer(buffers, heads, group)
        self._scores = self._by_head.flatten(0, 1)
        self._target = place.target
        self._scale = place.scale

    def __call__(self, layer: int) -> None:
        """Attend in that layer; the softmax is computed in float32."""
        self._split.copy_(self._packed)
        bias = self._bias(layer)
        if bias is None:
            self._scores.zero_()
        elif bias.shape[1] == 1:
            self._by_head.copy_(bias.transpose(0, 1))
        scores = self._scores.baddbmm_(self._query, self._keys, alpha=self._scale)
        # In float32, where a CPU's softmax is also several times as fast.
        weights = scores.float().softmax(-1).to(scores.dtype)
        torch.bmm(weights, self._value, out=self._query)  # no query is needed any more
        self._target.copy_(self._found)


def split_buffer(buffers: Buffers, shape: tuple[int, ...]) -> Tensor:
    """The memory of queries, keys and values by head; free before a layer's attention."""
    return buffers.get("split", shape)


def scores_buffer(buffers: Buffers, heads: int, group: Group) -> Tensor:
    """The memory of a group's scores, [heads, rows, length, length]."""
    return buffers.get("scores", (heads, group.rows, group.length, group.length))
