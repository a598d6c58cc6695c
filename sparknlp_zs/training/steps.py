"""The batches of a fine-tuning: which texts a step has, whose share they are, and their tensors."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from sparknlp_zs.engine.encoding import Ids, PairEncoder
from sparknlp_zs.engine.pairs import PairTokens
from sparknlp_zs.training.batches import LENGTHS

# A forward pass: the model's inputs, how many rows each item has, and the items' targets.
MicroBatch = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """A text beside the second texts that it is scored with, and what should come out."""

    first: Ids
    seconds: tuple[Ids, ...]
    target: int


class Items(Protocol):
    """The labelled rows of a training, as items."""

    @property
    def encoder(self) -> PairEncoder: ...

    def __len__(self) -> int: ...

    def item(self, row: int, rng: random.Random) -> Item: ...


@dataclass(frozen=True)
class Share:
    """One process of several."""

    rank: int = 0
    processes: int = 1

    def of(self, rows: Sequence[int]) -> list[int]:
        """The rows that fall to this process."""
        return list(rows[self.rank :: self.processes])


class Steps(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """One process's share of the batch of every step.

    Which texts a step has, and what is drawn for them, follows from the seed and the step alone:
    not from the number of processes, nor from where a training was resumed.

    Parameters
    ----------
    items : Items
    steps : int
    texts : int
        Texts per step, of all processes.
    tokens : int
        Bound of the tokens of a forward pass.
    seed : int
    share : Share
    """

    def __init__(
        self, items: Items, steps: int, texts: int, tokens: int, seed: int, share: Share
    ) -> None:
        super().__init__()
        self._items, self._steps, self._texts = items, steps, texts
        self._tokens, self._seed, self._share = tokens, seed, share
        self._orders: dict[int, list[int]] = {}  # of the epoch at hand

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for step in range(self._steps):
            micro = micro_batches(
                [self._item(place) for place in self._share.of(self.places(step))],
                self._items.encoder,
                self._tokens,
            )
            yield {"micro_batches": micro, "texts": self._texts}

    def places(self, step: int) -> range:
        """The places of a step's texts in the endless row of shuffled epochs."""
        return range(step * self._texts, (step + 1) * self._texts)

    def row(self, place: int) -> int:
        """The row at a place."""
        epoch, at = divmod(place, len(self._items))
        if epoch not in self._orders:
            rows = list(range(len(self._items)))
            random.Random(f"{self._seed} {epoch}").shuffle(rows)
            self._orders = {epoch: rows}
        return self._orders[epoch][at]

    def _item(self, place: int) -> Item:
        return self._items.item(self.row(place), random.Random(f"{self._seed} {place} item"))


def micro_batches(items: Sequence[Item], encoder: PairEncoder, tokens: int) -> list[MicroBatch]:
    """Forward passes of at most so many tokens, and of one item at least; by length."""
    sized = sorted(((_length(item, encoder), at) for at, item in enumerate(items)), reverse=True)
    batches: list[MicroBatch] = []
    part: list[Item] = []
    length = rows = 0
    for need, at in sized:
        size = len(items[at].seconds)
        if part and (rows + size) * length > tokens:
            batches.append(_tensors(part, length, encoder))
            part, rows = [], 0
        if not part:
            length = need
        part.append(items[at])
        rows += size
    if part:
        batches.append(_tensors(part, length, encoder))
    return batches


def _length(item: Item, encoder: PairEncoder) -> int:
    """The item's padded length: one of a few, for which kernels are kept."""
    need = len(item.first) + max(map(len, item.seconds)) + encoder.layout.special_tokens
    fitting = (length for length in LENGTHS if length >= need)
    return min(next(fitting, encoder.max_length), encoder.max_length)


def _tensors(items: Sequence[Item], length: int, encoder: PairEncoder) -> MicroBatch:
    seconds = [second for item in items for second in item.seconds]
    sizes = [len(item.seconds) for item in items]
    first_of = np.repeat(np.arange(len(items)), sizes)
    places = np.arange(len(seconds))
    tokens = PairTokens(encoder, [item.first for item in items], first_of, seconds, places)
    inputs = tokens.inputs(places, length)
    return {
        "inputs": {name: torch.from_numpy(array) for name, array in inputs.items()},
        "groups": _groups(sizes),
        "targets": torch.tensor([item.target for item in items]),
    }


def _groups(sizes: Sequence[int]) -> torch.Tensor:
    """The rows of each item, int [items, widest]; -1 pads."""
    groups = torch.full((len(sizes), max(sizes)), -1)
    start = 0
    for at, size in enumerate(sizes):
        groups[at, :size] = torch.arange(start, start + size)
        start += size
    return groups
