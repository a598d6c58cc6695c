"""Labels that are near to each other in meaning: the source of hard wrong labels."""

from __future__ import annotations

import torch
from transformers import AutoModel, AutoTokenizer


def similar_labels(base: str, labels: list[str], nearest: int = 8) -> dict[str, list[str]]:
    """The nearest other labels of each label, by the base encoder's mean-pooled embeddings.

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
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModel.from_pretrained(base).eval()
    inputs = tokenizer(labels, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    means = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
    order = (means @ means.T).argsort(dim=-1, descending=True).tolist()
    return {
        label: [labels[j] for j in row if j != i][:nearest]
        for i, (label, row) in enumerate(zip(labels, order, strict=True))
    }
