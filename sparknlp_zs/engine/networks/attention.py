"""Attention by plain products, for rows so short that a fused kernel's blocks stay empty."""

from __future__ import annotations

import torch
from torch import Tensor

from sparknlp_zs.engine.networks.buffers import Buffers


def heads_first(part: Tensor, buffers: Buffers, name: str) -> Tensor:
    """A contiguous copy [heads, rows, tokens, size] of [rows, tokens, heads, size]."""
    moved = part.permute(2, 0, 1, 3)
    return buffers.get(name, tuple(moved.shape)).copy_(moved)


def plain_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float, buffers: Buffers
) -> Tensor:
    """Softmax(scale * query key^T + bias) value, the softmax in float32.

    Parameters
    ----------
    query, key, value : Tensor [heads, rows, tokens, size]
        Contiguous; the query may have fewer tokens, and is overwritten.
    bias : Tensor or None
        [rows, heads or 1, 1 or queries, tokens]. One for each head lies heads first in memory, and
        is changed.
    scale : float
    buffers : Buffers

    Returns
    -------
    Tensor [heads, rows, queries, size]
        Where the query was.
    """
    heads, rows, queries, _ = query.shape
    q, k, v = (part.flatten(0, 1) for part in (query, key, value))
    full = (heads, rows, queries, key.shape[2])
    if bias is not None and bias.shape[1] == heads:
        scores = bias.transpose(0, 1)
    else:
        scores = buffers.get("scores", full)
        scores.zero_() if bias is None else scores.copy_(bias.transpose(0, 1))
    scores = scores.view(heads * rows, *full[2:]).baddbmm_(q, k.transpose(1, 2), alpha=scale)
    # In float32, where a CPU's softmax is also several times as fast.
    weights = scores.float().softmax(-1).to(scores.dtype)
    torch.bmm(weights, v, out=q)
    return query
