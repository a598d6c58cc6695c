"""DeBERTa-v2 and -v3 sequence classifiers: exact, with attention rewritten to be fast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from sparknlp_zs.engine.networks.buffers import Buffers
from sparknlp_zs.engine.networks.heads import TaskHeads
from sparknlp_zs.engine.networks.huggingface import Inputs
from sparknlp_zs.engine.networks.layers import EncoderNetwork, bert_layer
from sparknlp_zs.engine.networks.packing import Tokens
from sparknlp_zs.engine.pairs import HEAD_IDS

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
    """

    def __init__(self, model: Any, device: torch.device, input_names: list[str]) -> None:
        encoder = model.deberta.encoder
        attention = encoder.layer[0].attention.self
        terms = sum(term in attention.pos_att_type for term in _TERMS)
        scale = 1 / math.sqrt(attention.attention_head_size * (1 + terms))
        names = ("query_proj", "key_proj", "value_proj")
        layers = [bert_layer(module, names) for module in encoder.layer]
        heads = attention.num_attention_heads
        super().__init__(model, device, input_names, layers, heads, scale)
        self._embeddings = model.deberta.embeddings
        self._positions = bool(model.config.position_biased_input)  # else only offsets matter
        self._types = self._types and model.config.type_vocab_size > 0
        self._pooler = model.pooler
        self._classifier = model.classifier
        self._offsets = _Offsets(attention, device)
        embeddings = _position_embeddings(encoder)
        *others, last = (module.attention.self for module in encoder.layer)
        self._tables = [_position_table(x, embeddings, scale) for x in others]
        self._first = _first_table(last, embeddings, scale)
        self._task_heads: TaskHeads | None = None

    def use_heads(self, weights: Mapping[str, Tensor]) -> None:
        """Let inputs choose a task head per row, by ``head_ids`` [rows]."""
        dtype = self._embeddings.word_embeddings.weight.dtype
        self._task_heads = TaskHeads(weights, self.device, dtype)

    def _embed(self, tokens: Tokens) -> Tensor:
        words = self._embeddings.word_embeddings(tokens.ids)
        if self._task_heads is not None and tokens.heads is not None:
            words = self._task_heads.shift(words, tokens.heads)
        embedded: Tensor = self._embeddings(
            inputs_embeds=words, token_type_ids=tokens.types, position_ids=tokens.positions
        )
        return embedded.squeeze(0)

    def _outputs(self, first: Tensor, batch: Sequence[Inputs]) -> Tensor:
        if self._task_heads is None or HEAD_IDS not in batch[0]:
            return super()._outputs(first, batch)
        pooled = self._pooler(first.unsqueeze(1))
        heads = np.concatenate([inputs[HEAD_IDS] for inputs in batch])
        return self._task_heads.classify(pooled, heads)

    def _classify(self, first: Tensor) -> Tensor:
        logits: Tensor = self._classifier(self._pooler(first.unsqueeze(1)))
        return logits

    def _bias(self, at: int, query: Tensor, key: Tensor, padding: Tensor | None) -> Tensor:
        rows, length, heads, _ = query.shape
        bias = self._buffers.get("bias", (heads, rows, length, length)).transpose(0, 1)
        table = self._tables[at]
        if table.queries is None:
            bias.zero_()
        else:
            # From a key j, i - j rises with i.
            positions = self._offsets.rising(table.queries, length)
            for tokens, term in _diagonals(key, positions, self._buffers):
                # Copying a transposed view is faster than adding it.
                bias[..., tokens].copy_(term.transpose(-1, -2))
        if table.keys is not None:
            # From a query i, i - j falls as j rises.
            positions = self._offsets.falling(table.keys, length)
            for tokens, term in _diagonals(query, positions, self._buffers):
                bias[:, :, tokens].add_(term)
        return bias if padding is None else bias.add_(padding)

    def _first_bias(
        self, scores: Tensor, query: Tensor, states: Tensor, padding: Tensor | None
    ) -> Tensor:
        length, table = scores.shape[2], self._first
        # From the first token, i - j falls from 0: the later half of the offsets.
        if table.keys is not None:
            positions = self._offsets.falling(table.keys, length)[..., length - 1 :]
            scores += torch.einsum("rhd,hdj->rhj", query, positions)
        if table.states is not None and table.numbers is not None:
            rows = self._offsets.rows(length)[:length].flip(0)
            scores += torch.einsum("rjn,jhn->rhj", states, table.states.index_select(0, rows))
            scores += table.numbers.index_select(0, rows).t()
        return super()._first_bias(scores, query, states, padding)


