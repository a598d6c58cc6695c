"""DeBERTa-v2 and -v3 sequence classifiers: exact, with attention rewritten to be fast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparknlp_zs.engine.networks.attention import Bias
from sparknlp_zs.engine.networks.encoder import EncoderNetwork
from sparknlp_zs.engine.networks.heads import TaskHeads
from sparknlp_zs.engine.networks.huggingface import Inputs
from sparknlp_zs.engine.networks.layers import bert_layer
from sparknlp_zs.engine.networks.packing import Group, Tokens
from sparknlp_zs.engine.networks.position_bias import PositionBias
from sparknlp_zs.engine.networks.positions import TERMS, PositionTables
from sparknlp_zs.engine.pairs import HEAD_IDS


def supports(config: Any) -> str | None:
    """Why a configuration is not covered; None if it is."""
    if config.model_type != "deberta-v2":
        return f"model type {config.model_type}"
    if not getattr(config, "relative_attention", False):
        return "no relative attention"
    if not set(config.pos_att_type or []) & set(TERMS):
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
        terms = sum(term in attention.pos_att_type for term in TERMS)
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
        self._positions_of = PositionTables(encoder, scale, device)
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

    def _bias_of(self, group: Group, query: Tensor, key: Tensor) -> Bias:
        return PositionBias(self._positions_of, group, query, key, self._buffers)

    def _first_bias(
        self, scores: Tensor, query: Tensor, states: Tensor, padding: Tensor | None
    ) -> Tensor:
        length = scores.shape[2]
        table = self._positions_of.first(length)
        # From the first token, i - j falls from 0: the later half of the offsets.
        if table.keys is not None:
            positions = table.falling(table.keys, length)[..., length - 1 :]
            scores += torch.einsum("rhd,hdj->rhj", query, positions)
        if table.states is not None and table.numbers is not None:
            rows = table.from_first(length)
            scores += torch.einsum("rjn,jhn->rhj", states, table.states.index_select(0, rows))
            scores += table.numbers.index_select(0, rows).t()
        return super()._first_bias(scores, query, states, padding)
