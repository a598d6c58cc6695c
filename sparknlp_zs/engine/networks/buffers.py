"""Memory for a network's intermediate results, used again for every layer and batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BATCHES = 8  # between two looks at what is needed


class Buffers:
    """Tensors by name, each as large as the largest of the latest batches needs it.

    Fresh memory of some megabytes comes from the system page by page, at every use. A tensor stays
    a view of the memory of its name when a later one lets that grow, but its numbers are lost.

    Parameters
    ----------
    dtype : torch.dtype
    device : torch.device

    Examples
    --------
    >>> buffers = Buffers(torch.float32, torch.device("cpu"))
    >>> buffers.get("hidden", (3, 4)).shape
    torch.Size([3, 4])
    >>> buffers.get("hidden", (2, 4)).data_ptr() == buffers.get("hidden", (3, 4)).data_ptr()
    True
    """

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype = dtype
        self._device = device
        self._flat: dict[str, Tensor] = {}
        self._needed: dict[str, int] = {}
        self._batches = 0

    def get(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """The tensor of that name in that shape, holding whatever was there before."""
        size = math.prod(shape)
        self._needed[name] = max(size, self._needed.get(name, 0))
        flat = self._flat.get(name)
        if flat is None:
            flat = self._flat[name] = torch.zeros(size, dtype=self.dtype, device=self._device)
        elif len(flat) < size:
            storage = flat.untyped_storage()
            storage.resize_(0)  # freed before more is taken
            flat.resize_(size).zero_()
        return flat[:size].view(shape)

    def batch_done(self) -> None:
        """Say that nothing is in use: now and then, memory far beyond what is needed is freed."""
        self._batches += 1
        if self._batches < _BATCHES:
            return
        for name, flat in list(self._flat.items()):
            if len(flat) > 1.5 * self._needed.get(name, 0):
                del self._flat[name]
        self._batches = 0
        self._needed.clear()

    def clear(self) -> None:
        """Give all memory back."""
        self._flat.clear()
