"""The compute dtype for a device."""

from __future__ import annotations

import logging
import platform

from sparknlp_zs.models import AUTO

logger = logging.getLogger(__name__)

_X86 = ("x86_64", "AMD64")
_BF16_UNITS = ("amx_bf16", "avx512_bf16")
_FP16_UNITS = ("amx_fp16", "avx512_fp16")
_UNITS = {"bfloat16": _BF16_UNITS, "float16": _FP16_UNITS}  # of x86 processors
_BF16_CAPABILITY = (8, 0)  # of CUDA devices: Ampere


def compute_dtype(dtype: str, device: str | None = None) -> str:
    """The dtype itself, or what "auto" stands for on a device.

    On a CPU with bfloat16 units (AMX or AVX-512 BF16) it is bfloat16, on another float32: there,
    half precision is emulated. On a GPU it is bfloat16 from Ampere on, else float16 (not measured
    on a GPU).

    Parameters
    ----------
    dtype : {"float32", "bfloat16", "float16", "auto"}
    device : str or None
        A torch device; None is this process's first GPU, else its CPU.

    Examples
    --------
    >>> compute_dtype("float32")
    'float32'
    >>> compute_dtype("auto", "cpu") in ("float32", "bfloat16")
    True
    """
    if dtype != AUTO:
        return dtype
    import torch

    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if torch.device(device).type == "cuda":
        modern = torch.cuda.get_device_capability(device) >= _BF16_CAPABILITY
        return "bfloat16" if modern else "float16"
    return "bfloat16" if any(_cpu_has(unit) for unit in _BF16_UNITS) else "float32"


def warn_if_emulated(dtype: str, device_type: str) -> None:
    """Log a warning if a CPU has no units for a half precision, so that products take far longer.

    Parameters
    ----------
    dtype : {"float32", "bfloat16", "float16"}
    device_type : str
        "cpu", "cuda" or "mps"; only x86 CPUs are looked at.

    Examples
    --------
    >>> warn_if_emulated("float32", "cpu")
    """
    units = _UNITS.get(dtype, ())
    if device_type != "cpu" or platform.machine() not in _X86 or not units:
        return
    if not any(_cpu_has(unit) for unit in units):
        logger.warning(
            "this CPU has no %s units (none of %s): products are emulated, ten times slower than "
            "float32 and more; use float32, or dtype='auto', which asks the CPU",
            dtype,
            ", ".join(units),
        )


def _cpu_has(unit: str) -> bool:
    import torch

    return bool(torch.cpu.get_capabilities().get(unit, False))
