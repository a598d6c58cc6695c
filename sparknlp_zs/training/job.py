"""A fine-tuning with all its arguments checked, before anything is loaded or written."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sparknlp_zs.model_files import content_hash, refuse_uri
from sparknlp_zs.models import (
    LAST_TOKEN_CLASSIFIERS,
    Model,
    model_folder,
    model_spec,
    read_class_ids,
    read_config,
)
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.training.finetuned import RECORD, Finetuned
from sparknlp_zs.training.labelled import (
    Label,
    LabelledRows,
    entailment_task,
    head_labels,
    in_classes,
    raw_rows,
    split,
)
from sparknlp_zs.training.settings import STYLES, FinetuneSettings

# Settings that do not change the model, with any value.
_WITHOUT_EFFECT: dict[str, Any] = {"tokens_per_batch": 1, "use_cpu": False}


@dataclass(frozen=True)
class Job:
    """A checked fine-tuning, ready to run: it needs no more than the model to load."""

    rows: LabelledRows
    validation: LabelledRows | None
    dropped: int
    style: str
    labels: tuple[Label, ...]
    task: ZeroShot | None  # style "entailment"
    model: Path
    output: Path
    settings: FinetuneSettings

    def fingerprint(self) -> str:
        """Follows from all that decides about the result."""
        parts: list[object] = [
            *(None if rows is None else asdict(rows) for rows in (self.rows, self.validation)),
            [self.style, self.labels, self.task.to_json() if self.task else None],
            [asdict(replace(self.settings, **_WITHOUT_EFFECT)), content_hash(self.model)],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]

    def check_output(self, resume: bool, overwrite: bool) -> Finetuned | None:
        """The finished training that is in the output, if it is this one and to be resumed.

        Raises
        ------
        FileExistsError
            If there is another, and it is not to be overwritten.
        """
        if not (self.output / RECORD).is_file():
            return None
        found = Finetuned.read(self.output)
        if resume and found.fingerprint == self.fingerprint():
            return found
        if not overwrite:
            raise FileExistsError(
                f"output={str(self.output)!r} holds a fine-tuned model; choose another folder, or "
                "pass overwrite=True"
            )
        return None


def prepare(
    frame: pd.DataFrame,
    *,
    text: str,
    label: str,
    output: str | os.PathLike[str],
    model: Model,
    style: str,
    labels: Iterable[Label] | Mapping[str, str] | None,
    hypothesis_template: str,
    validation: float | pd.DataFrame | None,
    settings: FinetuneSettings,
) -> Job:
    """Check all arguments of ``finetune``; no model is loaded, and nothing is written."""
    if style not in STYLES:
        raise ValueError(f"style={style!r}: use one of {list(STYLES)}")
    if importlib.util.find_spec("accelerate") is None:
        raise ImportError("fine-tuning needs accelerate: pip install 'sparknlp_zs[train]'")
    if settings.patience is not None and validation is None:
        raise ValueError(
            f"patience={settings.patience}: early stopping needs rows to evaluate on; pass "
            "validation=0.1, or a DataFrame"
        )
    raw = raw_rows(frame, text, label)
    task = None
    if style == "entailment":
        task = entailment_task(labels, raw.labels(), hypothesis_template)
    names = task.labels if task else head_labels(labels, raw.labels())
    rows, dropped, held = in_classes(raw, names), raw.dropped, None
    if isinstance(validation, pd.DataFrame):
        others = raw_rows(validation, text, label, "validation")
        held, dropped = in_classes(others, names, "validation"), dropped + others.dropped
    elif validation is not None:
        rows, held = split(rows, validation, settings.seed)
    folder = model_folder(model_spec(model))
    _check_architecture(folder)
    if task:
        read_class_ids(folder)
    refuse_uri("output", output)
    target = Path(output).expanduser().resolve()
    if target == folder:
        raise ValueError(f"output={str(output)!r} is the model itself; choose another folder")
    return Job(rows, held, dropped, style, tuple(names), task, folder, target, settings)


def _check_architecture(folder: Path) -> None:
    kind = read_config(folder).get("model_type")
    if kind in LAST_TOKEN_CLASSIFIERS:
        raise ValueError(
            f"model={str(folder)!r}: {kind} classifies by the last position, where the batches of "
            "a training have padding; use a model of another architecture"
        )
