"""Random classifiers of every kind that has a fast network, too small to be slow."""

from __future__ import annotations

import numpy as np
import torch
import transformers

from sparknlp_zs.engine.networks.bert import BertNetwork, DistilBertNetwork, RobertaNetwork

CPU = torch.device("cpu")
NAMES = ["input_ids", "attention_mask", "token_type_ids"]
VOCABULARY = 50
SIZE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 66,
    "num_labels": 3,
}
V3 = {
    **SIZE,
    "relative_attention": True,
    "max_relative_positions": -1,
    "position_buckets": 16,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
OWN = {"share_att_key": False, "norm_rel_ebd": "none"}
DEBERTA = {
    "v3": {},
    "own projections": OWN,
    "v2, absolute positions, types": {
        "position_biased_input": True,
        "type_vocab_size": 2,
        "pos_att_type": "c2p|p2c",
    },
    "c2p alone": {"pos_att_type": ["c2p"]},
    "p2c alone, own": {"pos_att_type": ["p2c"], **OWN},
    "no buckets, clamped": {"position_buckets": -1, "max_relative_positions": 12},
    "no buckets, default": {"position_buckets": -1},
    "near maximum": {"max_relative_positions": 20},
    "odd buckets": {"position_buckets": 7},
    "small embeddings": {"embedding_size": 20, "position_biased_input": True},
    "other activations": {"hidden_act": "gelu_new", "pooler_hidden_act": "tanh"},
    "one layer": {"num_hidden_layers": 1},
}
# Buckets are the identity up to 9 tokens; 65 tokens are more than a block.
LENGTHS = (1, 2, 8, 9, 10, 17, 24, 65, 66)
BERT = {
    "bert": (transformers.BertConfig, BertNetwork, {}),
    "bert-relu": (transformers.BertConfig, BertNetwork, {"hidden_act": "relu"}),
    "roberta": (transformers.RobertaConfig, RobertaNetwork, {"type_vocab_size": 2}),
    "xlm-roberta": (transformers.XLMRobertaConfig, RobertaNetwork, {"type_vocab_size": 2}),
    "camembert": (transformers.CamembertConfig, RobertaNetwork, {"type_vocab_size": 2}),
    "distilbert": (
        transformers.DistilBertConfig,
        DistilBertNetwork,
        {"dim": 32, "n_heads": 4, "n_layers": 3, "hidden_dim": 48},
    ),
}


def make(config, seed=7):
    """A random model; large weights, so that scores differ clearly, and no bias of zero."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(0.0, 0.3 if "embeddings" not in name else 1.0)
            elif not name.startswith("classifier"):  # a bias there hides the difference of texts
                weight.add_(torch.randn_like(weight), alpha=0.2)
    return model


def deberta(**changes):
    return make(transformers.DebertaV2Config(**{**V3, **changes}))


def bert(architecture):
    config, _, changes = BERT[architecture]
    size = SIZE if "dim" not in changes else {x: SIZE[x] for x in ("vocab_size", "num_labels")}
    own = {"pad_token_id": 1, "max_position_embeddings": 68}  # RoBERTa counts from the padding's id
    return make(config(**{**size, **own, **changes}))


def make_inputs(length, padded, rows=6):
    """Rows of which, if padded, each is a token shorter than the one before."""
    random = np.random.default_rng(length)
    inputs = {
        "input_ids": random.integers(5, VOCABULARY, (rows, length)),
        "attention_mask": np.ones((rows, length), dtype=np.int64),
        "token_type_ids": random.integers(0, 2, (rows, length)),
    }
    for row in range(rows if padded else 0):
        start = max(1, length - row)
        inputs["input_ids"][row, start:] = 1  # RoBERTa's padding; the mask decides elsewhere
        inputs["attention_mask"][row, start:] = 0
        inputs["token_type_ids"][row, start:] = 0
    return inputs
