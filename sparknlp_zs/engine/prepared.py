"""Model folders ready to be memory-mapped: weights in the compute dtype, in one file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparknlp_zs.engine.cache import folder_stamp, safetensors_header
from sparknlp_zs.model_files import WEIGHTS, content_hash, needed_files, weight_files
from sparknlp_zs.models import read_label_ids

CACHE_VARIABLE = "SPARKNLP_ZS_CACHE"

_SAFETENSORS_DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}


def cache_folder() -> Path:
    """Where converted weights are kept: ``SPARKNLP_ZS_CACHE``, else the user's cache."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sparknlp_zs"


def prepared_folder(folder: Path, dtype: str) -> Path:
    """A folder with the same model and its weights stored in ``dtype``.

    Weights that are loaded in the dtype they are stored in stay memory-mapped, so that all
    processes of a host share one copy. The folder itself if it is such already; else a
    conversion, made once and kept in the cache under its content hash.
    """
    if _stored_as(folder / WEIGHTS, dtype):
        return folder

    def fill(scratch: Path) -> None:
        convert(folder, dtype, scratch)

    return made_once(f"models/{hash_of(folder)}-{dtype}", fill)


def prepared_encoder(folder: Path, dtype: str) -> Path:
    """As ``prepared_folder``, for an encoder without a classifier."""
    if _stored_as(folder / WEIGHTS, dtype):
        return folder

    def fill(scratch: Path) -> None:
        import torch

        from sparknlp_zs.engine.embedding import load_encoder

        if not _converted(folder, dtype, scratch, encoder=True):
            _save(load_encoder(folder, dtype, torch.device("cpu")), folder, scratch)

    return made_once(f"encoders/{hash_of(folder)}-{dtype}", fill)


def made_once(name: str, fill: Callable[[Path], None]) -> Path:
    """The folder of that name in the cache; ``fill`` makes its content if there is none yet."""
    target = cache_folder() / name
    if target.is_dir():
        return target
    make_folder(target.parent)
    scratch = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        fill(scratch)
        scratch.chmod(0o755)
        publish(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def make_folder(folder: Path) -> None:
    """Make a folder of the cache.

    Raises
    ------
    OSError
        If nothing can be written there; the message says what to set.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"the cache of models cannot be written: {error}; set the environment variable "
            f"{CACHE_VARIABLE} to a folder where it can"
        ) from error


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` a link to a file, or a copy where links are not allowed.

    Raises
    ------
    FileExistsError
        If there is a target: to copy would write through a link.
    """
    try:
        os.symlink(source, target)
    except FileExistsError:
        raise
    except OSError:  # some systems let only administrators link
        shutil.copyfile(source, target)


def publish(scratch: Path, target: Path) -> None:
    """Rename into place; a target that another process finished first is as good."""
    try:
        scratch.rename(target)
    except OSError:
        if not target.exists():
            raise


def hash_of(folder: Path) -> str:
    """The folder's content hash, computed again only when its files change."""
    return _hash_of_stamped(folder, folder_stamp(folder))


@lru_cache(maxsize=64)
def _hash_of_stamped(folder: Path, stamp: str) -> str:
    return content_hash(folder)


def convert(folder: Path, dtype: str, target: Path) -> None:
    """Write the model of ``folder`` to ``target``, its weights in ``dtype`` as one safetensors."""
    import torch

    from sparknlp_zs.engine.networks.huggingface import load_model

    target.mkdir(parents=True, exist_ok=True)
    if _converted(folder, dtype, target):
        return
    model = load_model(folder, dtype, torch.device("cpu"))
    named = read_label_ids(folder)
    if named:
        model.config.label2id = named  # transformers drops it where id2label is missing
    _save(model, folder, target)


def _converted(folder: Path, dtype: str, target: Path, *, encoder: bool = False) -> bool:
    """Convert without transformers' code for models, its other files as they are, if possible."""
    import torch
    from safetensors.torch import save_file

    from sparknlp_zs.engine.described import described
    from sparknlp_zs.engine.networks.stored import stored_model

    config = described(folder).config
    outputs = None if encoder else config.num_labels
    model = stored_model(folder, config, dtype, torch.device("cpu"), outputs)
    if model is None:
        return False
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, target / WEIGHTS, {"format": "pt"})
    _copy_others(folder, target)
    return True


def _save(model: Any, folder: Path, target: Path) -> None:
    """Write a loaded model to ``target``, with the other files of its folder."""
    from sparknlp_zs.engine.networks.huggingface import no_bars

    with no_bars():
        model.save_pretrained(target, max_shard_size="100GB")
    _copy_others(folder, target)


def _copy_others(folder: Path, target: Path) -> None:
    weights = weight_files(folder)
    for path in needed_files(folder):
        copy = target / path.relative_to(folder)
        if path not in weights and not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
    for path in needed_files(target):
        path.chmod(0o644)  # safetensors writes 0600; workers may run as another user


def _stored_as(weights: Path, dtype: str) -> bool:
    if not weights.is_file():
        return False
    found = {x["dtype"] for x in safetensors_header(weights).values()}
    return found <= {_SAFETENSORS_DTYPES[dtype], "I64"}
