"""What the fast networks share: an encoder over rows of different lengths, packed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sparknlp_zs.engine.batching import Padding
from sparknlp_zs.engine.networks.attention import (
    Bias,
    FusedAttention,
    Place,
    PlainAttention,
    split_buffer,
)
from sparknlp_zs.engine.networks.buffers import Buffers
from sparknlp_zs.engine.networks.huggingface import Inputs
from sparknlp_zs.engine.networks.layers import WIDE, Layer, linear
from sparknlp_zs.engine.networks.packing import Group, Tokens, distinct_tokens, groups_of

_CPU_GROUP_TOKENS = {torch.float32: 128, torch.bfloat16: 512, torch.float16: 128}
_GPU_PADDING = Padding(step=16, mixed=True, group_tokens=4096)  # not measured on a GPU
_TOKENS_STEP = 16  # half-precision kernels are built for each number of tokens on a CPU

# Up to so many tokens, plain products beat fused attention on a CPU: measured.
_LONGEST_PLAIN = {torch.float32: 64, torch.bfloat16: 128, torch.float16: 0}


@dataclass(frozen=True)
class _Work:
    """Where the layers of one batch compute attention.

    ``projected`` [3, tokens, size] takes queries, keys and values, ``context`` [tokens, size] the
    results of ``attentions``, one for each group, and ``rest`` is the part of no group.
    """

    projected: Tensor
    context: Tensor
    attentions: Sequence[Callable[[int], None]]
    rest: Tensor


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
        work = self._work(len(hidden), groups)
        for at in range(layers):
            if at == 0:  # what equal tokens have in common is computed once
                self._project_distinct(distinct, place_of, work.projected)
            else:
                self._project(at, hidden, work.projected)
            hidden = self._layer(at, hidden, work)
        return hidden

    def _work(self, tokens: int, groups: list[Group]) -> _Work:
        """Views of the buffers for these groups, made once for all layers."""
        size = self._layers[0].query.out_features
        packed = self._buffers.get(WIDE, (4, tokens, size))
        projected, context = packed[:3], packed[3]
        attentions = [self._attention(group, projected, context) for group in groups]
        return _Work(projected, context, attentions, context[groups[-1].tokens.stop :])

    def _attention(
        self, group: Group, projected: Tensor, context: Tensor
    ) -> FusedAttention | PlainAttention:
        place = Place(group, projected, context, self._heads, self._scale, self._bias_of)
        if self._fuses(group.length):
            return FusedAttention(place)
        return PlainAttention(place, self._buffers)

    def _project(self, at: int, hidden: Tensor, out: Tensor) -> None:
        """Query, key and value of all tokens, [3, tokens, size]."""
        layer = self._layers[at]
        for module, part in zip((layer.query, layer.key, layer.value), out, strict=True):
            linear(module, hidden, part)

    def _project_distinct(self, distinct: Tensor, place_of: Tensor, out: Tensor) -> None:
        """The first layer's, from distinct tokens, in memory that its attention needs later."""
        found = split_buffer(self._buffers, (len(out), len(distinct), out.shape[2]))
        self._project(0, distinct, found)
        for part, target in zip(found, out, strict=True):
            torch.index_select(part, 0, place_of, out=target)

    def _layer(self, at: int, hidden: Tensor, work: _Work) -> Tensor:
        """The layer's output, once queries, keys and values are projected."""
        for attend in work.attentions:
            attend(at)
        work.rest.zero_()
        return self._layers[at].after_attention(work.context, hidden, self._buffers)

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

    def _fuses(self, length: int) -> bool:
        """Whether fused attention is the faster one for rows of this length."""
        return self.device.type != "cpu" or length > _LONGEST_PLAIN[self._buffers.dtype]

    def _embed(self, tokens: Tokens) -> Tensor:
        """Embeddings [tokens, hidden]."""
        raise NotImplementedError

    def _bias_of(self, group: Group, query: Tensor, key: Tensor) -> Bias:
        """What each layer adds to the scaled scores of a group.

        ``query`` and ``key`` [rows, length, heads, size] are views of where they will be.
        """
        return lambda layer: group.padding

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
