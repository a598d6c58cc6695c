"""From a model's name to a scorer in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sparknlp_zs.engine.cache import ScorerKey, default_device, folder_stamp, scorer_for
from sparknlp_zs.engine.combined import with_adapter, with_embedder
from sparknlp_zs.engine.precision import compute_dtype
from sparknlp_zs.model_files import check_tokenizer
from sparknlp_zs.models import Model, model_folder, model_spec, read_class_ids

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Scorer


def local_scorer(model: Model, check: Callable[[Path], object] = read_class_ids) -> Scorer:
    """The scorer of a model: loaded at its first use, then from the cache.

    Parameters
    ----------
    model : str, path, ModelSpec or None
        None is the default model.
    check : callable
        Raises if a model's folder lacks the classes of the task.

    Raises
    ------
    ModelNotFoundError
        If there is no such model.
    ValueError
        If it names no entailment class, or what ``check`` asks for, or has no tokenizer.
    """
    spec = model_spec(model)
    folder = model_folder(spec)
    check(folder)
    check_tokenizer(folder)
    folder = with_embedder(with_adapter(folder, spec), spec)
    return scorer_for(
        ScorerKey(
            folder=folder,
            content=folder_stamp(folder),
            dtype=compute_dtype(spec.dtype, spec.device),
            device=spec.device or default_device(),
            max_length=spec.max_length,
        )
    )
