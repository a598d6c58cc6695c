"""Nearness in meaning by a sentence encoder: the source of hard wrong labels and soft targets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import AutoModel, AutoTokenizer

from sparknlp_zs.engine.precision import warn_if_emulated

BATCH = 64


class SentenceEncoder:
    """An encoder with its tokenizer, loaded once for many lists of texts.

    Parameters
    ----------
    base : str
        Folder of an encoder; a sentence embedding model gives the best vectors.
    bf16 : bool
        Autocast to bfloat16.
    """

    def __init__(self, base: str, bf16: bool = False) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        # Autocast cannot mix types within a layer norm: weights in half precision are widened.
        self._model = AutoModel.from_pretrained(base, dtype=torch.float32).eval()
        self._bf16 = bf16
        if bf16:
            warn_if_emulated("bfloat16", "cpu")

    @property
    def vocabulary(self) -> list[str]:
        """The tokenizer's tokens, sorted."""
        return sorted(self._tokenizer.get_vocab())

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """Mean-pooled embeddings of length 1, float32 [texts, size], in the texts' order.

        Texts are cut to 256 tokens.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = torch.empty(len(texts), self._model.config.hidden_size)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._embed_batch([texts[i] for i in rows])
        return vectors

    def _embed_batch(self, texts: list[str]) -> torch.Tensor:
        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            states = self._model(**inputs).last_hidden_state.float()
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
    vectors = SentenceEncoder(base).embed(labels)
    order = (vectors @ vectors.T).argsort(dim=-1, descending=True).tolist()
    return {
        label: [labels[j] for j in row if j != i][:nearest]
        for i, (label, row) in enumerate(zip(labels, order, strict=True))
    }
