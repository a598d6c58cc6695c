"""What transformers makes of a folder's configuration and tokenizer, kept for later processes.

Its import takes a second of each worker's start; torch's takes as long, and the rest is fast.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sparknlp_zs.engine.encoding import pair_layout, single_layout
from sparknlp_zs.engine.prepared import cache_folder, made_once
from sparknlp_zs.engine.stored_tokenizer import StoredTokenizer
from sparknlp_zs.model_files import needed_files, weight_files
from sparknlp_zs.models import HEAD_WEIGHTS

logger = logging.getLogger(__name__)

DESCRIBED = "described"  # a folder in the cache, and in a folder that was sent

_FORMAT = 1  # of the kept files
_NEEDED = {"model_type", "num_labels", "id2label"}  # of every config
_CONFIG, _TOKENIZER, _FACTS = "config.json", "tokenizer.json", "facts.json"


@dataclass(frozen=True)
class Described:
    """A folder's configuration and tokenizer.

    Parameters
    ----------
    config : transformers.PretrainedConfig, or an object with its attributes
    tokenizer : transformers.PreTrainedTokenizerBase or StoredTokenizer
    """

    config: Any
    tokenizer: Any


def described(folder: Path) -> Described:
    """A folder's configuration and tokenizer, as transformers loads them.

    Made by transformers once per host, and then read from the cache, for the same files and the
    same versions of the libraries. Where nothing can be kept, transformers makes them each time.
    A folder that was sent from elsewhere may hold what was kept there.
    """
    key = _key(folder)
    if key is None:
        return _made(folder)
    place = _place(key)
    for kept in (folder / DESCRIBED / key, place):
        found = None if kept is None else _kept(kept)
        if found is not None:
            return found
    made = _made(folder)
    if place is not None:
        try:
            made_once(f"{DESCRIBED}/{key}", lambda scratch: _keep(made, scratch))
        except (_StockOnlyError, OSError) as error:
            logger.info("%s: configuration and tokenizer are not kept: %s", folder, error)
    return made


def description_files(folder: Path) -> dict[str, Path]:
    """What ``described`` keeps of a folder, to be sent with it: by names within the folder.

    Empty if nothing is kept, or the folder cannot be described here: it may be elsewhere.
    """
    key = _key(folder)
    place = None if key is None else _place(key)
    if place is None:
        return {}
    if not place.is_dir():
        try:
            described(folder)
        except Exception as error:  # a tokenizer may need a library that only the workers have
            logger.info("%s cannot be described here: %s", folder, error)
    if not place.is_dir():
        return {}
    return {f"{DESCRIBED}/{key}/{x.name}": x for x in sorted(place.iterdir())}


class _StockOnlyError(Exception):
    """Only transformers can make it."""


def _place(key: str) -> Path | None:
    try:
        return cache_folder() / DESCRIBED / key
    except RuntimeError:  # no home folder
        return None


def _kept(place: Path) -> Described | None:
    if not place.is_dir():
        return None
    try:
        return _read(place)
    except Exception as error:  # whatever a damaged file brings: tokenizers has no class of its own
        logger.warning("%s cannot be read and is made anew: %s", place, error)
        shutil.rmtree(place, ignore_errors=True)
        return None


def _made(folder: Path) -> Described:
    from sparknlp_zs.engine.networks.huggingface import load_config, load_tokenizer

    return Described(load_config(folder), load_tokenizer(folder))


def _key(folder: Path) -> str | None:
    """Of all that they depend on; None if a library is not installed."""
    try:
        versions = [version("transformers"), version("tokenizers")]
    except PackageNotFoundError:
        return None
    weights = {*weight_files(folder), folder / HEAD_WEIGHTS}
    files = [x for x in needed_files(folder) if x.parent == folder and x not in weights]
    digest = hashlib.sha256(repr([_FORMAT, versions, [x.name for x in files]]).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:20]


def _keep(found: Described, scratch: Path) -> None:
    stored = StoredTokenizer.of(found.tokenizer)
    if stored is None:
        raise _StockOnlyError("the tokenizer is more than its backend")
    try:
        pair_layout(stored), single_layout(stored)  # errors of theirs name the stock class
        contents = {
            _TOKENIZER: stored.backend_json,
            _FACTS: json.dumps(asdict(stored.facts)),
            _CONFIG: json.dumps(_attributes(found.config)),
        }
    except (TypeError, ValueError) as error:  # TypeError: a config that holds more than JSON
        raise _StockOnlyError(str(error)) from error
    for name, content in contents.items():
        (scratch / name).write_text(content, encoding="utf-8")
        (scratch / name).chmod(0o644)  # other users' workers may read it


def _attributes(config: Any) -> dict[str, Any]:
    """A configuration's attributes, under all of their names."""
    found: dict[str, Any] = config.to_dict()
    aliases = {alias: getattr(config, name) for alias, name in config.attribute_map.items()}
    return {**found, **aliases, "num_labels": config.num_labels}


def _read(kept: Path) -> Described:
    facts, config = (json.loads((kept / x).read_text("utf-8")) for x in (_FACTS, _CONFIG))
    tokenizer = StoredTokenizer.from_json((kept / _TOKENIZER).read_text("utf-8"), facts)
    if not config.keys() >= _NEEDED:
        raise ValueError(f"{_CONFIG} lacks {sorted(_NEEDED - config.keys())}")
    return Described(SimpleNamespace(**config), tokenizer)
