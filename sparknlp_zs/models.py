"""WHICH model: names, folders, class ids by name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparknlp_zs.tasks import ClassIds

SEED_MODEL = "sileod/deberta-v3-base-tasksource-nli"
STARTER = "starter"
CONFIG = "config.json"
STARTER_PATH = str(Path(__file__).parent / "starter" / "model")
MODEL_VARIABLE = "SPARKNLP_ZS_MODEL"
HEAD_TASKS = "task_heads.json"
HEAD_WEIGHTS = "task_heads.safetensors"
EMBEDDER = "embedder"  # folder of a sentence encoder, beside the model that it serves
EMBEDDING = "zs_embedding.json"
AUTO = "auto"
LAST_TOKEN_CLASSIFIERS = frozenset({"xlnet"})  # they read the last position, also of padding
DTYPES = ("float32", "bfloat16", "float16", AUTO)

_DEVICE = re.compile(r"cpu|mps|cuda(:(0|[1-9][0-9]*))?")


class ModelNotFoundError(FileNotFoundError):
    """The model is neither a folder, nor in the local hub cache, nor on the hub."""


@dataclass(frozen=True)
class ModelSpec:
    """A model by name, and how to run it.

    Parameters
    ----------
    model : str
        A folder in Hugging Face's format, a hub id, or "starter" (bundled, needs no download).
    revision : str or None
        Branch, tag or commit of a hub id.
    dtype : {"float32", "bfloat16", "float16", "auto"}
        Compute type of the weights. "auto" is the fastest that the device has units for, decided
        on the driver (see ``engine.precision``). Scores are float64 in any case.
    device : str or None
        "cpu", "cuda", "cuda:1" or another number, or "mps" (not tested); None, or "auto", takes
        a GPU where there is one, else the CPU. Whether it exists is not asked: workers may have
        other devices than the driver.
    max_length : int or None
        Longest pair in tokens; None asks the model.
    adapter : str or None
        Folder or hub id of the model's task heads; None finds it by the model's name when a task
        head is asked for.
    embedder : str, path or None
        Folder or hub id of a sentence-transformers model, or of an encoder whose states are
        averaged, that ``prefilter`` compares texts and labels with; None takes the one of the
        extra ``prefilter`` when a task asks for it.

    Examples
    --------
    >>> ModelSpec("starter").dtype
    'float32'
    """

    model: str
    revision: str | None = None
    dtype: str = "float32"
    device: str | None = None
    max_length: int | None = None
    adapter: str | os.PathLike[str] | None = None
    embedder: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.model, os.PathLike):
            object.__setattr__(self, "model", os.fspath(self.model))
        if not isinstance(self.model, str) or not self.model.strip():
            raise TypeError(
                f"model={self.model!r}: pass a folder, a hub id such as {SEED_MODEL!r}, "
                f"or {STARTER!r}"
            )
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype={self.dtype!r}: use one of {list(DTYPES)}")
        object.__setattr__(self, "device", _checked_device(self.device))
        if self.max_length is not None and (
            isinstance(self.max_length, bool) or not isinstance(self.max_length, int)
        ):
            raise TypeError(f"max_length={self.max_length!r}: pass an int of tokens, or None")
        if self.max_length is not None and self.max_length < 8:
            raise ValueError(f"max_length={self.max_length}: use at least 8 tokens, or None")
        if isinstance(self.adapter, os.PathLike):
            object.__setattr__(self, "adapter", os.fspath(self.adapter))
        if self.adapter is not None and not (
            isinstance(self.adapter, str) and self.adapter.strip()
        ):
            raise TypeError(f"adapter={self.adapter!r}: pass a folder or hub id as a string")
        if isinstance(self.embedder, os.PathLike):
            object.__setattr__(self, "embedder", os.fspath(self.embedder))
        if self.embedder is not None and not (
            isinstance(self.embedder, str) and self.embedder.strip()
        ):
            raise TypeError(f"embedder={self.embedder!r}: pass a folder or hub id")


def _checked_device(device: str | None) -> str | None:
    """The device itself, or None for "auto"; torch would tell a wrong one in the job only."""
    if device is None or device == AUTO:
        return None
    if isinstance(device, str) and _DEVICE.fullmatch(device):
        return device
    raise (ValueError if isinstance(device, str) else TypeError)(
        f"device={device!r}: use 'cpu', 'cuda', 'cuda:N' with the number of a GPU such as "
        "'cuda:1', 'mps', or 'auto' (or None) for a GPU where there is one, else the CPU"
    )


# What every surface takes as ``model``.
Model = str | os.PathLike[str] | ModelSpec | None


def model_spec(model: Model) -> ModelSpec:
    """The spec of what a caller passed as ``model``; None is the default model.

    The default is the environment's ``SPARKNLP_ZS_MODEL``, else the seed model.

    Examples
    --------
    >>> model_spec("starter") == ModelSpec("starter")
    True
    """
    if isinstance(model, ModelSpec):
        return model
    if model is None:
        return ModelSpec(os.environ.get(MODEL_VARIABLE) or SEED_MODEL)
    return ModelSpec(os.fspath(model) if isinstance(model, os.PathLike) else model)


def model_folder(spec: ModelSpec) -> Path:
    """The local folder of a model, downloaded once if it is a hub id.

    Raises
    ------
    ModelNotFoundError
        If the model is neither a folder nor reachable on the hub.
    """
    if spec.model == STARTER:
        return Path(STARTER_PATH)
    folder = Path(spec.model).expanduser()
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            raise ModelNotFoundError(
                f"model={spec.model!r}: the folder has no config.json; pass a folder written by "
                "save_pretrained"
            )
        return folder.resolve()
    from sparknlp_zs.hub import hub_snapshot, in_vain

    try:
        return hub_snapshot(spec)
    except Exception as error:  # the hub client raises many unrelated types
        raise ModelNotFoundError(
            f"model={spec.model!r}: {in_vain(error)}. Pass the path of a model folder "
            f"(model='/path/to/model'), or model={STARTER!r}: the bundled model, which needs no "
            "download."
        ) from error


def label_ids(config: Mapping[str, Any], model: str = "model") -> dict[str, int]:
    """The names of a config's outputs and their ids, by ``id2label`` and ``label2id`` together.

    A map that is missing, or has the names "LABEL_0" and so on that transformers fills in, leaves
    it to the other one.

    Parameters
    ----------
    config : mapping
        The content of a config.json.
    model : str
        Name for the error message.

    Raises
    ------
    ValueError
        If the maps contradict each other (case, hyphens and the like do not count), or are none.

    Examples
    --------
    >>> label_ids({"id2label": {"0": "entailment", "1": "not_entailment"}})
    {'entailment': 0, 'not_entailment': 1}
    >>> label_ids({"id2label": {"0": "LABEL_0"}, "label2id": {"entailment": 0}})
    {'entailment': 0}
    """
    try:
        by_id = {str(name): int(at) for at, name in (config.get("id2label") or {}).items()}
        by_name = {str(name): int(at) for name, at in (config.get("label2id") or {}).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise no_map(model, error) from error
    if _is_unnamed(by_id):
        return by_name or by_id
    if not _is_unnamed(by_name) and not _folded(by_name) <= _folded(by_id):
        raise ValueError(
            f"{model}: label2id={by_name} and id2label={config['id2label']} of config.json "
            "contradict each other; correct the one that is wrong (label2id may be left out)"
        )
    return by_id


def names_of_label2id(config: Mapping[str, Any], model: str) -> list[str] | None:
    """The outputs' names of a config that has a ``label2id`` alone, in the order of their ids.

    None for other configs, and where the ids are not 0, 1 and so on.
    """
    ids = label_ids(config, model)
    if config.get("id2label") or not ids or sorted(ids.values()) != list(range(len(ids))):
        return None
    return sorted(ids, key=ids.__getitem__)


def no_map(model: str, error: Exception) -> ValueError:
    """The error of a config whose label maps are none."""
    return ValueError(
        f"{model}: id2label or label2id of config.json is no map between names and whole numbers "
        f"({error}); correct it"
    )


def _is_unnamed(ids: Mapping[str, int]) -> bool:
    return all(re.fullmatch(r"LABEL_\d+", name) for name in ids)


def _folded(ids: Mapping[str, int]) -> set[tuple[str, int]]:
    return {(_class_name(name), at) for name, at in ids.items()}


def class_ids(label2id: Mapping[str, int], model: str = "model") -> ClassIds:
    """Positions of the NLI classes, found by name.

    Hugging Face's pipeline finds contradiction by position, which scores the neutral class for
    models with another order.

    Parameters
    ----------
    label2id : mapping of str to int
        From the model's config, as by ``label_ids``.
    model : str
        Name for the error message.

    Raises
    ------
    ValueError
        If the names give no entailment class, or no class against it.

    Examples
    --------
    >>> class_ids({"entailment": 0, "neutral": 1, "contradiction": 2})
    ClassIds(entailment=0, neutral=1, contradiction=2, not_entailment=None)
    >>> class_ids({"not_entailment": 1, "entailment": 0}).negative
    1
    """
    found = named_class_ids(label2id)
    if found is None:
        raise ValueError(
            f"{model}: label2id={dict(label2id)} names no entailment class with just a "
            "contradiction and perhaps a neutral class beside it, or a not_entailment class; use "
            "an NLI model, or predict() for the model's own classes, or correct label2id and "
            "id2label in its config.json"
        )
    return found


def named_class_ids(label2id: Mapping[str, int]) -> ClassIds | None:
    """As ``class_ids``, but None for names that are not those of NLI.

    Examples
    --------
    >>> print(named_class_ids({"negative": 0, "positive": 1}))
    None
    """
    found = {_class_name(name): int(at) for name, at in label2id.items()}
    expected = (
        {"entailment", "neutral", "contradiction"},
        {"entailment", "contradiction"},
        {"entailment", "not_entailment"},
    )
    return ClassIds(**found) if set(found) in expected and len(found) == len(label2id) else None


def _class_name(name: str) -> str:
    plain = str(name).lower().replace("-", "_").replace(" ", "_")
    if plain.startswith(("not_entail", "non_entail", "no_entail", "notentail", "nonentail")):
        return "not_entailment"
    for stem, full in _STEMS.items():
        if plain.startswith(stem):
            return full
    return plain


_STEMS = {"entail": "entailment", "contradict": "contradiction", "neutral": "neutral"}


def read_config(folder: Path) -> dict[str, Any]:
    """The content of a model folder's config.json.

    Raises
    ------
    ValueError
        If it is no JSON object in UTF-8, as where a download broke off.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON or of UTF-8
        raise ValueError(f"{path} is damaged ({error}); fetch the model again") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} is no JSON object; fetch the model again")
    return config


def read_label_ids(folder: Path) -> dict[str, int]:
    """As ``label_ids``, of a folder's config.json, read without loading the model."""
    return label_ids(read_config(folder), str(folder))


def read_class_ids(folder: Path) -> ClassIds:
    """The class ids in a folder's config.json, read without loading the model.

    Raises
    ------
    ValueError
        If the config names no NLI classes, or its label2id and id2label contradict each other.
    """
    return class_ids(read_label_ids(folder), str(folder))
