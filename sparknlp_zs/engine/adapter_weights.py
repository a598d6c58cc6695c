"""An adapter's weights: the file that fits the config, checked in full; shared weights once."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparknlp_zs.model_files import PICKLED_WEIGHTS, WEIGHTS
from sparknlp_zs.tasks.heads import AdapterTask

if TYPE_CHECKING:
    from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


def expected_shapes(tasks: Sequence[AdapterTask], hidden: int, embedding: int) -> Shapes:
    """Key → shape of all weights of these tasks.

    Parameters
    ----------
    tasks : sequence of AdapterTask
    hidden : int
        Size of the pooled output.
    embedding : int
        Size of the word embeddings.

    Examples
    --------
    >>> expected_shapes([AdapterTask("a", 0, 3, None)], 768, 768)["classifiers.0.weight"]
    (3, 768)
    """
    shapes: Shapes = {"Z": (len(tasks), embedding)}
    for task in tasks:
        shapes[f"classifiers.{task.index}.weight"] = (task.outputs, hidden)
        shapes[f"classifiers.{task.index}.bias"] = (task.outputs,)
    return shapes


def load_weights(folder: Path, expected: Shapes) -> dict[str, Tensor]:
    """The weights of an adapter folder, from the first file that has them all in these shapes.

    A published adapter has both files, of which the safetensors may be older than the config.

    Raises
    ------
    ValueError
        If no file fits; it says for each file what does not.
    """
    readers: dict[str, Callable[[Path], dict[str, Any]]] = {
        WEIGHTS: read_safetensors,
        PICKLED_WEIGHTS: _read_pickled,
    }
    problems = []
    for name, read in readers.items():
        if not (folder / name).is_file():
            problems.append(f"{name}: no such file")
            continue
        try:
            weights = read(folder / name)
        except (pickle.UnpicklingError, ValueError) as error:
            problems.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        problem = misfit(weights, expected)
        if problem is None:
            return {key: weights[key] for key in expected}
        problems.append(f"{name}: {problem}")
    raise ValueError(
        f"adapter {str(folder)!r}: no file of weights fits its config.json and the model, and a "
        f"missing head would be random ({'; '.join(problems)}); download the adapter again, or "
        "pass the one that belongs to the model"
    )


def misfit(weights: Mapping[str, Any], expected: Shapes) -> str | None:
    """What the weights lack or have in another shape; None if they fit."""
    for key, shape in expected.items():
        if key not in weights:
            return f"it lacks {key}"
        found = tuple(getattr(weights[key], "shape", ()))
        if found != shape:
            return f"{key} has the shape {list(found)}, not {list(shape)}"
    return None


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; keys that shared a kept tensor are restored from its metadata."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"not readable ({error})") from error
    for dropped, kept in metadata.items():
        if dropped not in weights and kept in weights:
            weights[dropped] = weights[kept]
    return weights


def _read_pickled(path: Path) -> dict[str, Any]:
    import torch

    # weights_only: tensors alone, no code.
    found = torch.load(path, map_location="cpu", weights_only=True)
    return dict(found) if isinstance(found, Mapping) else {}


def save_safetensors(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write float32 weights, shared ones once; the dropped keys go to the metadata."""
    from safetensors.torch import save_file

    kept: dict[tuple[Any, ...], str] = {}
    tensors: dict[str, Tensor] = {}
    metadata = {"format": "pt"}
    for key, weight in weights.items():
        first = kept.setdefault((weight.data_ptr(), weight.shape, weight.stride()), key)
        if first == key:
            tensors[key] = weight.detach().float().clone().contiguous()
        else:
            metadata[key] = first
    save_file(tensors, path, metadata)
    path.chmod(0o644)  # safetensors writes 0600; workers may run as another user


def model_sizes(folder: Path) -> tuple[int, int]:
    """Sizes of a model's pooled output and of its word embeddings, for which heads are defined.

    Raises
    ------
    ValueError
        If the model is no DeBERTa-v2 or -v3 that the fast network covers.
    """
    from sparknlp_zs.engine.networks import deberta
    from sparknlp_zs.engine.networks.huggingface import load_config

    config = load_config(folder)
    reason = deberta.supports(config)
    if reason is not None:
        raise ValueError(
            f"{folder}: task heads need a DeBERTa-v2 or -v3 model, and this is {reason}"
        )
    hidden = int(config.hidden_size)
    return hidden, int(getattr(config, "embedding_size", None) or hidden)
