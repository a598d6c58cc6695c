"""Architectures with a fast network, as modules without weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from sparknlp_zs.engine.networks.modules import (
    ACTIVATIONS,
    Embeddings,
    FirstToken,
    Model,
    Parts,
    table,
)

# By model type: the name of the encoder within a classifier, and how classes' names begin.
_KINDS = {
    "bert": ("bert", "Bert"),
    "camembert": ("roberta", "Camembert"),
    "deberta-v2": ("deberta", "DebertaV2"),
    "distilbert": ("distilbert", "DistilBert"),
    "roberta": ("roberta", "Roberta"),
    "xlm-roberta": ("roberta", "XLMRoberta"),
}


def rewritten(config: Any, outputs: int | None) -> Model | None:
    """The modules of a model with a fast network, on torch's device "meta".

    Parameters
    ----------
    config : transformers.PretrainedConfig
    outputs : int or None
        Those of the classifier; None makes an encoder alone.

    Returns
    -------
    Model or None
        None if transformers has to make the model.
    """
    kind = config.model_type
    if kind not in _KINDS or (kind == "deberta-v2" and outputs is None):
        return None
    if not _is_sound(config):
        return None
    prefix, name = _KINDS[kind]
    with torch.device("meta"):
        encoder = _ENCODERS.get(kind, _bert)(config)
        if outputs is None:
            return Model(config, f"{name}Model", "", **dict(encoder.named_children()))
        head = _HEADS.get(kind, _roberta_head)(config, outputs)
    if kind == "bert":
        encoder.pooler = head.pop("pooler")
    return Model(config, f"{name}ForSequenceClassification", prefix, **{prefix: encoder}, **head)


def _is_sound(config: Any) -> bool:
    """Whether nothing is unknown here, or refused by transformers."""
    kind = config.model_type
    activation = config.activation if kind == "distilbert" else config.hidden_act
    if not {activation, getattr(config, "pooler_hidden_act", activation)} <= ACTIVATIONS.keys():
        return False
    if config.hidden_size % config.num_attention_heads:
        return False
    if config.pad_token_id is None:
        return _KINDS[kind][0] != "roberta"  # whose positions begin after it
    found: bool = -config.vocab_size <= config.pad_token_id < config.vocab_size
    return found


def _bert(config: Any) -> Parts:
    names = ("query", "key", "value")
    order = ("token_type_embeddings", "position_embeddings")
    layers = [_layer(config, names, config.hidden_size) for _ in range(config.num_hidden_layers)]
    return Parts(
        embeddings=_embeddings(config, order, config.hidden_size),
        encoder=Parts(layer=nn.ModuleList(layers)),
    )


def _deberta(config: Any) -> Parts:
    norms = [x.strip() for x in getattr(config, "norm_rel_ebd", "none").lower().split("|")]
    layers = [_disentangled_layer(config) for _ in range(config.num_hidden_layers)]
    encoder = Parts(
        layer=nn.ModuleList(layers),
        rel_embeddings=table(2 * layers[0].attention.self.pos_ebd_size, config.hidden_size),
        norm_rel_ebd=norms,
    )
    if "layer_norm" in norms:
        encoder.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
    order = ["position_embeddings"] if config.position_biased_input else []
    if config.type_vocab_size > 0:
        order.append("token_type_embeddings")
    size = getattr(config, "embedding_size", config.hidden_size)
    return Parts(embeddings=_embeddings(config, order, size), encoder=encoder)


def _distilbert(config: Any) -> Parts:
    size, eps = config.dim, 1e-12
    embeddings = Embeddings(
        ["position_embeddings"],
        config.pad_token_id or 0,
        word_embeddings=table(config.vocab_size, size),
        position_embeddings=table(config.max_position_embeddings, size),
        LayerNorm=nn.LayerNorm(size, eps),
    )
    layers = [_distilbert_layer(config, size, eps) for _ in range(config.n_layers)]
    return Parts(embeddings=embeddings, transformer=Parts(layer=nn.ModuleList(layers)))


def _embeddings(config: Any, order: Sequence[str], size: int) -> Embeddings:
    rows = {
        "token_type_embeddings": config.type_vocab_size,
        "position_embeddings": config.max_position_embeddings,
    }
    others: dict[str, nn.Module] = {name: table(rows[name], size) for name in order}
    if size != config.hidden_size:
        others["embed_proj"] = nn.Linear(size, config.hidden_size, bias=False)
    return Embeddings(
        order,
        config.pad_token_id or 0,
        word_embeddings=table(config.vocab_size, size),
        LayerNorm=nn.LayerNorm(config.hidden_size, config.layer_norm_eps),
        **others,
    )


def _layer(config: Any, names: Sequence[str], width: int) -> Parts:
    """A layer with BERT's names, but perhaps for query, key and value."""
    size, inner, eps = config.hidden_size, config.intermediate_size, config.layer_norm_eps
    return Parts(
        attention=Parts(
            self=Parts(**{name: nn.Linear(size, width) for name in names}),
            output=Parts(dense=nn.Linear(width, size), LayerNorm=nn.LayerNorm(size, eps)),
        ),
        intermediate=Parts(
            dense=nn.Linear(size, inner), intermediate_act_fn=ACTIVATIONS[config.hidden_act]
        ),
        output=Parts(dense=nn.Linear(inner, size), LayerNorm=nn.LayerNorm(size, eps)),
    )


