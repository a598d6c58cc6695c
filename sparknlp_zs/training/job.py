"""A fine-tuning with all its arguments checked, before anything is loaded or written."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sparknlp_zs.model_files import check_tokenizer, content_hash, refuse_uri, weight_files
from sparknlp_zs.models import (
    CONFIG,
    LAST_TOKEN_CLASSIFIERS,
    Model,
    ModelSpec,
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

CHECKPOINTS = "checkpoints"  # in the output, while the training runs

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
            If there is another, or a model from elsewhere, and it is not to be overwritten.
        """
        if not (self.output / RECORD).is_file():
            foreign = (self.output / CONFIG).is_file() or weight_files(self.output)
            # A training that was interrupted while it saved its model left its checkpoints too.
            if foreign and not overwrite and not (self.output / CHECKPOINTS).is_dir():
                raise FileExistsError(
                    f"output={str(self.output)!r} holds a model that is not from finetune; choose "
                    "another folder, or pass overwrite=True"
                )
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
    folder = model_folder(_plain_spec(model_spec(model)))
    check_tokenizer(folder)
    _check_architecture(folder)
    if task:
        read_class_ids(folder)
    target = _target(output)
    if target == folder:
        raise ValueError(f"output={str(output)!r} is the model itself; choose another folder")
    return Job(rows, held, dropped, style, tuple(names), task, folder, target, settings)


def _plain_spec(spec: ModelSpec) -> ModelSpec:
    """The spec, if it says no more than where the model is: the settings say the rest."""
    plain = ModelSpec(spec.model, revision=spec.revision)
    given = [x.name for x in fields(spec) if getattr(spec, x.name) != getattr(plain, x.name)]
    if given:
        raise ValueError(
            f"model={spec}: a training does not take {', '.join(given)}; leave it out (max_length, "
            "bf16, save_dtype and use_cpu are settings of the training)"
        )
    return spec


def _target(output: str | os.PathLike[str]) -> Path:
    if not isinstance(output, (str, os.PathLike)):
        raise TypeError(f"output={output!r}: pass a folder")
    if not os.fspath(output).strip():
        raise ValueError(f"output={output!r}: name a folder")
    refuse_uri("output", output)
    target = Path(output).expanduser().resolve()
    if target.exists() and not target.is_dir():
        raise FileExistsError(f"output={str(output)!r} is a file; name a folder")
    return target


def _check_architecture(folder: Path) -> None:
    kind = read_config(folder).get("model_type")
    if kind in LAST_TOKEN_CLASSIFIERS:
        raise ValueError(
            f"model={str(folder)!r}: {kind} classifies by the last position, where the batches of "
            "a training have padding; use a model of another architecture"
        )
