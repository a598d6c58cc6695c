"""Task heads beside a model's own classifier."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


class TaskHeads:
    """A vector per task for the network's input, and a classifier per task for its output.

    Parameters
    ----------
    weights : mapping of str to Tensor
        ``Z`` [tasks, embedding], ``classifiers.{i}.weight`` [outputs, hidden] and
        ``classifiers.{i}.bias`` [outputs].
    device : torch.device
    dtype : torch.dtype
        That of the network.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], device: torch.device, dtype: torch.dtype
    ) -> None:
        placed = {key: weight.to(device, dtype) for key, weight in weights.items()}
        self._vectors = placed["Z"]
        self._classifiers = [
            (placed[f"classifiers.{at}.weight"], placed[f"classifiers.{at}.bias"])
            for at in range(len(self._vectors))
        ]
        self._widest = max(len(bias) for _, bias in self._classifiers)

    def shift(self, words: Tensor, heads: Tensor) -> Tensor:
        """Word embeddings [rows, length, embedding], each first token's moved by its head's vector.

        ``words`` is changed; it must be no view of the embedding table.
        """
        words[:, 0] += self._vectors[heads]
        return words

    def classify(self, pooled: Tensor, heads: Tensor) -> Tensor:
        """Outputs [rows, most outputs of any head]; zeros past those of a row's head."""
        outputs = pooled.new_zeros(len(pooled), self._widest)
        for head in set(heads.tolist()):
            rows = (heads == head).nonzero().squeeze(1)
            weight, bias = self._classifiers[head]
            outputs[rows, : len(bias)] = F.linear(pooled[rows], weight, bias)
        return outputs
