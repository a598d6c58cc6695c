"""Modules in place of those of transformers, whose code for models takes seconds to import.

They have the same names, weights and attributes, as far as the fast networks ask for them: these
compute the layers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation: TypeAlias = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Activation] = {"gelu": F.gelu, "relu": F.relu, "tanh": torch.tanh}


class Parts(nn.Module):
    """A module that is nothing but others, and facts, by name."""

    def __init__(self, /, **parts: Any) -> None:  # one may be called self
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name)


class Model(Parts):
    """A whole model.

    Parameters
    ----------
    config : transformers.PretrainedConfig
    name : str
        The class of transformers that it stands for.
    prefix : str
        The name of the part that is the encoder; none if it is an encoder alone.
    """

    def __init__(self, config: Any, name: str, prefix: str, /, **parts: Any) -> None:
        super().__init__(**parts)
        self.config = config
        self.name = name
        self.prefix = prefix

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return getattr(self, self.prefix) if self.prefix else self


def class_name(model: Any) -> str:
    """The class of transformers that a model is of, or stands for."""
    return model.name if isinstance(model, Model) else type(model).__name__


class Embeddings(Parts):
    """The norm of the sum of embeddings of words, and of what else tokens have.

    ``order`` are the names of the others, as they are added: sums of other orders round otherwise.
    """

    def __init__(self, order: Sequence[str], padding: int, /, **parts: Any) -> None:
        super().__init__(**parts)
        self.padding_idx = padding
        self._order = order

    def forward(
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        """Embeddings [..., tokens, hidden] of int64 inputs [..., tokens]."""
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        given = {"token_type_embeddings": token_type_ids, "position_embeddings": position_ids}
        for name in self._order:
            ids, others = given[name], getattr(self, name)
            # Without token types, all tokens have the first.
            words = words + (others.weight[0] if ids is None else others(ids))
        projection = getattr(self, "embed_proj", None)
        found: Tensor = self.LayerNorm(words if projection is None else projection(words))
        return found


class FirstToken(Parts):
    """The first token's state [rows, hidden], projected; ``output`` is another projection."""

    def __init__(self, activation: Activation, output: str = "", /, **parts: Any) -> None:
        super().__init__(**parts)
        self._activation = activation
        self._output = output

    def forward(self, hidden: Tensor) -> Tensor:
        """From hidden states [rows, tokens, hidden]."""
        found = self._activation(self.dense(hidden[:, 0]))
        return getattr(self, self._output)(found) if self._output else found


def table(rows: int, size: int) -> nn.Embedding:
    """Embeddings without random numbers, which on "meta" take a second of imports."""
    # A method that is not typed.
    found: nn.Embedding = nn.Embedding.from_pretrained(torch.empty(rows, size))  # type: ignore[no-untyped-call]
    return found
