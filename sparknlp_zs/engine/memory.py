"""What a process holds beside weights: kernels that were built, memory that was freed."""

from __future__ import annotations

import ctypes
import os
import sys

# oneDNN keeps what it built for a shape in a cache of its own, torch once more in another.
KERNEL_CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "40", "LRU_CACHE_CAPACITY": "8"}


def bound_kernel_caches(dtype: str, device_type: str) -> None:
    """Let oneDNN keep the kernels of few shapes, not of 1,024.

    In half precision on a CPU it builds kernels for each shape, and nearly every batch has new
    ones: with DeBERTa-base they took 290 MB after 140 texts, and are reused only from layer to
    layer of a batch. The libraries read these variables at their first product of the process;
    any that is set already is left alone.

    Parameters
    ----------
    dtype : str
        Of the weights.
    device_type : str
        As ``torch.device.type``.

    Examples
    --------
    >>> bound_kernel_caches("bfloat16", "cpu")
    >>> "ONEDNN_PRIMITIVE_CACHE_CAPACITY" in os.environ
    True
    """
    if device_type == "cpu" and dtype != "float32":
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
