"""Folders with a model and its task heads: one folder to load, hash and ship."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from sparknlp_zs.engine.adapter_weights import (
    expected_shapes,
    load_weights,
    model_sizes,
    save_safetensors,
)
from sparknlp_zs.engine.adapters import CONFIG, adapter_folder, read_adapter
from sparknlp_zs.engine.cache import folder_stamp, stamp_of
from sparknlp_zs.engine.prepared import made_once
from sparknlp_zs.models import HEAD_TASKS, HEAD_WEIGHTS, ModelSpec, needed_files


def with_adapter(folder: Path, spec: ModelSpec) -> Path:
    """The folder itself if the spec names no adapter, else one with its heads too.

    Made once and kept in the cache: links to the model's files, so that weights stay shared and
    memory-mapped, and the heads as ``task_heads.safetensors`` (float32) with ``task_heads.json``.

    Raises
    ------
    ModelNotFoundError
        If there is no such adapter.
    ValueError
        If the adapter does not fit the model.
    """
    if spec.adapter is None:
        return folder
    adapter = adapter_folder(spec)
    # All of the adapter's files: which of them is loaded, their content decides.
    files = (path for path in sorted(adapter.iterdir()) if path.is_file())
    stamps = f"{folder_stamp(folder)}\n{stamp_of(adapter, files)}"
    name = hashlib.sha256(stamps.encode()).hexdigest()[:20]

    def fill(scratch: Path) -> None:
        combine(folder, adapter, scratch)

    return made_once(f"adapted/{name}", fill)


def combine(model: Path, adapter: Path, target: Path) -> None:
    """Put the model's files and the adapter's checked weights into ``target``."""
    hidden, embedding = model_sizes(model)
    weights = load_weights(adapter, expected_shapes(read_adapter(adapter), hidden, embedding))
    save_safetensors(weights, target / HEAD_WEIGHTS)
    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    kept = {key: config.get(key) for key in ("tasks", "classifiers_size", "labels_list")}
    (target / HEAD_TASKS).write_text(json.dumps(kept), encoding="utf-8")
    for path in needed_files(model):
        if path.name not in (HEAD_WEIGHTS, HEAD_TASKS):
            _link(path.resolve(), target / path.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.symlink(source, target)
    except OSError:  # some systems let only administrators link
        shutil.copyfile(source, target)
