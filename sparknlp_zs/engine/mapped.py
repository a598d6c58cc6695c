"""Tensors that are computed once per host and mapped by all of its processes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from sparknlp_zs.engine.prepared import made_once

logger = logging.getLogger(__name__)

_FILE = "tensors.safetensors"


def mapped_tensors(name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors from a file of that name in the cache, which is made by the first who needs it.

    Their memory is the file's, which the system holds once for all processes. Where no file can
    be written or read they are made in the process's own memory.

    Parameters
    ----------
    name : str
        Unique to what ``make`` computes: see ``digest``.
    make : callable
        Gives the tensors, by name.

    Examples
    --------
    >>> made = mapped_tensors("doctest", lambda: {"ones": torch.ones(2)})
    >>> mapped_tensors("doctest", dict)["ones"]  # from the file
    tensor([1., 1.])
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    def fill(scratch: Path) -> None:
        save_file(make(), scratch / _FILE)
        (scratch / _FILE).chmod(0o644)  # other users' workers may read it

    try:
        found: dict[str, Tensor] = load_file(made_once(f"tensors/{name}", fill) / _FILE)
        return found
    except (OSError, RuntimeError, SafetensorError) as error:  # RuntimeError: no home folder
        logger.info("%s is kept in this process's memory: %s", name, error)
        return make()


def digest(tensors: Iterable[Tensor], *facts: object) -> str:
    """A name for what is computed from tensors and facts.

    Examples
    --------
    >>> digest([torch.ones(2)], 1) == digest([torch.ones(2)], 1)
    True
    >>> digest([torch.ones(2)], 1) == digest([torch.ones(2)], 2)
    False
    """
    found = hashlib.blake2b(repr(facts).encode(), digest_size=16)
    for tensor in tensors:
        found.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
