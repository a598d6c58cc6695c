"""DeBERTa-v2 and -v3 sequence classifiers: exact, with attention rewritten to be fast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from sparknlp_zs.engine.head_encoding import HEAD_IDS
from sparknlp_zs.engine.networks.heads import TaskHeads
from sparknlp_zs.engine.networks.layers import EncoderNetwork, bert_layer

_TERMS = ("c2p", "p2c")  # content to position, position to content
_BLOCK_BYTES = 256  # tokens per block times bytes per number: the fastest of 128 to 512 on a CPU


def supports(config: Any) -> str | None:
    """Why a configuration is not covered; None if it is."""
    if config.model_type != "deberta-v2":
        return f"model type {config.model_type}"
    if not getattr(config, "relative_attention", False):
        return "no relative attention"
    if not set(config.pos_att_type or []) & set(_TERMS):
        return f"pos_att_type {config.pos_att_type}"
    if getattr(config, "conv_kernel_size", 0) > 0:
        return f"conv_kernel_size {config.conv_kernel_size}"
    return None


class DebertaNetwork(EncoderNetwork):
    """A DeBERTa-v2 or -v3 sequence classifier.

    The stock model projects all position embeddings anew for every batch and layer, multiplies
    every token with all of them, and gathers. But they are the same for every batch, and only
    2 length - 1 offsets occur between tokens. So the embeddings are projected when the model is
    loaded, tokens are multiplied with the rows at those offsets, and the products are read along
    diagonals, by a strided view.

    Parameters
    ----------
    model : transformers.DebertaV2ForSequenceClassification
        In eval mode, on ``device``.
    device : torch.device
    input_names : list of str
        The inputs that the model takes.
    fuse_qkv : bool
        Compute query, key and value in one product, from a private copy of their weights.
    """

    def __init__(
        self, model: Any, device: torch.device, input_names: list[str], fuse_qkv: bool = True
    ) -> None:
        encoder = model.deberta.encoder
        attention = encoder.layer[0].attention.self
        terms = sum(term in attention.pos_att_type for term in _TERMS)
        scale = 1 / math.sqrt(attention.attention_head_size * (1 + terms))
        names = ("query_proj", "key_proj", "value_proj")
        layers = [bert_layer(module, fuse_qkv, names) for module in encoder.layer]
        heads = attention.num_attention_heads
        super().__init__(model, device, input_names, layers, heads, scale)
        self._embeddings = model.deberta.embeddings
        self._pooler = model.pooler
        self._classifier = model.classifier
        self._offsets = _Offsets(attention, device)
        self._tables = list(_position_tables(encoder, scale))
        self._task_heads: TaskHeads | None = None

    def use_heads(self, weights: Mapping[str, Tensor]) -> None:
        """Let inputs choose a task head per row, by ``head_ids`` [rows]."""
        dtype = self._embeddings.word_embeddings.weight.dtype
        self._task_heads = TaskHeads(weights, self.device, dtype)
        self._input_names |= {HEAD_IDS}

    def _embed(self, tensors: dict[str, Tensor]) -> Tensor:
        words = self._embeddings.word_embeddings(tensors["input_ids"])
        if self._task_heads is not None and HEAD_IDS in tensors:
            words = self._task_heads.shift(words, tensors[HEAD_IDS])
        embedded: Tensor = self._embeddings(
            inputs_embeds=words,
            token_type_ids=tensors.get("token_type_ids"),
            mask=tensors.get("attention_mask"),
        )
        return embedded

    def _outputs(self, tensors: dict[str, Tensor]) -> Tensor:
        if self._task_heads is None or HEAD_IDS not in tensors:
            return super()._outputs(tensors)
        pooled = self._pooler(self._first_token(tensors))
        return self._task_heads.classify(pooled, tensors[HEAD_IDS])

    def _classify(self, first: Tensor) -> Tensor:
        logits: Tensor = self._classifier(self._pooler(first))
        return logits

    def _bias(self, at: int, query: Tensor, key: Tensor, padding: Tensor | None) -> Tensor:
        (rows, queries, heads, _), length = query.shape, key.shape[1]
        bias = query.new_empty(rows, heads, queries, length)
        table, offsets = self._tables[at], self._offsets.rows(length)
        start = query.new_zeros(()) if padding is None else padding
        if table.keys is None:
            bias.copy_(start)
        else:
            # From a query, i - j falls as j rises.
            positions = table.keys.index_select(0, offsets.flip(0))
            for tokens, term in _diagonals(query, positions):
                torch.add(term, start, out=bias[:, :, tokens])
        if table.queries is not None and queries < length:
            # To the first token, each key meets one offset only, j of them falling from 0.
            positions = table.queries.index_select(0, offsets[:length].flip(0))
            bias += torch.einsum("bjhd,jhd->bhj", key, positions).unsqueeze(2)
        elif table.queries is not None:
            positions = table.queries.index_select(0, offsets)
            for tokens, term in _diagonals(key, positions):
                # Adding a transposed view is slower than transposing first.
                bias[..., tokens].add_(term.transpose(-1, -2).contiguous())
        return bias


def _diagonals(content: Tensor, positions: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Each token's products with the positions at its offsets to every token of the text.

    Tokens come in blocks: those of a block share most of their offsets, distant ones few.

    Parameters
    ----------
    content : Tensor [rows, tokens, heads, size]
        Queries or keys of all tokens of a text, or of its first tokens.
    positions : Tensor [2 length - 1, heads, size]
        Ordered as the offsets from a token to the first, ..., last token of the text.

    Yields
    ------
    slice
        The tokens of the block.
    Tensor [rows, heads, tokens of the block, length]
        A view.
    """
    rows, tokens, heads, size = content.shape
    length = (len(positions) + 1) // 2
    step = _BLOCK_BYTES // content.element_size()
    for start in range(0, tokens, step):
        end = min(start + step, tokens)
        count, width = end - start, length + end - start - 1
        products = torch.bmm(
            content[:, start:end].permute(2, 0, 1, 3).reshape(heads, rows * count, size),
            positions[length - end : 2 * length - 1 - start].permute(1, 2, 0),
        )
        # The next token meets the same other token one column further left.
        strides = (count * width, rows * count * width, width - 1, 1)
        yield (
            slice(start, end),
            products.as_strided((rows, heads, count, length), strides, count - 1),
        )


