"""What transformers makes of a folder's configuration and tokenizer, kept for later processes.

Its import takes a second of each worker's start; torch's takes as long, and the rest is fast.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sparknlp_zs.engine.prepared import made_once
from sparknlp_zs.engine.stored_tokenizer import StoredTokenizer
from sparknlp_zs.model_files import needed_files, weight_files
from sparknlp_zs.models import HEAD_WEIGHTS

logger = logging.getLogger(__name__)

_FORMAT = 1  # of the kept files
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
    """
    made: list[Described] = []

    def fill(scratch: Path) -> None:
        made.append(_made(folder))
        _keep(made[0], scratch)

    try:
        kept = made_once(f"described/{_key(folder)}", fill)
        return made[0] if made else _read(kept)
    except _StockOnlyError:
        return made[0]
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
        logger.info("%s: configuration and tokenizer are not kept: %s", folder, error)
        return made[0] if made else _made(folder)


class _StockOnlyError(Exception):
    """Only transformers can make it."""


def _made(folder: Path) -> Described:
    from sparknlp_zs.engine.networks.huggingface import load_config, load_tokenizer

    return Described(load_config(folder), load_tokenizer(folder))


def _key(folder: Path) -> str:
    """Of all that they depend on."""
    weights = {*weight_files(folder), folder / HEAD_WEIGHTS}
    files = [x for x in needed_files(folder) if x.parent == folder and x not in weights]
    versions = [version("transformers"), version("tokenizers")]
    digest = hashlib.sha256(repr([_FORMAT, versions, [x.name for x in files]]).encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _keep(found: Described, scratch: Path) -> None:
    stored = StoredTokenizer.of(found.tokenizer)
    if stored is None:
        raise _StockOnlyError
    (scratch / _TOKENIZER).write_text(stored.backend_json, encoding="utf-8")
    (scratch / _FACTS).write_text(json.dumps(asdict(stored.facts)), encoding="utf-8")
    try:
        config = json.dumps(_attributes(found.config))
    except TypeError as error:  # one that holds more than JSON
        raise _StockOnlyError from error
    (scratch / _CONFIG).write_text(config, encoding="utf-8")


def _attributes(config: Any) -> dict[str, Any]:
    """A configuration's attributes, under all of their names."""
    found: dict[str, Any] = config.to_dict()
    aliases = {alias: getattr(config, name) for alias, name in config.attribute_map.items()}
    return {**found, **aliases, "num_labels": config.num_labels}


def _read(kept: Path) -> Described:
    facts, config = (json.loads((kept / x).read_text("utf-8")) for x in (_FACTS, _CONFIG))
    tokenizer = StoredTokenizer.from_json((kept / _TOKENIZER).read_text("utf-8"), facts)
    return Described(SimpleNamespace(**config), tokenizer)