def _disentangled_layer(config: Any) -> Parts:
    """DeBERTa's, whose attention knows about offsets."""
    heads = config.num_attention_heads
    size = getattr(config, "attention_head_size", config.hidden_size // heads)
    farthest = getattr(config, "max_relative_positions", -1)
    farthest = config.max_position_embeddings if farthest < 1 else farthest
    buckets = getattr(config, "position_buckets", -1)
    layer = _layer(config, ("query_proj", "key_proj", "value_proj"), size * heads)
    facts = {
        "num_attention_heads": heads,
        "attention_head_size": size,
        "share_att_key": getattr(config, "share_att_key", False),
        "pos_att_type": config.pos_att_type,
        "position_buckets": buckets,
        "max_relative_positions": farthest,
        "pos_ebd_size": buckets if buckets > 0 else farthest,
    }
    attention = layer.attention.self
    for name, fact in facts.items():
        setattr(attention, name, fact)
    for term, name in (("c2p", "pos_key_proj"), ("p2c", "pos_query_proj")):
        if term in config.pos_att_type and not attention.share_att_key:
            setattr(attention, name, nn.Linear(config.hidden_size, size * heads))
    return layer


def _distilbert_layer(config: Any, size: int, eps: float) -> Parts:
    names = ("q_lin", "k_lin", "v_lin", "out_lin")
    return Parts(
        attention=Parts(**{name: nn.Linear(size, size) for name in names}),
        sa_layer_norm=nn.LayerNorm(size, eps),
        ffn=Parts(
            lin1=nn.Linear(size, config.hidden_dim),
            activation=ACTIVATIONS[config.activation],
            lin2=nn.Linear(config.hidden_dim, size),
        ),
        output_layer_norm=nn.LayerNorm(size, eps),
    )


def _bert_head(config: Any, outputs: int) -> dict[str, nn.Module]:
    size = config.hidden_size
    pooler = FirstToken(torch.tanh, dense=nn.Linear(size, size))
    return {"pooler": pooler, "classifier": nn.Linear(size, outputs)}


def _deberta_head(config: Any, outputs: int) -> dict[str, nn.Module]:
    size = config.pooler_hidden_size
    dense = nn.Linear(size, size)
    pooler = FirstToken(ACTIVATIONS[config.pooler_hidden_act], dense=dense)
    return {"pooler": pooler, "classifier": nn.Linear(config.hidden_size, outputs)}


def _roberta_head(config: Any, outputs: int) -> dict[str, nn.Module]:
    size = config.hidden_size
    parts = {"dense": nn.Linear(size, size), "out_proj": nn.Linear(size, outputs)}
    return {"classifier": FirstToken(torch.tanh, "out_proj", **parts)}


def _distilbert_head(config: Any, outputs: int) -> dict[str, nn.Module]:
    size = config.dim
    return {"pre_classifier": nn.Linear(size, size), "classifier": nn.Linear(size, outputs)}


_ENCODERS = {"deberta-v2": _deberta, "distilbert": _distilbert}
_HEADS = {"bert": _bert_head, "deberta-v2": _deberta_head, "distilbert": _distilbert_head}
