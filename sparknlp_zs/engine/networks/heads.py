"""Task heads beside a model's own classifier."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
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
        self._vectors = F.pad(placed["Z"], (0, 0, 1, 0))  # zeros first, for other tokens
        self._classifiers = [
            (placed[f"classifiers.{at}.weight"], placed[f"classifiers.{at}.bias"])
            for at in range(len(placed["Z"]))
        ]
        self._widest = max(len(bias) for _, bias in self._classifiers)

    def shift(self, words: Tensor, heads: Tensor) -> Tensor:
        """Word embeddings [..., tokens, embedding], moved by the vectors of the tokens' heads.

        ``words`` is changed; it must be no view of the embedding table. ``heads`` [..., tokens] is
        0 for a token that has none, else 1 + the head's number.
        """
        return words.add_(F.embedding(heads, self._vectors))

    def classify(self, pooled: Tensor, heads: npt.NDArray[np.int64]) -> Tensor:
        """Outputs [rows, most outputs of any head]; zeros past those of a row's head."""
        outputs = pooled.new_zeros(len(pooled), self._widest)
        for head in np.unique(heads).tolist():
            rows = torch.from_numpy(np.flatnonzero(heads == head)).to(pooled.device)
            weight, bias = self._classifiers[head]
            outputs[rows, : len(bias)] = F.linear(pooled[rows], weight, bias)
        return outputs
