"""What the fast networks share: encoder layers over rows of different lengths, packed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparknlp_zs.engine.batching import Padding
from sparknlp_zs.engine.networks.attention import heads_first, plain_attention
from sparknlp_zs.engine.networks.buffers import Buffers
from sparknlp_zs.engine.networks.huggingface import Inputs
from sparknlp_zs.engine.networks.packing import Group, Tokens, distinct_tokens, groups_of

_CPU_GROUP_TOKENS = {torch.float32: 128, torch.bfloat16: 512, torch.float16: 128}
_GPU_PADDING = Padding(step=16, mixed=True, group_tokens=4096)  # not measured on a GPU
_WIDE = "wide"  # the buffer of queries, keys, values and context, and of the feed-forward
_TOKENS_STEP = 16  # half-precision kernels are built for each number of tokens on a CPU

# Up to so many tokens, plain products beat fused attention on a CPU: measured.
_LONGEST_PLAIN = {torch.float32: 32, torch.bfloat16: 128, torch.float16: 0}


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
        inner = buffers.get(_WIDE, (len(hidden), self.up.out_features))
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
    return torch.ops.aten.gelu_ if getattr(activation, "act", None) is F.gelu else activation


class EncoderNetwork:
    """Base of the fast networks; gives the stock model's logits for right-padded rows.

    Rows are packed: all tokens of a batch lie one after the other, [tokens, hidden], whatever the
    lengths of its rows, so that no product is spent on padding. Only attention looks at rows, at
    those of one length together.

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

    _positions = True  # whether embeddings depend on a token's position

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
        dtype = layers[0].query.weight.dtype
        on_cpu = Padding(step=1, mixed=True, group_tokens=_CPU_GROUP_TOKENS[dtype])
        self.padding = on_cpu if device.type == "cpu" else _GPU_PADDING
        self._types = "token_type_ids" in input_names
        self._layers = layers
        self._heads = heads
        self._scale = scale
        self._buffers = Buffers(dtype, device)
        self._tokens_step = 1 if dtype == torch.float32 else _TOKENS_STEP

    def logits(self, batch: Sequence[Inputs]) -> npt.NDArray[np.float32]:
        """Logits as float32 [rows, classes] from groups of int64 inputs [rows, length]."""

        def outputs(distinct: Tensor, place_of: Tensor, groups: list[Group]) -> Tensor:
            return self._outputs(self._first_tokens(distinct, place_of, groups), batch)

        return self._run(batch, outputs)

    def firsts(self, batch: Sequence[Inputs]) -> npt.NDArray[np.float32]:
        """The last hidden states of the rows' first tokens, float32 [rows, hidden]."""
        return self._run(batch, self._first_tokens)

    def means(self, batch: Sequence[Inputs]) -> npt.NDArray[np.float32]:
        """The mean of the last hidden states of each row's tokens, float32 [rows, hidden]."""
        return self._run(batch, self._mean_tokens)

    def _run(
        self, batch: Sequence[Inputs], compute: Callable[[Tensor, Tensor, list[Group]], Tensor]
    ) -> npt.NDArray[np.float32]:
        """What is computed of distinct tokens' embeddings, their places, and the groups of rows."""
        with torch.inference_mode():
            groups = list(groups_of(batch, self._buffers.dtype, self.device))
            tokens, place_of = distinct_tokens(
                batch, self._positions, self._types, self._tokens_step, self.device
            )
            try:
                output = compute(self._embed(tokens), place_of, groups)
            except RuntimeError:
                self._buffers.clear()  # too large a batch leaves too large buffers
                raise
            found: npt.NDArray[np.float32] = output.float().cpu().numpy()
            self._buffers.batch_done()
        return found

    def _first_tokens(self, distinct: Tensor, place_of: Tensor, groups: list[Group]) -> Tensor:
        """The last hidden states of the first tokens, [rows, hidden].

        Parameters
        ----------
        distinct : Tensor [distinct tokens, hidden]
            Embeddings.
        place_of : Tensor of int64 [tokens]
            Each token's place among them.
        groups : list of Group
        """
        hidden = self._through(len(self._layers) - 1, distinct, place_of, groups)
        return self._last_layer(hidden, groups)

    def _mean_tokens(self, distinct: Tensor, place_of: Tensor, groups: list[Group]) -> Tensor:
        """The mean of the last hidden states of each row's tokens, float32 [rows, hidden]."""
        hidden = self._through(len(self._layers), distinct, place_of, groups)
        states = (hidden[x.tokens].view(x.rows, x.length, -1) for x in groups)
        return torch.cat([mean_of(x, y.real_tokens) for x, y in zip(states, groups, strict=True)])

    def _through(
        self, layers: int, distinct: Tensor, place_of: Tensor, groups: list[Group]
    ) -> Tensor:
        """The hidden states of all tokens after so many layers, [tokens, hidden]."""
        hidden = distinct.index_select(0, place_of)
        size = self._layers[0].query.out_features
        for at in range(layers):
            *projected, context = self._buffers.parts(_WIDE, 4, (len(hidden), size))
            if at == 0:  # what equal tokens have in common is computed once
                self._project_distinct(distinct, place_of, projected)
            else:
                self._project(at, hidden, projected)
            hidden = self._layer(at, hidden, projected, context, groups)
        return hidden

    def _project(self, at: int, hidden: Tensor, out: Sequence[Tensor]) -> None:
        """Query, key and value of all tokens, each [tokens, size]."""
        layer = self._layers[at]
        for module, part in zip((layer.query, layer.key, layer.value), out, strict=True):
            linear(module, hidden, part)

    def _project_distinct(self, distinct: Tensor, place_of: Tensor, out: Sequence[Tensor]) -> None:
        """The first layer's, from distinct tokens, in buffers that its attention needs later."""
        shape = (len(distinct), out[0].shape[1])
        found = [self._buffers.get(name, shape) for name in ("qh", "kh", "vh")]
        self._project(0, distinct, found)
        for part, target in zip(found, out, strict=True):
            torch.index_select(part, 0, place_of, out=target)

    def _layer(
        self,
        at: int,
        hidden: Tensor,
        projected: Sequence[Tensor],
        context: Tensor,
        groups: list[Group],
    ) -> Tensor:
        for group in groups:
            query, key, value = (group.of(packed, self._heads) for packed in projected)
            group.of(context, self._heads).copy_(self._attention(at, group, query, key, value))
        context[groups[-1].tokens.stop :].zero_()
        return self._layers[at].after_attention(context, hidden, self._buffers)

    def _last_layer(self, hidden: Tensor, groups: list[Group]) -> Tensor:
        """The layer for the first token of each row, without keys and values of the others.

        A query's product with a key, q (W h + b), is (q W) h and a number that is the same for
        all keys, which softmax ignores; a mean of values is W times the mean of states, plus b.
        """
        layer, buffers = self._layers[-1], self._buffers
        starts = [torch.arange(x.rows, device=self.device) * x.length + x.start for x in groups]
        first = hidden.index_select(0, torch.cat(starts))
        asking = buffers.get("asking", (len(first), layer.query.out_features))
        queries = linear(layer.query, first, asking).view(len(first), self._heads, -1)
        asked = torch.bmm(queries.transpose(0, 1), _by_head(layer.key, self._heads)).transpose(0, 1)
        seen = torch.empty_like(asked)  # [rows, heads, hidden]
        for group in groups:
            states = hidden[group.tokens].view(group.rows, group.length, -1)
            scores = torch.bmm(asked[group.row_slice], states.transpose(1, 2)).mul_(self._scale)
            scores = self._first_bias(scores, queries[group.row_slice], states, group.padding)
            weights = scores.float().softmax(-1).to(scores.dtype)
            seen[group.row_slice] = torch.bmm(weights, states)
        values = _by_head(layer.value, self._heads).transpose(1, 2)
        context = torch.bmm(seen.transpose(0, 1), values).transpose(0, 1).flatten(1)
        return layer.after_attention(context.add_(layer.value.bias), first, buffers)

    def _attention(
        self, at: int, group: Group, query: Tensor, key: Tensor, value: Tensor
    ) -> Tensor:
        """Attention of one group's rows, as [rows, queries, heads, size]."""
        if self._fuses(group.length):
            found = F.scaled_dot_product_attention(
                query.transpose(1, 2),
                key.transpose(1, 2),
                value.transpose(1, 2),
                attn_mask=self._bias(at, query, key, group.padding),
                scale=self._scale,
            )
            return found.transpose(1, 2)
        q = heads_first(query, self._buffers, "qh")
        k = heads_first(key, self._buffers, "kh")
        v = heads_first(value, self._buffers, "vh")
        bias = self._bias(at, q.permute(1, 2, 0, 3), k.permute(1, 2, 0, 3), group.padding)
        return plain_attention(q, k, v, bias, self._scale, self._buffers).permute(1, 2, 0, 3)

    def _fuses(self, length: int) -> bool:
        """Whether fused attention is the faster one for rows of this length."""
        return self.device.type != "cpu" or length > _LONGEST_PLAIN[self._buffers.dtype]

    def _embed(self, tokens: Tokens) -> Tensor:
        """Embeddings [tokens, hidden]."""
        raise NotImplementedError

    def _bias(self, at: int, query: Tensor, key: Tensor, padding: Tensor | None) -> Tensor | None:
        """What layer ``at`` adds to the scaled scores, [rows, heads or 1, length, length].

        ``query`` and ``key`` are [rows, length, heads, size], ``padding`` [rows, 1, 1, length].
        """
        return padding

    def _first_bias(
        self, scores: Tensor, query: Tensor, states: Tensor, padding: Tensor | None
    ) -> Tensor:
        """The last layer's scaled scores [rows, heads, length] of the first token, with the bias.

        ``query`` is [rows, heads, size], ``states`` [rows, length, hidden].
        """
        return scores if padding is None else scores.add_(padding.squeeze(1))

    def _outputs(self, first: Tensor, batch: Sequence[Inputs]) -> Tensor:
        """Logits [rows, classes] from the first tokens of a batch's rows [rows, hidden]."""
        return self._classify(first)

    def _classify(self, first: Tensor) -> Tensor:
        """Logits [rows, classes] from the first tokens [rows, hidden]."""
        raise NotImplementedError


def mean_of(states: Tensor, mask: Tensor | None) -> Tensor:
    """The mean over tokens of [rows, length, hidden] in float32, without those masked as 0."""
    if mask is None:
        return states.float().mean(1)
    kept = mask.to(torch.float32)[..., None]
    return (states.float() * kept).sum(1) / kept.sum(1).clamp_(min=1)


def _by_head(module: nn.Linear, heads: int) -> Tensor:
    """The weight as [heads, size, in], a view."""
    return module.weight.view(heads, -1, module.in_features)
