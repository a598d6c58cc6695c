"""Models by hub id: from the local cache if it holds enough, else downloaded once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sparknlp_zs.model_files import VOCABULARIES, has_vocabulary, weight_files

if TYPE_CHECKING:
    from sparknlp_zs.models import ModelSpec

_FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja", *(f"*{x}" for x in VOCABULARIES))
# Pickled weights only where there are no others: both would be twice the download.
_PICKLED = "*.bin"


def hub_snapshot(spec: ModelSpec) -> Path:
    """The local folder of a hub id.

    Raises
    ------
    Exception
        Any of the hub client's many types, if the cache does not hold the model and the hub
        cannot give it.
    """
    cached = _cached(spec)
    if cached is not None and is_usable(cached):
        return cached
    folder = _snapshot(spec, _FILES, local_only=False)
    if not any(folder.glob("*.safetensors")):
        folder = _snapshot(spec, (*_FILES, _PICKLED), local_only=False)
    # The client gives what the cache has where it cannot reach the hub.
    if not is_usable(folder):
        raise FileNotFoundError(f"{folder}: weights, tokenizer or config.json are missing")
    return folder


def in_vain(error: Exception) -> str:
    """Where a name was looked for, given the hub client's error.

    Examples
    --------
    >>> in_vain(ConnectionError())
    'no such folder, not in the local cache, and the hub gave ConnectionError'
    """
    from huggingface_hub.errors import HFValidationError

    if isinstance(error, HFValidationError):
        return "no such folder, and no hub id, which is 'organisation/name'"
    return f"no such folder, not in the local cache, and the hub gave {type(error).__name__}"


def is_usable(folder: Path) -> bool:
    """Whether a folder has what loading needs: a cache may hold some files of a repository only.

    Examples
    --------
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> is_usable(Path(STARTER_PATH)), is_usable(Path(STARTER_PATH).parent)
    (True, False)
    """
    if not folder.is_dir():
        return False
    modules = folder / "modules.json"
    if modules.is_file() and not (folder / "config.json").is_file():
        # An older sentence-transformers model: its encoder has a folder of its own.
        first = json.loads(modules.read_text(encoding="utf-8"))[0]["path"]
        return bool(first) and is_usable(folder / Path(first).name)
    weights = weight_files(folder)
    complete = bool(weights) and all(path.is_file() for path in weights)
    return complete and (folder / "config.json").is_file() and has_vocabulary(folder)


def _cached(spec: ModelSpec) -> Path | None:
    try:
        return _snapshot(spec, (*_FILES, _PICKLED), local_only=True)
    except (OSError, ValueError) as error:
        # Files are missing that this package may not need.
        found = getattr(error, "snapshot_path", None)
        return Path(found) if found else None


def _snapshot(spec: ModelSpec, patterns: tuple[str, ...], *, local_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    found = snapshot_download(
        spec.model,
        revision=spec.revision,
        allow_patterns=list(patterns),
        local_files_only=local_only,
    )
    return Path(found)
