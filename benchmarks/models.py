"""The models that are measured: made once, kept in a cache folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sparknlp_zs.models import STARTER, STARTER_PATH

DEBERTA = "deberta-base-size"
LABELS = ("entailment", "neutral", "contradiction")
CACHE_VARIABLE = "SPARKNLP_ZS_BENCHMARKS"

_HEAD_SPREAD = 0.5
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Size:
    """What makes a DeBERTa-v3 of some size."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int


# The starter's tokenizer has 30522 tokens; the table keeps the rows of the published model, so
# that weights take as much memory.
BASE = Size(vocabulary=128100, hidden=768, layers=12, heads=12, intermediate=3072)
TINY = Size(vocabulary=30522, hidden=32, layers=2, heads=2, intermediate=64)


def cache_folder() -> Path:
    """Where models and exports are kept between runs."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "sparknlp_zs_benchmarks"


def model_path(name: str) -> Path:
    """The folder of a model: ``deberta-base-size``, ``starter`` or a folder.

    Raises
    ------
    FileNotFoundError
        If it is none of these.
    """
    if name == DEBERTA:
        return deberta(BASE, DEBERTA)
    if name == STARTER:
        return Path(STARTER_PATH)
    folder = Path(name)
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{name!r}: neither {DEBERTA!r}, {STARTER!r} nor a model folder")
    return folder.resolve()


def deberta(size: Size, name: str) -> Path:
    """A DeBERTa-v3 of random weights with the starter's tokenizer, made at first use.

    The tokenizer is a trained one, so texts have as many tokens as with a trained model.
    """
    target = cache_folder() / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        _random_model(size).save_pretrained(scratch)
        for file in _TOKENIZER_FILES:
            shutil.copyfile(Path(STARTER_PATH) / file, scratch / file)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _random_model(size: Size) -> object:
    import torch
    from transformers import AutoModelForSequenceClassification, DebertaV2Config

    config = DebertaV2Config(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.intermediate,
        max_position_embeddings=512,
        type_vocab_size=0,
        layer_norm_eps=1e-7,
        pad_token_id=0,
        relative_attention=True,
        max_relative_positions=-1,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        id2label=dict(enumerate(LABELS)),
        label2id={name: at for at, name in enumerate(LABELS)},
    )
    torch.manual_seed(7)
    model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        # Logits that differ clearly between labels, so that equal scores mean something.
        model.classifier.weight.normal_(0.0, _HEAD_SPREAD)
    return model.eval()
