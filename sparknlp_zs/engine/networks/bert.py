"""BERT, RoBERTa and DistilBERT sequence classifiers, the last layer for the first token only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sparknlp_zs.engine.networks.layers import EncoderNetwork, Layer, Projections, bert_layer

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
    fuse_qkv : bool
        Compute query, key and value in one product, from a private copy of their weights.
    """

    def __init__(
        self, model: Any, device: torch.device, input_names: list[str], fuse_qkv: bool = True
    ) -> None:
        layers = self._find_layers(model.base_model, fuse_qkv)
        heads = model.config.num_attention_heads
        scale = (layers[0].projections.size // heads) ** -0.5
        super().__init__(model, device, input_names, layers, heads, scale)
        self._embeddings = model.base_model.embeddings
        self._pooler = self._find_pooler(model)
        self._classifier = model.classifier

    def _find_layers(self, encoder: Any, fuse_qkv: bool) -> list[Layer]:
        return [bert_layer(module, fuse_qkv) for module in encoder.encoder.layer]

    def _find_pooler(self, model: Any) -> Any:
        return model.base_model.pooler

    def _embed(self, tensors: dict[str, Tensor]) -> Tensor:
        # Without token types, and for RoBERTa's positions, the stock module fills in.
        embedded: Tensor = self._embeddings(
            input_ids=tensors["input_ids"], token_type_ids=tensors.get("token_type_ids")
        )
        return embedded

    def _classify(self, first: Tensor) -> Tensor:
        logits: Tensor = self._classifier(self._pooler(first))
        return logits


class RobertaNetwork(BertNetwork):
    """A RoBERTa, XLM-RoBERTa or CamemBERT sequence classifier, whose head has no pooler."""

    def _find_pooler(self, model: Any) -> Any:
        return torch.nn.Identity()


class DistilBertNetwork(BertNetwork):
    """A DistilBERT sequence classifier."""

    def _find_layers(self, encoder: Any, fuse_qkv: bool) -> list[Layer]:
        return [_distilbert_layer(module, fuse_qkv) for module in encoder.transformer.layer]

    def _find_pooler(self, model: Any) -> Any:
        return model.pre_classifier

    def _embed(self, tensors: dict[str, Tensor]) -> Tensor:
        embedded: Tensor = self._embeddings(tensors["input_ids"])  # there are no token types
        return embedded

    def _classify(self, first: Tensor) -> Tensor:
        logits: Tensor = self._classifier(self._pooler(first[:, 0]).relu())
        return logits


def _distilbert_layer(module: Any, fuse_qkv: bool) -> Layer:
    attention = module.attention
    linears = [attention.q_lin, attention.k_lin, attention.v_lin]
    return Layer(
        projections=Projections(linears, fuse_qkv),
        attention_output=attention.out_lin,
        attention_norm=module.sa_layer_norm,
        up=module.ffn.lin1,
        activation=module.ffn.activation,
        down=module.ffn.lin2,
        output_norm=module.output_layer_norm,
    )
