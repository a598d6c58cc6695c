"""Texts as vectors, by a sentence encoder on the same batches and networks as the scorer's."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sparknlp_zs.embedders import Embedding
from sparknlp_zs.engine.budget import TokenBudget, budget_for
from sparknlp_zs.engine.encoding import PairEncoder, model_max_length, single_layout
from sparknlp_zs.engine.forward import outputs
from sparknlp_zs.engine.pairs import PairTokens
from sparknlp_zs.engine.rows import distinct
from sparknlp_zs.models import EMBEDDING

if TYPE_CHECKING:
    import torch

    from sparknlp_zs.engine.scorer import Network

Vectors = npt.NDArray[np.float32]

_KEPT_PHRASES = 16  # sets of labels whose vectors are kept


class Embedder:
    """Embeds texts with one encoder.

    Parameters
    ----------
    network : Network
        Gives unit vectors.
    encoder : PairEncoder
        With the layout of single texts.
    budget : TokenBudget
    size : int
        Length of a vector.
    embedding : Embedding
    """

    def __init__(
        self,
        network: Network,
        encoder: PairEncoder,
        budget: TokenBudget,
        size: int,
        embedding: Embedding,
    ) -> None:
        self._network = network
        self._encoder = encoder
        self._budget = budget
        self._size = size
        self._embedding = embedding
        self._phrases: OrderedDict[tuple[str, ...], Vectors] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1, float32 [texts, size]; equal texts are embedded once."""
        found, places = distinct(texts)
        ids = self._encoder.tokenize([self._prepared(text) for text in found])
        at, no_second = np.arange(len(ids)), [np.zeros(0, np.int32)]
        tokens = PairTokens(self._encoder, ids, at, no_second, np.zeros_like(at))
        limit = self._encoder.max_length
        vectors = outputs(self._network, self._budget, tokens, limit, self._size)
        return vectors[places]

    def similarities(self, texts: Sequence[str], phrases: tuple[str, ...]) -> Vectors:
        """Cosines of texts and phrases, float32 [texts, phrases]; phrases' vectors are kept."""
        if phrases not in self._phrases:
            self._phrases[phrases] = self.embed(phrases)
            if len(self._phrases) > _KEPT_PHRASES:
                self._phrases.popitem(last=False)
        self._phrases.move_to_end(phrases)
        found: Vectors = self.embed(texts) @ self._phrases[phrases].T
        return found

    def _prepared(self, text: str) -> str:
        prompted = self._embedding.prompt + text
        return prompted.lower() if self._embedding.lowercase else prompted


def load_embedder(
    folder: Path, dtype: str, device: torch.device, token_budget: int | None = None
) -> Embedder:
    """Load the encoder of a folder that ``with_embedder`` made.

    Parameters
    ----------
    folder : Path
        The subfolder ``embedder``, with ``zs_embedding.json``.
    dtype : str
        Compute type of the weights.
    device : torch.device
    token_budget : int or None
        Padded tokens per forward pass; None measures on the device during the work.

    Raises
    ------
    ValueError
        If the weights are incomplete.
    """
    import torch

    from sparknlp_zs.engine.described import described
    from sparknlp_zs.engine.networks.pooling import build_encoder
    from sparknlp_zs.engine.networks.stored import stored_model

    embedding = Embedding(**json.loads((folder / EMBEDDING).read_text(encoding="utf-8")))
    found = described(folder)
    tokenizer = found.tokenizer
    model = stored_model(folder, found.config, dtype, device, None)
    if model is None:
        model = load_encoder(folder, dtype, device)
    longest = model_max_length(tokenizer, found.config)
    if embedding.max_length is not None:
        longest = min(longest, embedding.max_length)
    return Embedder(
        build_encoder(model, device, tokenizer.model_input_names, embedding.pooling),
        PairEncoder(tokenizer, longest, single_layout(tokenizer)),
        budget_for(device.type, token_budget, torch.get_num_threads()),
        int(found.config.hidden_size),
        embedding,
    )


def load_encoder(folder: Path, dtype: str, device: torch.device) -> Any:
    """The folder's encoder without a head, in eval mode, as transformers makes it.

    Raises
    ------
    ValueError
        If the folder lacks weights of the encoder.
    """
    from transformers import AutoModel

    from sparknlp_zs.engine.networks.huggingface import loaded

    model, absent = loaded(AutoModel, folder, dtype)
    # The states are taken before the pooler, which many encoders are saved without.
    missing = [key for key in absent if not key.startswith("pooler.")]
    if missing:
        raise ValueError(
            f"{folder}: the weights lack {missing[:3]}; without them embeddings would be random. "
            "Use a sentence encoder saved with all its weights."
        )
    return model.to(device).eval()
