"""The files of a model's folder: its weights, what else loading reads, and a hash of both."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from sparknlp_zs.models import EMBEDDER, EMBEDDING, HEAD_TASKS, HEAD_WEIGHTS

# As transformers names them.
WEIGHTS = "model.safetensors"
PICKLED_WEIGHTS = "pytorch_model.bin"


def content_hash(folder: Path) -> str:
    """Hash of the names and bytes of the files that a model needs (20 hex digits).

    Other files of the folder, such as a model card or an optimizer's state, do not change it.

    Examples
    --------
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> content_hash(Path(STARTER_PATH)) == content_hash(Path(STARTER_PATH))
    True
    """
    digest = hashlib.sha256()
    for path in needed_files(folder):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}:{path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:20]


def refuse_uri(argument: str, path: str | os.PathLike[str]) -> None:
    """Refuse a path that names a file system, which Python would take for a folder's name.

    Examples
    --------
    >>> refuse_uri("output", "/dbfs/models/mine")
    >>> refuse_uri("output", "C:/models/mine")
    >>> refuse_uri("output", "dbfs:/models/mine")
    Traceback (most recent call last):
    ...
    ValueError: output='dbfs:/models/mine': a URI; pass a path, such as /Volumes/... on Databricks
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", os.fspath(path)):
        raise ValueError(
            f"{argument}={os.fspath(path)!r}: a URI; pass a path, such as /Volumes/... on "
            "Databricks"
        )


def needed_files(folder: Path) -> list[Path]:
    """The files of a folder that loading its model reads, in the order of their names.

    Examples
    --------
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> [path.name for path in needed_files(Path(STARTER_PATH))]
    ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
    """
    names = {path.name for path in folder.iterdir() if path.is_file()}
    weights = {path.name for path in weight_files(folder)}
    others = {
        name for name in names if name in _KNOWN_FILES or name.endswith((*VOCABULARIES, ".jinja"))
    }
    others |= {name for name in names if re.fullmatch(r"tokenizer\..+\.json", name)}  # of a version
    if "tokenizer.json" not in names:
        # Only the tokenizer's class knows what its vocabulary is called.
        others |= {name for name in names if name.endswith((".json", ".txt"))} - _WEIGHT_INDEXES
    embedder = folder / EMBEDDER
    nested = needed_files(embedder) if (embedder / EMBEDDING).is_file() else []
    return sorted([*(folder / name for name in weights | others), *nested])


def has_vocabulary(folder: Path) -> bool:
    """Whether a folder holds a tokenizer's vocabulary under a usual name."""
    names = [path.name for path in folder.iterdir()]
    return any(x in _VOCABULARY_FILES or x.endswith(VOCABULARIES) for x in names)


def check_tokenizer(folder: Path) -> None:
    """Refuse a folder without a tokenizer.

    transformers makes an empty one for it, to which every word is unknown.

    Raises
    ------
    ValueError
        If there is neither a vocabulary nor a configuration of a tokenizer, which may do without.

    Examples
    --------
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> check_tokenizer(Path(STARTER_PATH))
    """
    if not has_vocabulary(folder) and not (folder / "tokenizer_config.json").is_file():
        raise ValueError(
            f"{folder}: there is no tokenizer (tokenizer.json or a vocabulary), without which "
            "every word is unknown; save it there too, by tokenizer.save_pretrained(folder)"
        )


def weight_files(folder: Path) -> list[Path]:
    """The weights that transformers loads from a folder, with their index if there are shards.

    A folder without weights gives an empty list.
    """
    for single in (WEIGHTS, PICKLED_WEIGHTS):
        index = folder / f"{single}.index.json"
        if (folder / single).is_file():
            return [folder / single]
        if index.is_file():
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
            # Names only: an index from elsewhere must not reach files outside the folder.
            return [index, *(folder / name for name in sorted({Path(x).name for x in shards}))]
    return []


_VOCABULARY_FILES = frozenset({"tokenizer.json", "vocab.txt", "vocab.json"})
_KNOWN_FILES = frozenset(
    {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        # An adapter's heads, beside the model that they belong to.
        HEAD_TASKS,
        HEAD_WEIGHTS,
        EMBEDDING,
    }
)
VOCABULARIES = (".model", ".tiktoken", ".codes")
_WEIGHT_INDEXES = frozenset({f"{WEIGHTS}.index.json", f"{PICKLED_WEIGHTS}.index.json"})
