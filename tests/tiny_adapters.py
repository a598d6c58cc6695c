"""Adapters in the published format, and their scores by stock transformers modules."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers

HIDDEN = 32
# name, outputs, entry of labels_list
TASKS = [
    ("glue/mnli", 3, ["entailment", "neutral", "contradiction"]),
    ("glue/sst2", 2, ["negative", "positive"]),
    ("glue/rte", 2, ["entailment", "not_entailment"]),
    ("glue/stsb", 1, []),
    ("swag/regular", 1, [0, 1, 2, 3]),
    ("yelp_review_full", 5, [1, 2, 3, 4, 5]),
    ("glue/qnli", 2, ["entailment", "not_entailment"]),
    ("conll2003/ner_tags", 3, ["O", "B-PER", "I-PER"]),
]
NAMES = [name for name, _, _ in TASKS]


def make_weights(seed: int = 3, count: int = len(TASKS)) -> dict[str, torch.Tensor]:
    """Random weights of the first tasks; glue/rte and glue/qnli share a weight, not the bias."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    weights = {"Z": 2 * normal(count, HIDDEN)}
    for at, (_, outputs, _) in enumerate(TASKS[:count]):
        weights[f"classifiers.{at}.weight"] = 0.3 * normal(outputs, HIDDEN)
        weights[f"classifiers.{at}.bias"] = normal(outputs)
    if count > 6:
        weights["classifiers.6.weight"] = weights["classifiers.2.weight"]
    return weights


def make_config(**changes: object) -> dict[str, object]:
    config = {
        "model_type": "deberta-v2",
        "hidden_size": HIDDEN,
        "tasks": NAMES,
        "classifiers_size": [outputs for _, outputs, _ in TASKS],
        "labels_list": [labels for _, _, labels in TASKS],
    }
    return {key: value for key, value in {**config, **changes}.items() if value is not None}


def make_adapter(
    folder: Path, files: tuple[str, ...] = ("pytorch_model.bin",), **changes: object
) -> Path:
    """An adapter folder; ``changes`` replace entries of its config, None leaves them out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config(**changes)))
    weights = make_weights()
    if "pytorch_model.bin" in files:
        torch.save(weights, folder / "pytorch_model.bin")
    if "model.safetensors" in files:
        save_converted(weights, folder / "model.safetensors")
    return folder


def save_converted(weights: dict[str, torch.Tensor], path: Path) -> None:
    """As the hub's conversion: a key with shared storage is dropped, and named in the metadata."""
    from safetensors.torch import save_file

    kept = {key: value for key, value in weights.items() if key != "classifiers.6.weight"}
    save_file(kept, path, {"format": "pt", "classifiers.6.weight": "classifiers.2.weight"})


def stock_logits(
    model: Path,
    name: str,
    first: list[str],
    second: list[str] | None = None,
    dtype: str = "float32",
) -> torch.Tensor:
    """A head's outputs [rows, outputs] by the stock model.

    A hook adds the task's vector to its word embeddings; a linear layer classifies its pooled
    output.
    """
    at, weights = NAMES.index(name), make_weights()
    kind = getattr(torch, dtype)
    weights = {key: value.to(kind) for key, value in weights.items()}
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(model, dtype=kind)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    stock.eval()

    def add_vector(module, inputs, output):
        moved = output.clone()
        moved[:, 0] += weights["Z"][at]
        return moved

    stock.deberta.embeddings.word_embeddings.register_forward_hook(add_vector)
    rows = []
    for row in range(len(first)):
        texts = (first[row],) if second is None else (first[row], second[row])
        with torch.no_grad():
            inputs = tokenizer(*texts, truncation=True, return_tensors="pt")
            hidden = stock.deberta(**inputs).last_hidden_state
            pooled = stock.pooler(hidden)
            linear = weights[f"classifiers.{at}.weight"], weights[f"classifiers.{at}.bias"]
            rows.append(F.linear(pooled, *linear)[0].float())
    return torch.stack(rows)
