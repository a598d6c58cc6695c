"""Encoders whose last hidden states become one vector of length 1 for each text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from sparknlp_zs.engine.networks import bert
from sparknlp_zs.engine.networks.encoder import EncoderNetwork, mean_of
from sparknlp_zs.engine.networks.huggingface import Inputs, to_tensors
from sparknlp_zs.engine.networks.modules import class_name
from sparknlp_zs.engine.networks.padded import padding_for

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Network

Vectors = npt.NDArray[np.float32]

# By the very class, as for classifiers.
_REWRITES = {
    "BertModel": bert.BertNetwork,
    "RobertaModel": bert.RobertaNetwork,
    "XLMRobertaModel": bert.RobertaNetwork,
    "CamembertModel": bert.RobertaNetwork,
    "DistilBertModel": bert.DistilBertNetwork,
}


def build_encoder(
    model: Any, device: torch.device, input_names: list[str], pooling: str
) -> Network:
    """The fastest network that gives a model's vectors as its "logits".

    Parameters
    ----------
    model : transformers.PreTrainedModel or Model
        An encoder without a head, in eval mode, on ``device``.
    device : torch.device
    input_names : list of str
        The inputs that the model takes.
    pooling : {"mean", "cls"}
    """
    rewrite = _REWRITES.get(class_name(model))
    if rewrite is None or bert.supports(model.config) is not None:
        return PooledHuggingFace(model, device, input_names, pooling)
    return PooledNetwork(rewrite(model, device, input_names), pooling)


class PooledNetwork:
    """A fast network, pooled."""

    def __init__(self, network: EncoderNetwork, pooling: str) -> None:
        self.padding = network.padding
        self._pooled = network.means if pooling == "mean" else network.firsts

    def logits(self, batch: Sequence[Inputs]) -> Vectors:
        """Unit vectors [rows, hidden] from groups of int64 inputs [rows, length]."""
        return _unit(self._pooled(batch))


class PooledHuggingFace:
    """Any encoder, run as it is, and pooled."""

    def __init__(
        self, model: Any, device: torch.device, input_names: list[str], pooling: str
    ) -> None:
        self._model = model
        self._device = device
        self._input_names = frozenset(input_names)
        self._mean = pooling == "mean"
        self.padding = padding_for(model.config.model_type, 0)  # no last token is looked for

    def logits(self, batch: Sequence[Inputs]) -> Vectors:
        """Unit vectors [rows, hidden] from groups of int64 inputs [rows, length]."""
        with torch.inference_mode():
            return _unit(torch.cat([self._of(inputs) for inputs in batch]).cpu().numpy())

    def _of(self, inputs: Inputs) -> torch.Tensor:
        tensors = to_tensors(inputs, self._input_names, self._device)
        states = self._model(**tensors).last_hidden_state
        return mean_of(states, tensors["attention_mask"]) if self._mean else states[:, 0].float()


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Vectors = vectors / np.maximum(lengths, np.float32(1e-12))
    return found