def _diagonals(
    content: Tensor, positions: Tensor, buffers: Buffers
) -> Iterator[tuple[slice, Tensor]]:
    """Each token's products with the positions at its offsets to every token of the text.

    Tokens come in blocks: those of a block share most of their offsets, distant ones few.

    Parameters
    ----------
    content : Tensor [rows, length, heads, size]
        Queries or keys of all tokens of a text.
    positions : Tensor [heads, size, 2 length - 1]
        Ordered as the offsets from a token to the first, ..., last token of the text.
    buffers : Buffers

    Yields
    ------
    slice
        The tokens of the block.
    Tensor [rows, heads, tokens of the block, length]
        A view, valid until the next block.
    """
    rows, length, heads, size = content.shape
    step = _BLOCK_BYTES // content.element_size()
    for start in range(0, length, step):
        end = min(start + step, length)
        count, width = end - start, length + end - start - 1
        products = torch.bmm(
            content[:, start:end].permute(2, 0, 1, 3).reshape(heads, rows * count, size),
            positions[..., length - end : 2 * length - 1 - start],
            out=buffers.get("diagonals", (heads, rows * count, width)),
        )
        # The next token meets the same other token one column further left.
        strides = (count * width, rows * count * width, width - 1, 1)
        yield (
            slice(start, end),
            products.as_strided((rows, heads, count, length), strides, count - 1),
        )


@dataclass(frozen=True)
class _PositionTable:
    """Projected and scaled position embeddings of one layer, each [heads, size, 2 span].

    The order of their last axis is such that the offsets within a short text are a slice.
    """

    keys: Tensor | None  # for c2p, falling
    queries: Tensor | None  # for p2c, rising


def _position_table(attention: Any, embeddings: Tensor, scale: float) -> _PositionTable:
    """A layer's table, from float32 projections of the embeddings.

    Every process has its own: 17 MB in all for a DeBERTa-v3-base in bfloat16, 35 MB in float32.
    """
    return _PositionTable(*(_projected(term, attention, embeddings, scale) for term in _TERMS))


@dataclass(frozen=True)
class _FirstTable:
    """The position embeddings of the last layer, as seen from the first token."""

    keys: Tensor | None  # for c2p: [heads, size, 2 span], falling, to multiply with queries
    states: Tensor | None  # for p2c: [2 span, heads, hidden], to multiply with hidden states
    numbers: Tensor | None  # for p2c: [2 span, heads], to add


@torch.no_grad()
def _first_table(attention: Any, embeddings: Tensor, scale: float) -> _FirstTable:
    """The last layer's table; of positions' products with keys W h + b, W and b are in it."""
    keys = _projected("c2p", attention, embeddings, scale)
    queries = _projected("p2c", attention, embeddings, scale)
    if queries is None:
        return _FirstTable(keys, None, None)
    linear, dtype, heads = attention.key_proj, queries.dtype, len(queries)
    # The first token meets no token before it: the other half of the rows is never read.
    queries = queries.float().permute(2, 0, 1)[: queries.shape[2] // 2 + 1]
    weight = linear.weight.float().view(heads, -1, linear.in_features)
    states = torch.einsum("phd,hdn->phn", queries, weight).to(dtype)
    numbers = torch.einsum("phd,hd->ph", queries, linear.bias.float().view(heads, -1)).to(dtype)
    return _FirstTable(keys, states, numbers)


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
def _projected(term: str, attention: Any, embeddings: Tensor, scale: float) -> Tensor | None:
    """The embeddings as falling keys for c2p, or rising queries for p2c, [heads, size, 2 span]."""
    if term not in attention.pos_att_type:
        return None
    name = {"c2p": "key_proj", "p2c": "query_proj"}[term]
    linear = getattr(attention, name if attention.share_att_key else f"pos_{name}")
    projected = F.linear(embeddings, linear.weight.float(), linear.bias.float()) * scale
    heads = attention.num_attention_heads
    by_head = projected.to(linear.weight.dtype).view(len(projected), heads, -1)
    by_offset = by_head.permute(1, 2, 0)
    return (by_offset.flip(2) if term == "c2p" else by_offset).contiguous()


class _Offsets:
    """The position embeddings at the offsets within a text, from 1 - length to length - 1."""

    def __init__(self, attention: Any, device: torch.device) -> None:
        self._buckets = attention.position_buckets
        self._farthest = attention.max_relative_positions
        self._span = attention.pos_ebd_size
        self._device = device
        self._rows: dict[int, Tensor] = {}
        self._slices: dict[int, bool] = {}

    def rising(self, table: Tensor, length: int) -> Tensor:
        """Those of a table [heads, size, 2 span] in rising order, [heads, size, 2 length - 1]."""
        rows = self.rows(length)
        if self._slices[length]:
            return table[..., self._span - length + 1 : self._span + length]
        return table.index_select(2, rows)

    def falling(self, table: Tensor, length: int) -> Tensor:
        """The same from a table in falling order, in falling order."""
        rows = self.rows(length)
        if self._slices[length]:
            return table[..., self._span - length : self._span + length - 1]
        return table.index_select(2, 2 * self._span - 1 - rows.flip(0))

    def rows(self, length: int) -> Tensor:
        """Places in a rising table, int64 [2 length - 1]."""
        if length not in self._rows:
            offsets = torch.arange(1 - length, length)
            if self._buckets > 0:
                # The stock function, so that its logarithm rounds alike.
                offsets = make_log_bucket_position(offsets, self._buckets, self._farthest).long()
            rows = (offsets + self._span).clamp(0, 2 * self._span - 1)
            # No bucket of a short text holds two offsets, and none is clamped.
            self._slices[length] = bool((rows.diff() == 1).all())
            self._rows[length] = rows.to(self._device)
        return self._rows[length]
