"""The parts of an encoder layer that has a residual and a norm after each half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparknlp_zs.engine.networks.buffers import Buffers

WIDE = "wide"  # the buffer of queries, keys, values and context, and of the feed-forward


@dataclass(frozen=True)
class Layer:
    """The modules of one encoder layer with a residual and a norm after each half."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_output: nn.Linear
    attention_norm: nn.LayerNorm
    up: nn.Linear
    activation: Callable[[Tensor], Tensor]
    down: nn.Linear
    output_norm: nn.LayerNorm

    def after_attention(self, context: Tensor, residual: Tensor, buffers: Buffers) -> Tensor:
        """The rest of the layer: output projection and feed-forward, each token by itself.

        ``residual`` is overwritten.
        """
        hidden = _add_and_norm(
            residual, context, self.attention_output, self.attention_norm, residual
        )
        # Where queries, keys, values and context were: none of them is needed any more.
        inner = buffers.get(WIDE, (len(hidden), self.up.out_features))
        inner = self.activation(linear(self.up, hidden, inner))
        return _add_and_norm(hidden, inner, self.down, self.output_norm, residual)


def bert_layer(module: Any, names: Sequence[str] = ("query", "key", "value")) -> Layer:
    """The parts of a layer that has BERT's module names, but perhaps for query, key and value."""
    query, key, value = (getattr(module.attention.self, name) for name in names)
    return Layer(
        query=query,
        key=key,
        value=value,
        attention_output=module.attention.output.dense,
        attention_norm=module.attention.output.LayerNorm,
        up=module.intermediate.dense,
        activation=in_place(module.intermediate.intermediate_act_fn),
        down=module.output.dense,
        output_norm=module.output.LayerNorm,
    )


def linear(module: nn.Linear, tokens: Tensor, out: Tensor) -> Tensor:
    """The module's output for [tokens, in], written to ``out``."""
    return torch.addmm(module.bias, tokens, module.weight.t(), out=out)


def _add_and_norm(
    residual: Tensor, tokens: Tensor, module: nn.Linear, norm: nn.LayerNorm, summed: Tensor
) -> Tensor:
    """The norm of residual + module(tokens); the product adds to the rest as it is written.

    ``summed`` takes the sum, and may be the residual.
    """
    torch.add(residual, module.bias, out=summed).addmm_(tokens, module.weight.t())
    found: Tensor = norm(summed)
    return found


def in_place(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The exact GELU as its in-place version, which torch has no module for; others as they are."""
    exact = F.gelu in (activation, getattr(activation, "act", None))
    return torch.ops.aten.gelu_ if exact else activation
