"""Fine-tuning on labelled texts: ``from sparknlp_zs.training import finetune``."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sparknlp_zs.engine.precision import warn_if_emulated
from sparknlp_zs.model_files import weight_files
from sparknlp_zs.models import Model
from sparknlp_zs.tasks import DEFAULT_TEMPLATE, ZeroShot
from sparknlp_zs.training.finetuned import RECORD, Finetuned
from sparknlp_zs.training.job import CHECKPOINTS, Job, prepare
from sparknlp_zs.training.labelled import Label
from sparknlp_zs.training.settings import FinetuneSettings

if TYPE_CHECKING:
    from sparknlp_zs.training.loop import FinetuneTrainer
    from sparknlp_zs.training.styles import Style

logger = logging.getLogger(__name__)

RUN = "run.json"


def finetune(
    frame: pd.DataFrame,
    *,
    text: str = "text",
    label: str = "label",
    output: str | os.PathLike[str],
    model: Model = None,
    style: str = "entailment",
    labels: Iterable[Label] | Mapping[str, str] | None = None,
    hypothesis_template: str = DEFAULT_TEMPLATE,
    validation: float | pd.DataFrame | None = None,
    settings: FinetuneSettings | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **changes: Any,
) -> Finetuned:
    """Fine-tune a model on labelled texts.

    Within ``torchrun`` each process takes its share of every step, and the model is the same as
    from one process.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows in which the text or the label is missing or blank are dropped, with a warning and a
        count in the metrics. Their order does not matter.
    text, label : str
        Columns. Labels are strings; for the style "head" also integers.
    output : path
        Folder for the model. ``output/checkpoints`` exists while the training runs.
    model : str, path, ModelSpec or None
        What to start from: an NLI model; for the style "head" any sequence classifier.
    style : {"entailment", "head"}
        "entailment" teaches an NLI model which of the labels' hypotheses a text entails: best with
        few rows, and the result is still an NLI model. "head" puts a new classifier on the encoder:
        one pass per text whatever the number of labels, and best with many rows.
    labels : list, dict or None
        All labels, in the order wanted; None takes those that occur, sorted. For the style
        "entailment" a dict from labels to descriptions, as ``ZeroShot`` takes it.
    hypothesis_template : str
        Style "entailment": the sentence that each label is put into, here and when it is used.
    validation : float, pandas.DataFrame or None
        Rows to choose the best model by: a part of each label's rows, or other rows.
    settings : FinetuneSettings or None
    resume : bool
        Go on from the newest checkpoint of the same training, if there is one; the result is that
        of an uninterrupted run. A finished training is not repeated.
    overwrite : bool
        Replace a model that is in ``output``.
    **changes
        Fields of ``FinetuneSettings``, such as ``epochs=3``.

    Returns
    -------
    Finetuned

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, several columns have a name that is asked for, or there are fewer
        than two labels: before the model is loaded.
    ModelNotFoundError
        If there is no such model.
    FileExistsError
        If ``output`` holds a model.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from sparknlp_zs.training import finetune
    >>> rows = pd.DataFrame({"text": ["my card was stolen", "what is a pound worth?"] * 4})
    >>> rows["label"] = ["lost or stolen card", "exchange rate"] * 4
    >>> tuned = finetune(rows, output=tempfile.mkdtemp(), model="starter", max_steps=2)
    >>> tuned.labels
    ('exchange rate', 'lost or stolen card')
    >>> found = pd.Series(["a dollar in yen?"]).zsc.classify(tuned.labels, model=tuned.folder)
    >>> found["label"].tolist()
    ['exchange rate']
    """
    job = prepare(
        frame,
        text=text,
        label=label,
        output=output,
        model=model,
        style=style,
        labels=labels,
        hypothesis_template=hypothesis_template,
        validation=validation,
        settings=replace(settings or FinetuneSettings(), **changes),
    )
    return run(job, resume, overwrite)


def run(job: Job, resume: bool = False, overwrite: bool = False) -> Finetuned:
    """Train, in one process or in several, and save the model; the first process writes."""
    done = job.check_output(resume, overwrite)
    if done is None:
        with _quiet(), _random_states_kept():
            _run(job, job.fingerprint(), resume)
    return done or Finetuned.read(job.output)


def _run(job: Job, fingerprint: str, resume: bool) -> None:
    from sparknlp_zs.training.loop import FinetuneTrainer, training_arguments

    checkpoints = job.output / CHECKPOINTS
    validated = job.validation is not None
    arguments = training_arguments(checkpoints, len(job.rows), job.style, job.settings, validated)
    if job.settings.bf16:
        warn_if_emulated("bfloat16", arguments.device.type)
    with arguments.main_process_first(local=False):
        if arguments.process_index == 0:
            _start(checkpoints, fingerprint, resume)
    style = _style(job)
    trainer = FinetuneTrainer(
        style,
        arguments,
        job.settings,
        style.items(job.rows),
        style.items(job.validation, every_label=True) if job.validation else None,
    )
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=_newest(checkpoints) if resume else None)
    _check_finite(style.model)
    metrics = _metrics(job, trainer)
    metrics["seconds"] = round(time.monotonic() - started, 3)
    with arguments.main_process_first(local=False):
        if arguments.process_index == 0:
            _save(job, style, metrics, fingerprint)


@contextlib.contextmanager
def _random_states_kept() -> Iterator[None]:
    """The Trainer seeds the process's generators; those who draw from them go on as before."""
    import torch

    python, arrays = random.getstate(), np.random.get_state()
    try:
        gpus = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with torch.random.fork_rng(gpus):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No bars, and no report of the head's missing weights: it is new on purpose."""
    from transformers.utils import logging as messages

    from sparknlp_zs.engine.networks.huggingface import no_bars

    level = messages.get_verbosity()
    messages.set_verbosity_error()
    try:
        with no_bars():
            yield
    finally:
        messages.set_verbosity(level)


