"""The limit: plain matrix products of the model's shapes, and the products a text needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

TOKENS = (512, 1024, 2048)  # rows of the product, like the tokens of a batch
TRIAL_SECONDS = 0.5
JOB_SECONDS = 1.0
MOST_TIMES = 200


def encoder_flops(config: Any, lengths: Iterable[int]) -> int:
    """Floating point operations in the products that the logits of some rows need.

    The last layer serves the first token alone; DeBERTa's two bias terms have one product per
    pair of tokens. Embeddings, norms and activations are not counted.

    Parameters
    ----------
    config : transformers.PreTrainedConfig
        Of a BERT-like or DeBERTa-v2 encoder.
    lengths : iterable of int
        Tokens of each row.
    """
    hidden, layers = config.hidden_size, config.num_hidden_layers
    inner = config.intermediate_size
    terms = len(getattr(config, "pos_att_type", None) or [])
    token = 2 * hidden * (4 * hidden + 2 * inner)  # query, key, value, output, feed-forward
    last = 2 * hidden * (2 * hidden + 2 * inner + hidden)  # the same of one token, pooler included
    total = 0
    for length in lengths:
        pairs = 2 * hidden * length * (2 + terms)  # one query against all keys
        full = length * (token + pairs)
        total += (layers - 1) * full + 2 * length * 2 * hidden * hidden + pairs + last
    return total


@dataclass(frozen=True)
class Product:
    """A job of matrix products: those of all layers, each with its own weights."""

    tokens: int
    flops: int
    run: Callable[[], None]


def product(config: Any, dtype: str) -> Product:
    """The products of the batch size that runs fastest here, over and over for a second."""
    once = max((_product(config, dtype, tokens) for tokens in TOKENS), key=_rate)
    times = min(MOST_TIMES, max(1, round(JOB_SECONDS * _rate(once) / once.flops)))

    def run() -> None:
        for _ in range(times):
            once.run()

    return Product(once.tokens, times * once.flops, run)


def _product(config: Any, dtype: str, tokens: int) -> Product:
    kind, hidden, inner = getattr(torch, dtype), config.hidden_size, config.intermediate_size
    shapes = [(hidden, hidden)] * 4 + [(inner, hidden), (hidden, inner)]
    layers = config.num_hidden_layers
    weights = [[torch.randn(shape).to(kind) for shape in shapes] for _ in range(layers)]
    biases = {size: torch.randn(size).to(kind) for size in (hidden, inner)}
    rows = {size: torch.randn(tokens, size).to(kind) for size in (hidden, inner)}

    def run() -> None:
        with torch.inference_mode():
            for layer in weights:
                for weight in layer:
                    F.linear(rows[weight.shape[1]], weight, biases[weight.shape[0]])

    return Product(tokens, layers * sum(2 * tokens * out * into for out, into in shapes), run)


def _rate(found: Product) -> float:
    """Operations per second, at best over a short while."""
    found.run()
    best, end = 0.0, time.perf_counter() + TRIAL_SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        found.run()
        best = max(best, found.flops / (time.perf_counter() - start))
    return best
