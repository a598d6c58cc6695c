"""Adapters of task heads: where a model's adapter is, and which tasks it has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sparknlp_zs.hub import in_vain
from sparknlp_zs.model_files import PICKLED_WEIGHTS, WEIGHTS
from sparknlp_zs.models import (
    CONFIG,
    STARTER_PATH,
    Model,
    ModelNotFoundError,
    ModelSpec,
    model_folder,
    model_spec,
    read_config,
)
from sparknlp_zs.tasks import Annotation, HeadTask, NamedTask, merged_tasks
from sparknlp_zs.tasks.heads import TEXT, AdapterTask, TaskHead, described, find_task

ADAPTER_REMEDY = "pass the adapter's folder or hub id: ModelSpec(model, adapter='/path/to/adapter')"


def adapter_name(model: str) -> str:
    """The name of a model's adapter: "-nli" dropped, "-adapters" added, in the last part only.

    Examples
    --------
    >>> adapter_name("sileod/deberta-v3-base-tasksource-nli")
    'sileod/deberta-v3-base-tasksource-adapters'
    >>> adapter_name("/data/my-nli/deberta")
    '/data/my-nli/deberta-adapters'
    """
    head, separator, last = model.rpartition("/")
    return head + separator + last.replace("-nli", "") + "-adapters"


def adapter_folder(spec: ModelSpec) -> Path:
    """The local folder of a model's adapter, downloaded once if it is on the hub.

    The spec's own ``adapter`` if it has one; else that by the model's name: beside a model's
    folder, or on the hub for a hub id.

    Raises
    ------
    ModelNotFoundError
        If there is none.
    """
    if spec.adapter is not None:
        name = os.fspath(spec.adapter)
        return _found(name, f"adapter={name!r}")
    named = f"model={spec.model!r}"
    folder = local_model(spec)
    if folder is not None:
        beside = Path(adapter_name(folder.as_posix()))
        if not beside.is_dir():
            raise ModelNotFoundError(
                f"{named}: it has no adapter {str(beside)!r}; {ADAPTER_REMEDY}"
            )
        return _found(str(beside), named)
    return _found(adapter_name(spec.model), named)


def local_model(spec: ModelSpec) -> Path | None:
    """The folder that a spec names, links not followed; None for a hub id."""
    if spec.model == "starter":
        return Path(STARTER_PATH)
    folder = Path(os.path.abspath(Path(spec.model).expanduser()))
    return folder if folder.is_dir() else None


def names_tasks(folder: Path) -> bool:
    """Whether a model's config lists tasks, as those do that have an adapter on the hub."""
    config = read_config(folder)
    return "tasks" in config and "classifiers_size" in config


def _found(name: str, argument: str) -> Path:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return _hub_adapter(name, argument)
    if not (folder / CONFIG).is_file():
        raise ModelNotFoundError(f"{argument}: the adapter {str(folder)!r} has no {CONFIG}")
    return folder.resolve()


def _hub_adapter(name: str, argument: str) -> Path:
    from huggingface_hub import snapshot_download

    def download(local_only: bool) -> Path:
        # Both files of weights: the safetensors may be stale.
        files = [CONFIG, WEIGHTS, PICKLED_WEIGHTS]
        return Path(snapshot_download(name, allow_patterns=files, local_files_only=local_only))

    def local() -> Path | None:
        try:
            folder = download(local_only=True)
        except (OSError, ValueError):
            return None
        return folder if (folder / CONFIG).is_file() else None

    folder = local()
    if folder is not None and (folder / PICKLED_WEIGHTS).is_file():
        return folder
    try:
        return download(local_only=False)
    except Exception as error:  # the hub client raises many unrelated types
        if folder is not None and (folder / WEIGHTS).is_file():
            return folder
        raise ModelNotFoundError(
            f"{argument}: no adapter {name!r}: {in_vain(error)}; {ADAPTER_REMEDY}"
        ) from error


def read_adapter(folder: Path) -> tuple[AdapterTask, ...]:
    """The tasks that an adapter's config lists, in its order.

    Raises
    ------
    ValueError
        If it has no ``tasks`` and ``classifiers_size`` of equal length.
    """
    config = read_config(folder)
    return tasks_of(config, str(folder))


