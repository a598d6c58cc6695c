"""BERT, RoBERTa and DistilBERT sequence classifiers, the last layer for the first token only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sparknlp_zs.engine.networks.encoder import EncoderNetwork
from sparknlp_zs.engine.networks.layers import Layer, bert_layer, in_place
from sparknlp_zs.engine.networks.packing import Tokens

_MODEL_TYPES = frozenset({"bert", "roberta", "xlm-roberta", "camembert", "distilbert"})


def supports(config: Any) -> str | None:
    """Why a configuration is not covered; None if it is."""
    if config.model_type not in _MODEL_TYPES:
        return f"model type {config.model_type}"
    if getattr(config, "is_decoder", False) or getattr(config, "add_cross_attention", False):
        return "it is a decoder"
    if getattr(config, "position_embedding_type", None) not in (None, "absolute"):
        return f"position_embedding_type {config.position_embedding_type}"
    return None


class BertNetwork(EncoderNetwork):
    """A BERT sequence classifier.

    Parameters
    ----------
    model : transformers.BertForSequenceClassification
        In eval mode, on ``device``.
    device : torch.device
    input_names : list of str
        The inputs that the model takes.
    """

    def __init__(self, model: Any, device: torch.device, input_names: list[str]) -> None:
        layers = self._find_layers(model.base_model)
        heads = model.config.num_attention_heads
        scale = (layers[0].query.out_features // heads) ** -0.5
        super().__init__(model, device, input_names, layers, heads, scale)
        self._embeddings = model.base_model.embeddings
        self._pooler: Any = self._find_pooler(model)
        self._classifier: Any = getattr(model, "classifier", None)  # none if it is an encoder alone

    def _find_layers(self, encoder: Any) -> list[Layer]:
        return [bert_layer(module) for module in encoder.encoder.layer]

    def _find_pooler(self, model: Any) -> Any:
        return getattr(model.base_model, "pooler", None)

    def _embed(self, tokens: Tokens) -> Tensor:
        # Without token types, the stock module fills in.
        embedded: Tensor = self._embeddings(
            input_ids=tokens.ids, token_type_ids=tokens.types, position_ids=tokens.positions
        )
        return embedded.squeeze(0)

    def _classify(self, first: Tensor) -> Tensor:
        logits: Tensor = self._classifier(self._pooler(first.unsqueeze(1)))
        return logits


class RobertaNetwork(BertNetwork):
    """A RoBERTa, XLM-RoBERTa or CamemBERT sequence classifier, whose head has no pooler."""

    def _find_pooler(self, model: Any) -> Any:
        return torch.nn.Identity()

    def _embed(self, tokens: Tokens) -> Tensor:
        assert tokens.positions is not None
        after_padding = tokens.positions + self._embeddings.padding_idx + 1
        return super()._embed(replace(tokens, positions=after_padding))


class DistilBertNetwork(BertNetwork):
    """A DistilBERT sequence classifier."""

    def _find_layers(self, encoder: Any) -> list[Layer]:
        return [_distilbert_layer(module) for module in encoder.transformer.layer]

    def _find_pooler(self, model: Any) -> Any:
        return getattr(model, "pre_classifier", None)

    def _embed(self, tokens: Tokens) -> Tensor:
        # There are no token types, and the stock module takes no positions.
        parts = self._embeddings
        words, places = parts.word_embeddings(tokens.ids), parts.position_embeddings
        embedded: Tensor = parts.LayerNorm(words + places(tokens.positions))
        return embedded.squeeze(0)

    def _classify(self, first: Tensor) -> Tensor:
        logits: Tensor = self._classifier(self._pooler(first).relu())
        return logits


def _distilbert_layer(module: Any) -> Layer:
    attention = module.attention
    return Layer(
        query=attention.q_lin,
        key=attention.k_lin,
        value=attention.v_lin,
        attention_output=attention.out_lin,
        attention_norm=module.sa_layer_norm,
        up=module.ffn.lin1,
        activation=in_place(module.ffn.activation),
        down=module.ffn.lin2,
        output_norm=module.output_layer_norm,
    )
