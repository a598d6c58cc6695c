"""What a process holds beside weights: kernels that were built, memory that was freed."""

from __future__ import annotations

import ctypes
import os
import sys

# oneDNN keeps what it built for a shape in a cache of its own, torch once more in another.
KERNEL_CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "40", "LRU_CACHE_CAPACITY": "8"}


def bound_kernel_caches() -> None:
    """Let oneDNN keep the kernels of few shapes, not of 1,024; for processes of our own.

    In half precision on a CPU it builds kernels for each shape, and nearly every batch of a short
    column has new ones: with DeBERTa-base they took 290 MB after 140 texts. In long columns equal
    shapes follow one another, and few kernels suffice; but whoever scores the same few texts again
    and again is faster with more. The libraries read these variables at their first product of
    the process; any that is set already is left alone.

    Examples
    --------
    >>> bound_kernel_caches()
    >>> "ONEDNN_PRIMITIVE_CACHE_CAPACITY" in os.environ
    True
    """
    for name, shapes in KERNEL_CACHES.items():
        os.environ.setdefault(name, shapes)


def give_back() -> None:
    """Let glibc return freed memory; elsewhere nothing happens.

    Its heap keeps tens of megabytes after some batches, which every worker on a host would hold.

    Examples
    --------
    >>> give_back()
    """
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)
