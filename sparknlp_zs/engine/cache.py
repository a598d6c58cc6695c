"""Scorers by model: loaded once per process, kept for later calls."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Scorer

MAX_SCORERS = 3

_lock = threading.Lock()
_scorers: OrderedDict[ScorerKey, Scorer] = OrderedDict()


@dataclass(frozen=True)
class ScorerKey:
    """What makes a loaded scorer reusable."""

    folder: Path
    content: str  # a content hash, or a stamp of the folder's files
    dtype: str
    device: str
    max_length: int | None


def folder_stamp(folder: Path) -> str:
    """Names, sizes and times of a folder's files: changes when a file is rewritten."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return ";".join(f"{x.name}:{x.stat().st_size}:{x.stat().st_mtime_ns}" for x in files)


def default_device() -> str:
    """The first GPU, else the CPU."""
    import torch

    return "cuda:0" if torch.cuda.is_available() else "cpu"


def scorer_for(key: ScorerKey) -> Scorer:
    """The scorer of a key, loaded at its first use; the least recently used one is dropped."""
    with _lock:
        if key in _scorers:
            _scorers.move_to_end(key)
            return _scorers[key]
        while len(_scorers) >= MAX_SCORERS:
            _scorers.popitem(last=False)
        from sparknlp_zs.engine.loading import load_scorer

        scorer = load_scorer(key.folder, key.dtype, key.device, key.max_length)
        _scorers[key] = scorer
        return scorer