@dataclass(frozen=True)
class _PositionTable:
    """Projected and scaled position embeddings of one layer, each [2 span, heads, size]."""

    keys: Tensor | None  # for c2p
    queries: Tensor | None  # for p2c


def _position_tables(encoder: Any, scale: float) -> Iterator[_PositionTable]:
    """Each layer's table, from float32 projections of the embeddings.

    Every process has its own: 19 MB for a DeBERTa-v3-base in bfloat16, 38 MB in float32.
    """
    embeddings = _position_embeddings(encoder)
    for module in encoder.layer:
        attention = module.attention.self
        heads = attention.num_attention_heads
        projections: list[Tensor | None] = [None, None]
        for at, (term, name) in enumerate(zip(_TERMS, ("key_proj", "query_proj"), strict=True)):
            if term in attention.pos_att_type:
                linear = getattr(attention, name if attention.share_att_key else f"pos_{name}")
                projections[at] = _projected(embeddings, linear, heads, scale)
        yield _PositionTable(*projections)


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


@torch.no_grad()
def _projected(embeddings: Tensor, linear: nn.Linear, heads: int, scale: float) -> Tensor:
    projected = F.linear(embeddings, linear.weight.float(), linear.bias.float()) * scale
    return projected.to(linear.weight.dtype).view(len(projected), heads, -1)


class _Offsets:
    """The position embeddings' rows for the offsets within a text."""

    def __init__(self, attention: Any, device: torch.device) -> None:
        self._buckets = attention.position_buckets
        self._farthest = attention.max_relative_positions
        self._span = attention.pos_ebd_size
        self._device = device
        self._rows: dict[int, Tensor] = {}

    def rows(self, length: int) -> Tensor:
        """Rows for the offsets from 1 - length to length - 1, int64 [2 length - 1]."""
        if length not in self._rows:
            offsets = torch.arange(1 - length, length)
            if self._buckets > 0:
                # The stock function, so that its logarithm rounds alike.
                offsets = make_log_bucket_position(offsets, self._buckets, self._farthest).long()
            rows = (offsets + self._span).clamp(0, 2 * self._span - 1)
            self._rows[length] = rows.to(self._device)
        return self._rows[length]
