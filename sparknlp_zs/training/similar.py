"""Nearness in meaning by a sentence encoder: the source of hard wrong labels and soft targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer

BATCH = 64


def embed(base: str, texts: Sequence[str], bf16: bool = False) -> torch.Tensor:
    """Mean-pooled embeddings of length 1, float32 [texts, size], in the texts' order.

    Parameters
    ----------
    base : str
        Folder of an encoder; a sentence embedding model gives the best ones.
    texts : sequence of str
        Cut to 256 tokens.
    bf16 : bool
        Autocast to bfloat16.
    """
    tokenizer = AutoTokenizer.from_pretrained(base)
    # Autocast cannot mix types within a layer norm: weights saved in half precision are widened.
    model = AutoModel.from_pretrained(base, dtype=torch.float32).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = torch.empty(len(texts), model.config.hidden_size)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        part = [texts[i] for i in rows]
        vectors[rows] = _embed_batch(model, tokenizer, part, bf16)
    return vectors


def _embed_batch(model: Any, tokenizer: Any, texts: list[str], bf16: bool) -> torch.Tensor:
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        states = model(**inputs).last_hidden_state.float()
    mask = inputs["attention_mask"][..., None]
    means = (states * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(means, dim=-1)


def similar_labels(base: str, labels: list[str], nearest: int = 8) -> dict[str, list[str]]:
    """The nearest other labels of each label, by the base encoder's embeddings.

    Parameters
    ----------
    base : str
        Folder of an encoder; a sentence embedding model gives the best neighbours.
    labels : list of str
    nearest : int
        Neighbours per label.

    Returns
    -------
    dict of str to list of str
    """
    vectors = embed(base, labels)
    order = (vectors @ vectors.T).argsort(dim=-1, descending=True).tolist()
    return {
        label: [labels[j] for j in row if j != i][:nearest]
        for i, (label, row) in enumerate(zip(labels, order, strict=True))
    }
