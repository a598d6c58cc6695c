"""What the fast networks share: encoder layers, the last of which serves the first token alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparknlp_zs.engine.networks.huggingface import Inputs, to_tensors

_Affine: TypeAlias = tuple[Tensor, Tensor]  # weight [out, in], bias [out]


class Projections:
    """Query, key and value of one layer, as one product if fused.

    Fusing copies the three weights out of the file that processes on one host share
    memory-mapped: 42 MB for a DeBERTa-v3-base in bfloat16, 85 MB in float32.

    Parameters
    ----------
    linears : list of torch.nn.Linear
        Of query, key and value.
    fuse : bool
    """

    def __init__(self, linears: Sequence[nn.Linear], fuse: bool) -> None:
        self._all: list[_Affine] = [(linear.weight, linear.bias) for linear in linears]
        if fuse:
            weights, biases = zip(*self._all, strict=True)
            with torch.no_grad():
                self._all = [(torch.cat(weights), torch.cat(biases))]
        self.size = linears[0].out_features
        self._query = self._cut(0, 1)
        self._key_value = self._cut(1, 3)

    def _cut(self, start: int, end: int) -> list[_Affine]:
        """What of query, key and value stands from start to end, as views."""
        if len(self._all) == 3:
            return self._all[start:end]
        weight, bias = self._all[0]
        rows = slice(start * self.size, end * self.size)
        return [(weight[rows], bias[rows])]

    def all(self, hidden: Tensor) -> list[Tensor]:
        """Query, key and value, each [rows, length, size]."""
        return self._apply(self._all, hidden)

    def of_first_token(self, hidden: Tensor) -> list[Tensor]:
        """Query [rows, 1, size] of the first token; key and value [rows, length, size]."""
        # Left strided, it would have linear copy the weights for every row.
        first = hidden[:, :1].contiguous()
        return self._apply(self._query, first) + self._apply(self._key_value, hidden)

    def _apply(self, affines: list[_Affine], hidden: Tensor) -> list[Tensor]:
        return [
            part
            for weight, bias in affines
            for part in F.linear(hidden, weight, bias).chunk(len(weight) // self.size, dim=-1)
        ]


@dataclass(frozen=True)
class Layer:
    """The modules of one encoder layer with a residual and a norm after each half."""

    projections: Projections
    attention_output: nn.Linear
    attention_norm: nn.LayerNorm
    up: nn.Linear
    activation: Callable[[Tensor], Tensor]
    down: nn.Linear
    output_norm: nn.LayerNorm

    def after_attention(self, context: Tensor, residual: Tensor) -> Tensor:
        """The rest of the layer: output projection and feed-forward, each token by itself."""
        hidden = self.attention_norm(self.attention_output(context).add_(residual))
        found: Tensor = self.output_norm(self.down(self.activation(self.up(hidden))).add_(hidden))
        return found


def bert_layer(
    module: Any, fuse_qkv: bool, names: Sequence[str] = ("query", "key", "value")
) -> Layer:
    """The parts of a layer that has BERT's module names, but perhaps for query, key and value."""
    linears = [getattr(module.attention.self, name) for name in names]
    return Layer(
        projections=Projections(linears, fuse_qkv),
        attention_output=module.attention.output.dense,
        attention_norm=module.attention.output.LayerNorm,
        up=module.intermediate.dense,
        activation=module.intermediate.intermediate_act_fn,
        down=module.output.dense,
        output_norm=module.output.LayerNorm,
    )


class EncoderNetwork:
    """Base of the fast networks; gives the stock model's logits for right-padded rows.

    Only the first token feeds the classifier, so the last layer computes the query, the output
    projection and the feed-forward for that token alone. A subclass says how tokens are embedded,
    what is added to the attention scores, and how the first token is classified.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        In eval mode, on ``device``.
    device : torch.device
    input_names : list of str
        The inputs that the model takes.
    layers : sequence of Layer
    heads : int
        Attention heads per layer.
    scale : float
        Factor of the products of query and key.
    """

    def __init__(
        self,
        model: Any,
        device: torch.device,
        input_names: list[str],
        layers: Sequence[Layer],
        heads: int,
        scale: float,
    ) -> None:
        self.config = model.config
        self.device = device
        self._input_names = frozenset(input_names)
        self._layers = layers
        self._heads = heads
        self._scale = scale

    def logits(self, inputs: Inputs) -> npt.NDArray[np.float32]:
        """Logits as float32 [rows, classes] from int64 inputs [rows, length]."""
        with torch.inference_mode():
            tensors = to_tensors(inputs, self._input_names, self.device)
            # Seen in numpy, where it does not wait for a GPU.
            if "attention_mask" in tensors and inputs["attention_mask"].all():
                del tensors["attention_mask"]
            output = self._outputs(tensors)
            found: npt.NDArray[np.float32] = output.float().cpu().numpy()
        return found

    def _outputs(self, tensors: dict[str, Tensor]) -> Tensor:
        """Logits [rows, classes]."""
        return self._classify(self._first_token(tensors))

    def _first_token(self, tensors: dict[str, Tensor]) -> Tensor:
        """The last hidden state of the first token, [rows, 1, hidden]."""
        hidden = self._embed(tensors)
        padding = _padding(tensors.get("attention_mask"), hidden.dtype)
        last = len(self._layers) - 1
        for at, layer in enumerate(self._layers):
            project = layer.projections
            projected = project.all(hidden) if at < last else project.of_first_token(hidden)
            query, key, value = (part.view(*part.shape[:2], self._heads, -1) for part in projected)
            context = F.scaled_dot_product_attention(
                query.transpose(1, 2),
                key.transpose(1, 2),
                value.transpose(1, 2),
                attn_mask=self._bias(at, query, key, padding),
                scale=self._scale,
            )
            residual = hidden if at < last else hidden[:, :1]
            hidden = layer.after_attention(context.transpose(1, 2).flatten(2), residual)
        return hidden

    def _embed(self, tensors: dict[str, Tensor]) -> Tensor:
        """Embeddings [rows, length, hidden]; ``attention_mask`` is absent if nothing is padded."""
        raise NotImplementedError

    def _bias(self, at: int, query: Tensor, key: Tensor, padding: Tensor | None) -> Tensor | None:
        """What layer ``at`` adds to the scaled scores, [rows, heads or 1, queries or 1, length].

        ``query`` and ``key`` are [rows, length, heads, size]; in the last layer ``query`` has
        length 1. ``padding`` is [rows, 1, 1, length].
        """
        return padding

    def _classify(self, first: Tensor) -> Tensor:
        """Logits [rows, classes] from the first token [rows, 1, hidden]."""
        raise NotImplementedError


def _padding(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Zero for tokens and hugely negative for padding, [rows, 1, 1, length]."""
    if mask is None:
        return None
    # Half the minimum: nothing added to it overflows, and a row of padding alone gives no NaN.
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill_(mask == 0, torch.finfo(dtype).min / 2)[:, None, None, :]
