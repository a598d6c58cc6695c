"""Batches of a few fixed shapes, so that compiled and bf16 CPU kernels are reused."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from sparknlp_zs.engine.encoding import Ids, PairEncoder
from sparknlp_zs.engine.pairs import PairTokens
from sparknlp_zs.training.data import Draw, Example, Probabilities

LENGTHS = (16, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256)
NOT_A_ROW = -1
NOT_SOFT = (0.0, 0.0, 0.0)


class PairBatches(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """Endless batches from examples that are drawn anew for every epoch.

    Each batch holds examples of one length bucket, in exactly ``tokens // length`` rows.

    Parameters
    ----------
    encoder : PairEncoder
    draw : callable
        ``draw(rng)`` gives the examples of one epoch.
    tokens : int
        Tokens per batch, padding included.
    seed : int
    epochs : int or None
        Stop after so many; None goes on until the trainer stops.
    """

    def __init__(
        self, encoder: PairEncoder, draw: Draw, tokens: int, seed: int, epochs: int | None = None
    ) -> None:
        super().__init__()
        self._encoder, self._draw, self._tokens = encoder, draw, tokens
        self._seed, self._epochs = seed, epochs
        self._known: dict[str, Ids] = {}

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        epoch = 0
        while self._epochs is None or epoch < self._epochs:
            rng = random.Random(self._seed + epoch)
            yield from self._epoch(self._draw(rng), rng)
            epoch += 1

    def _epoch(
        self, examples: Sequence[Example], rng: random.Random
    ) -> Iterator[dict[str, torch.Tensor]]:
        self._tokenize(examples)
        examples = [x for x in examples if self._fits(x)]
        batches = []
        for length, members in self._buckets(examples).items():
            rng.shuffle(members)
            rows = max(1, self._tokens // length // 8 * 8)
            batches += [(length, rows, part) for part in _fill(members, rows)]
        rng.shuffle(batches)
        for length, rows, part in batches:
            yield self._tensors(part, rows, length)

    def _tokenize(self, examples: Sequence[Example]) -> None:
        strings = {x.premise for x in examples} | {h for x in examples for h in x.hypotheses}
        new = sorted(strings - self._known.keys())
        self._known.update(zip(new, self._encoder.tokenize(new), strict=True))

    def _fits(self, example: Example) -> bool:
        """Whether at least half of the tokens are left for the premise: it alone is cut."""
        longest = max(len(self._known[h]) for h in example.hypotheses)
        return self._encoder.room(longest) >= self._encoder.max_length // 2

    def _buckets(self, examples: Sequence[Example]) -> dict[int, list[Example]]:
        buckets: dict[int, list[Example]] = {length: [] for length in LENGTHS}
        for example in examples:
            longest = max(len(self._known[h]) for h in example.hypotheses)
            need = len(self._known[example.premise]) + longest
            need += self._encoder.layout.special_tokens
            fitting = (length for length in LENGTHS if length >= need)
            buckets[min(next(fitting, LENGTHS[-1]), self._encoder.max_length)].append(example)
        return {length: members for length, members in buckets.items() if members}

    def _tensors(self, part: Sequence[Example], rows: int, length: int) -> dict[str, torch.Tensor]:
        pairs: list[tuple[Ids, Ids]] = []
        labels: list[int] = []
        groups: list[list[int]] = []
        targets: list[Probabilities] = []
        row_targets: list[Probabilities] = []
        for example in part:
            grouped = example.label is None
            if grouped:
                groups.append(list(range(len(pairs), len(pairs) + len(example.hypotheses))))
                targets.append(example.targets)
            for hypothesis in example.hypotheses:
                pairs.append((self._known[example.premise], self._known[hypothesis]))
                labels.append(NOT_A_ROW if example.label is None else example.label)
                row_targets.append(NOT_SOFT if grouped else example.targets or NOT_SOFT)
        inputs = _inputs(self._encoder, pairs, rows, length)
        width = max((len(group) for group in groups), default=1)
        padded = [group + [NOT_A_ROW] * (width - len(group)) for group in groups]
        soft = [probabilities + (0.0,) * (width - len(probabilities)) for probabilities in targets]
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        row_targets += [NOT_SOFT] * (rows - len(labels))
        labels += [NOT_A_ROW] * (rows - len(labels))
        tensors["labels"] = torch.tensor(labels)
        tensors["groups"] = torch.from_numpy(np.array(padded, dtype=np.int64).reshape(-1, width))
        tensors["targets"] = torch.tensor(soft).reshape(-1, width)
        tensors["row_targets"] = torch.tensor(row_targets)
        return tensors


def _inputs(
    encoder: PairEncoder, pairs: Sequence[tuple[Ids, Ids]], rows: int, length: int
) -> dict[str, npt.NDArray[np.int64]]:
    """Padded inputs of the shape [rows, length]; rows past the pairs repeat the first pair."""
    first, second = zip(*pairs, strict=True)
    places = np.arange(len(pairs))
    tokens = PairTokens(encoder, first, places, second, places)
    return tokens.inputs(np.append(places, np.zeros(rows - len(pairs), np.int64)), length)


def _fill(members: Sequence[Example], rows: int) -> Iterator[list[Example]]:
    """Split into parts of at most ``rows`` hypotheses, in order."""
    part: list[Example] = []
    size = 0
    for example in members:
        if part and size + len(example.hypotheses) > rows:
            yield part
            part, size = [], 0
        part.append(example)
        size += len(example.hypotheses)
    if part:
        yield part
