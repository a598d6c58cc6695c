"""WHICH classes: the task of a model folder that was trained on classes of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

from sparknlp_zs.models import (
    ModelSpec,
    label_ids,
    model_folder,
    model_spec,
    named_class_ids,
    names_of_label2id,
    no_map,
    read_config,
)
from sparknlp_zs.tasks import Classifier

# What surfaces take as the model of a classifier: there is no default.
ClassifierModel: TypeAlias = str | os.PathLike[str] | ModelSpec

_PASS = "pass the folder of a sequence classifier, such as one written by save_pretrained"


def classifier_of(model: ClassifierModel) -> tuple[Classifier, ModelSpec]:
    """The task of a classifier, and its spec; nothing is loaded.

    Raises
    ------
    TypeError
        If no model is given.
    ModelNotFoundError
        If there is no such model.
    ValueError
        If it is no classifier of single texts, or the spec names an adapter.
    """
    if model is None:
        raise TypeError(f"model=None: a classifier has no default; {_PASS}")
    spec = model_spec(model)
    if spec.adapter is not None:
        raise ValueError(
            f"adapter={spec.adapter!r}: predict() gives the model's own classes; leave the adapter "
            "out, or use task() for its task heads"
        )
    return read_classifier(model_folder(spec)), spec


def read_classifier(folder: Path) -> Classifier:
    """The task of a folder's config.json: the classes by their ids, and whether to choose one.

    ``multi_label`` is that of ``problem_type``. Classes that nobody named are called "LABEL_0"
    and so on, as in transformers.

    Raises
    ------
    ValueError
        If the model is no sequence classifier, a regression or an NLI model, or its classes have
        no good names, or contradictory ones in label2id.
    """
    config = read_config(folder)
    _check_architecture(config, folder)
    names = class_names(config, folder)
    problem = config.get("problem_type")
    multi_label = problem == "multi_label_classification"
    if problem == "regression" or (len(names) == 1 and not multi_label):
        raise ValueError(
            f"{folder}: a regression (problem_type={problem!r}, {len(names)} outputs) has no "
            "classes; use a model with two classes or more"
        )
    _refuse_nli(label_ids(config, str(folder)), folder)
    try:
        return Classifier(names, multi_label)
    except ValueError as error:
        raise ValueError(f"{folder}: id2label of config.json: {error}") from error


def class_names(config: dict[str, Any], folder: Path) -> list[str]:
    """The names of a config's outputs, in the order of their ids.

    Examples
    --------
    >>> class_names({"id2label": {"1": "positive", "0": "negative"}}, Path("model"))
    ['negative', 'positive']
    >>> class_names({}, Path("model"))
    ['LABEL_0', 'LABEL_1']
    """
    given = config.get("id2label")
    if not given:
        # transformers does not save the names of two classes that nobody named.
        unnamed = [f"LABEL_{at}" for at in range(config.get("num_labels") or 2)]
        return names_of_label2id(config, str(folder)) or unnamed
    try:
        by_id = {int(at): str(name) for at, name in given.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise no_map(str(folder), error) from error
    if sorted(by_id) != list(range(len(by_id))):
        raise ValueError(
            f"{folder}: id2label of config.json has the ids {sorted(by_id)[:20]}; they must be "
            f"0 to {len(by_id) - 1}, one for each output"
        )
    return [by_id[at] for at in range(len(by_id))]


def _check_architecture(config: dict[str, Any], folder: Path) -> None:
    found = config.get("architectures") or []
    if found and not any("SequenceClassification" in name for name in found):
        raise ValueError(
            f"{folder}: its architecture is {', '.join(found)}, no sequence classifier, so that "
            "its classes would be random; fine-tune it for classification first"
        )


def _refuse_nli(ids: dict[str, int], folder: Path) -> None:
    if named_class_ids(ids) is not None:
        raise ValueError(
            f"{folder}: an NLI model, whose classes {list(ids)} judge a text against a hypothesis "
            "and say nothing of a text alone; use classify() with labels of yours, or nli()"
        )
