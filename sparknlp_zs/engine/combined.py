"""Folders with a model and its task heads or embedder: one folder to load, hash and ship."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from sparknlp_zs.embedders import embedder_of
from sparknlp_zs.engine.adapter_weights import (
    expected_shapes,
    load_weights,
    model_sizes,
    save_safetensors,
)
from sparknlp_zs.engine.adapters import adapter_folder, read_adapter
from sparknlp_zs.engine.cache import folder_stamp, stamp_of
from sparknlp_zs.engine.prepared import (
    CACHE_VARIABLE,
    link_or_copy,
    made_once,
    prepared_encoder,
)
from sparknlp_zs.model_files import needed_files
from sparknlp_zs.models import EMBEDDER, EMBEDDING, HEAD_TASKS, HEAD_WEIGHTS, ModelSpec, read_config


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
    config = read_config(adapter)
    kept = {key: config.get(key) for key in ("tasks", "classifiers_size", "labels_list")}
    (target / HEAD_TASKS).write_text(json.dumps(kept), encoding="utf-8")
    for path in needed_files(model):
        if path.name not in (HEAD_WEIGHTS, HEAD_TASKS):
            place = target / path.relative_to(model)  # an embedder has a folder of its own
            place.parent.mkdir(exist_ok=True)
            _link(path.resolve(), place)


def with_embedder(folder: Path, spec: ModelSpec, dtype: str | None = None) -> Path:
    """The folder itself if the spec names no embedder, else one with a folder ``embedder`` too.

    Made once and kept in the cache, of links as by ``with_adapter``; how the encoder's states
    become one vector is in ``embedder/zs_embedding.json``.

    Parameters
    ----------
    folder : Path
        The model's.
    spec : ModelSpec
    dtype : str or None
        What the embedder's weights are stored as; None leaves them as they are.

    Raises
    ------
    ModelNotFoundError
        If there is no such embedder.
    ValueError
        If the embedder computes more than an encoder and a pooling.
    """
    if spec.embedder is None:
        return folder
    encoder, embedding = embedder_of(spec)
    if dtype is not None:
        encoder = prepared_encoder(encoder, dtype)
    how = embedding.to_json()
    stamps = f"{folder_stamp(folder)}\n{folder_stamp(encoder)}\n{how}"
    name = hashlib.sha256(stamps.encode()).hexdigest()[:20]

    def fill(scratch: Path) -> None:
        (scratch / EMBEDDER).mkdir()
        for path in needed_files(folder):
            if path.parent == folder:
                _link(path.resolve(), scratch / path.name)
        for path in needed_files(encoder):
            if path.parent == encoder and path.name != EMBEDDING:
                _link(path.resolve(), scratch / EMBEDDER / path.name)
        (scratch / EMBEDDER / EMBEDDING).write_text(how, encoding="utf-8")

    return made_once(f"embedded/{name}", fill)


def _link(source: Path, target: Path) -> None:
    # Workers that see a shared cache might not see what it links to on another file system.
    shared = bool(os.environ.get(CACHE_VARIABLE))
    if shared and source.stat().st_dev != target.parent.stat().st_dev:
        shutil.copyfile(source, target)
    else:
        link_or_copy(source, target)
