"""Scorers by model: loaded once per process, kept for later calls, bounded by their bytes."""

from __future__ import annotations

import gc
import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparknlp_zs.model_files import needed_files, weight_files
from sparknlp_zs.models import EMBEDDER, EMBEDDING

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Scorer

BYTES_VARIABLE = "SPARKNLP_ZS_MODEL_CACHE_BYTES"
DEFAULT_BYTES = 3 << 30  # four base-size models in float32

_ITEM_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

_lock = threading.Lock()
_loaded: OrderedDict[ScorerKey, _Loaded] = OrderedDict()


@dataclass(frozen=True)
class _Loaded:
    scorer: Scorer
    size: int


@dataclass(frozen=True)
class ScorerKey:
    """What makes a loaded scorer reusable: equal content, dtype, device and max_length.

    Parameters
    ----------
    folder : Path
        Where the model is loaded from; the same content in another folder is the same model.
    content : str
        A content hash, or a stamp of the folder's files.
    dtype, device : str
    max_length : int or None
    """

    folder: Path = field(compare=False)
    content: str
    dtype: str
    device: str
    max_length: int | None


def scorer_for(
    key: ScorerKey, *, one_gpu: bool = False, check: Callable[[], None] | None = None
) -> Scorer:
    """The scorer of a key, loaded at its first use.

    Scorers used least recently are dropped before the weights of all would exceed
    ``cache_bytes()``. A model larger than that is kept alone.

    Parameters
    ----------
    key : ScorerKey
    one_gpu : bool
        Drop scorers on GPUs other than the key's first: a worker that was given another GPU must
        leave its former one to the worker that has it now.
    check : callable or None
        Called before the model is loaded; raises if the folder has not the content of the key.
    """
    with _lock:
        if one_gpu and key.device.startswith("cuda"):
            _drop([x for x in _loaded if x.device.startswith("cuda") and x.device != key.device])
        if key not in _loaded:
            if check is not None:
                check()
            size = weights_bytes(key.folder, key.dtype)
            _make_room(size, cache_bytes())
            from sparknlp_zs.engine.loading import load_scorer

            scorer = load_scorer(key.folder, key.dtype, key.device, key.max_length)
            _loaded[key] = _Loaded(scorer, size)
        _loaded.move_to_end(key)
        return _loaded[key].scorer


def cached_keys() -> list[ScorerKey]:
    """The models that this process holds, the least recently used first."""
    with _lock:
        return list(_loaded)


def cache_bytes() -> int:
    """The bound of the cache: ``SPARKNLP_ZS_MODEL_CACHE_BYTES``, such as "6g"; else 3 GiB.

    Raises
    ------
    ValueError
        If the variable is no size.

    Examples
    --------
    >>> os.environ["SPARKNLP_ZS_MODEL_CACHE_BYTES"] = "512m"
    >>> cache_bytes() == 512 * 2**20
    True
    >>> del os.environ["SPARKNLP_ZS_MODEL_CACHE_BYTES"]
    """
    given = os.environ.get(BYTES_VARIABLE)
    if not given:
        return DEFAULT_BYTES
    found = re.fullmatch(r"(\d+)([kmgt]?)b?", given.strip().lower())
    if found is None:
        raise ValueError(
            f"{BYTES_VARIABLE}={given!r}: use a number of bytes, or one with k, m or g, as in '6g'"
        )
    return int(found[1]) * _UNITS[found[2]]


def weights_bytes(folder: Path, dtype: str) -> int:
    """Bytes of a folder's weights once loaded in ``dtype``; pickled weights count as stored.

    Examples
    --------
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> full = weights_bytes(Path(STARTER_PATH), "float32")
    >>> full // 2**20, weights_bytes(Path(STARTER_PATH), "bfloat16") * 2 == full
    (86, True)
    """
    total = 0
    for path in weight_files(folder):
        if path.suffix == ".safetensors":
            tensors = safetensors_header(path).values()
            total += sum(_loaded_bytes(x, _ITEM_BYTES[dtype]) for x in tensors)
        elif path.suffix != ".json":
            total += path.stat().st_size
    embedder = folder / EMBEDDER
    return total + (weights_bytes(embedder, dtype) if (embedder / EMBEDDING).is_file() else 0)


def safetensors_header(path: Path) -> dict[str, dict[str, Any]]:
    """Name, dtype, shape and place of each tensor of a safetensors file."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 0 < size < path.stat().st_size:
            raise ValueError(
                f"{path}: no safetensors file; if it is a pointer of Git LFS, run git lfs pull"
            )
        try:
            header: dict[str, dict[str, Any]] = json.loads(file.read(size))
        except ValueError:
            header = {}
    found = {name: x for name, x in header.items() if name != "__metadata__"}
    end = max((int(x["data_offsets"][1]) for x in found.values()), default=-1)
    if end < 0 or 8 + size + end != path.stat().st_size:
        raise ValueError(f"{path} is damaged or not complete; fetch the model again")
    return found


def _loaded_bytes(tensor: dict[str, Any], item_bytes: int) -> int:
    start, end = tensor["data_offsets"]
    size = int(end) - int(start)
    stored = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2}.get(tensor["dtype"])
    return size // stored * item_bytes if stored else size


def _make_room(needed: int, limit: int) -> None:
    """Drop what was used least recently until ``needed`` bytes more stay within the limit."""
    held = sum(loaded.size for loaded in _loaded.values())
    dropped = []
    for key, loaded in _loaded.items():
        if held + needed <= limit:
            break
        held -= loaded.size
        dropped.append(key)
    _drop(dropped)


def _drop(keys: list[ScorerKey]) -> None:
    for key in keys:
        del _loaded[key]
    if any(key.device.startswith("cuda") for key in keys):
        import torch

        # torch keeps freed GPU memory for itself; another process needs it now.
        gc.collect()
        torch.cuda.empty_cache()


def folder_stamp(folder: Path) -> str:
    """The folder, and what the system tells of a model's files: changes when one is rewritten."""
    return stamp_of(folder, needed_files(folder))


def stamp_of(folder: Path, paths: Iterable[Path]) -> str:
    """The folder, and names, sizes, numbers and times of some of its files.

    Archives may give all files one time, so that of the file's state counts too.
    """
    states = [(path.name, path.stat()) for path in paths]
    files = [f"{name}:{x.st_size}:{x.st_mtime_ns}:{x.st_ctime_ns}:{x.st_ino}" for name, x in states]
    return ";".join([str(folder.resolve()), *files])


def default_device() -> str:
    """The first GPU, else the CPU."""
    import torch

    return "cuda:0" if torch.cuda.is_available() else "cpu"