def _start(checkpoints: Path, fingerprint: str, resume: bool) -> None:
    """Remove an earlier training's checkpoints, or make sure that they are this one's."""
    mark = checkpoints / RUN
    if resume and mark.is_file():
        if json.loads(mark.read_text(encoding="utf-8"))["fingerprint"] != fingerprint:
            raise ValueError(
                "resume=True: the checkpoints are of a training with other rows, another model or "
                "other settings; repeat these, or pass resume=False to start anew"
            )
        return
    for folder in checkpoints.glob("checkpoint-*"):
        shutil.rmtree(folder)
    checkpoints.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")


def _newest(checkpoints: Path) -> str | None:
    """The newest complete checkpoint: the Trainer writes its state last."""
    folders = [path.parent for path in checkpoints.glob("checkpoint-*/trainer_state.json")]
    found = max(folders, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)
    return None if found is None else str(found)


def _check_finite(model: Any) -> None:
    if not all(bool(weight.isfinite().all()) for weight in model.parameters()):
        raise FloatingPointError(
            "the training diverged: weights are no finite numbers; lower learning_rate"
        )


def _style(job: Job) -> Style:
    from sparknlp_zs.training.styles import Entailment, Head

    if job.task is not None:
        return Entailment(job.model, job.task, job.settings)
    return Head(job.model, job.labels, job.settings)


def _metrics(job: Job, trainer: FinetuneTrainer) -> dict[str, float]:
    metrics = {
        "rows": float(len(job.rows)),
        "validation_rows": float(len(job.validation or ())),
        "dropped": float(job.dropped),
        "steps": float(trainer.state.global_step),
        "train_loss": trainer.mean_loss(),
    }
    if job.validation is not None:
        found = trainer.evaluate()
        if not math.isfinite(found["eval_loss"]):
            raise FloatingPointError(
                f"the training diverged: the validation loss is {found['eval_loss']}; "
                "lower learning_rate"
            )
        metrics |= {"loss": found["eval_loss"], "accuracy": found["eval_accuracy"]}
    return metrics


def _save(job: Job, style: Style, metrics: dict[str, float], fingerprint: str) -> None:
    import torch

    # Removed, not written over: a scorer may have an earlier model's weights mapped.
    for path in [job.output / RECORD, *weight_files(job.output)]:
        path.unlink(missing_ok=True)
    style.model.to(getattr(torch, job.settings.save_dtype)).save_pretrained(job.output)
    style.tokenizer.save_pretrained(job.output)
    task = job.task or ZeroShot(["none"])
    Finetuned(
        job.output,
        job.style,
        job.labels,
        metrics,
        str(task.hypothesis_template),
        task.said if job.task else (),
        fingerprint,
    ).write()
    shutil.rmtree(job.output / CHECKPOINTS)