def tasks_of(config: dict[str, Any], place: str) -> tuple[AdapterTask, ...]:
    """The tasks of a config with the lists ``tasks``, ``classifiers_size`` and ``labels_list``."""
    names, sizes = config.get("tasks"), config.get("classifiers_size")
    labels = config.get("labels_list")
    if not isinstance(names, list) or not isinstance(sizes, list) or not names:
        raise ValueError(
            f"{place}: config.json has no lists tasks and classifiers_size, so it is no adapter"
        )
    lists = [names, sizes] if labels is None else [names, sizes, labels]
    if len({len(x) for x in lists}) > 1:
        lengths = [len(x) for x in lists]
        raise ValueError(
            f"{place}: tasks, classifiers_size and labels_list of config.json have different "
            f"lengths: {lengths}; use an adapter whose lists are aligned"
        )
    entries = [None] * len(names) if labels is None else labels
    rows = zip(names, sizes, entries, strict=True)
    return tuple(
        described(str(name), at, _outputs(size, place), entry, labels is not None)
        for at, (name, size, entry) in enumerate(rows)
    )


def _outputs(size: Any, place: str) -> int:
    """Outputs from a size: an integer, or [outputs, inputs] in files before March 2023."""
    found = size[0] if isinstance(size, list) and len(size) == 2 else size
    if type(found) is not int or found < 1:
        raise ValueError(
            f"{place}: classifiers_size of config.json has {size!r}; a size is a positive integer "
            "or a pair [outputs, inputs]"
        )
    return found


def resolve_head(head: TaskHead, model: Model) -> tuple[AdapterTask, ModelSpec]:
    """A head's task in the model's adapter, and the model with that adapter.

    Raises
    ------
    ModelNotFoundError
        If there is no such model or no adapter.
    ValueError
        If the adapter lacks the task, or the head does not fit it.
    """
    spec = model_spec(model)
    model_folder(spec)
    folder = adapter_folder(spec)
    task = head.resolve(find_task(read_adapter(folder), head.name))
    return task, replace(spec, adapter=str(folder))


def annotation_with_heads(
    tasks: Mapping[str, NamedTask] | None, named: Mapping[str, NamedTask], model: Model
) -> tuple[Annotation, Model]:
    """The annotation of a mapping and of keyword arguments, and the model to score it with.

    With task heads among the tasks these are found in the model's adapter, and the model has it.

    Raises
    ------
    TypeError, ValueError
        If a task is wrong, a name is given twice, or the adapter lacks a task.
    ModelNotFoundError
        If there are task heads, but no such model or no adapter.

    Examples
    --------
    With ``model`` a DeBERTa that has an adapter:

    >>> from sparknlp_zs.tasks import ZeroShot
    >>> named = {"mood": TaskHead("glue/sst2"), "topic": ZeroShot(["travel"])}
    >>> task, spec = annotation_with_heads(None, named, model)
    >>> list(task.heads), Path(spec.adapter).name
    (['mood'], 'tiny-adapters')
    """
    found = merged_tasks(tasks, named)
    for name, task in found.items():
        if isinstance(task, HeadTask):
            raise TypeError(f"{name}={task!r}: pass a task head by its name, TaskHead('glue/sst2')")
        if isinstance(task, TaskHead):
            if task.columns != TEXT:
                raise TypeError(
                    f"{name}={task!r}: takes {', '.join(task.columns)}; a head of one "
                    "text is needed here, task() takes others"
                )
            head, model = resolve_head(task, model)
            found[name] = HeadTask(head)
    return Annotation(found), model  # type: ignore[arg-type]  # no TaskHead is left


def adapter_tasks(model: Model = None, search: str | None = None) -> list[AdapterTask]:
    """The tasks of a model's adapter, with their labels.

    Parameters
    ----------
    model : str, path, ModelSpec or None
        None is the default model. Only the adapter is read, not the model.
    search : str or None
        Words that must all occur in a task's name, kind or labels; case does not matter.

    Raises
    ------
    ModelNotFoundError
        If the model has no adapter.
    ValueError
        If the adapter's config is no list of tasks.

    Examples
    --------
    >>> import json, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> config = {"tasks": ["a/b"], "classifiers_size": [2], "labels_list": [["no", "yes"]]}
    >>> _ = (folder / "config.json").write_text(json.dumps(config))
    >>> adapter_tasks(ModelSpec("any", adapter=str(folder)), search="yes")
    [AdapterTask(name='a/b', index=0, outputs=2, kind='classification', labels=('no', 'yes'))]
    """
    words = (search or "").lower().split()

    def matches(task: AdapterTask) -> bool:
        text = " ".join([task.name, task.kind or "", *task.labels]).lower()
        return all(word in text for word in words)

    return [x for x in read_adapter(adapter_folder(model_spec(model))) if matches(x)]
