"""Memory that the process has freed, given back to the system."""

from __future__ import annotations

import ctypes
import sys


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
