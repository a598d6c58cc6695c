"""``zs.finetune``: fine-tuning on the labelled rows of a Spark DataFrame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sparknlp_zs.tasks import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from pyspark.ml import Transformer
    from pyspark.sql import DataFrame


def finetune(
    df: DataFrame,
    *,
    text: str = "text",
    label: str = "label",
    output: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    style: str = "entailment",
    labels: Iterable[str] | Iterable[int] | None = None,
    hypothesis_template: str = DEFAULT_TEMPLATE,
    validation: float | None = None,
    num_processes: int = 1,
    local_mode: bool = True,
    use_gpu: bool = False,
    **others: Any,
) -> Transformer:
    """Fine-tune a model on labelled rows: ``FineTuner`` in one call.

    Parameters
    ----------
    df : DataFrame
    text, label : str
        Columns of texts and labels.
    output : path
        Folder for the model.
    model, style, labels, hypothesis_template, validation, num_processes, local_mode, use_gpu
        As the Params of ``FineTuner``, which are in camelCase.
    **others
        Its other Params in snake_case, such as ``epochs=3`` or ``predicted_label_col="found"``.

    Returns
    -------
    Transformer
        A ``ZeroShotClassifier`` (style "entailment") or ``TextClassifier`` ("head").

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong: before any training process starts.

    Examples
    --------
    >>> import tempfile
    >>> from sparknlp_zs import spark as zs
    >>> rows = [("my card was stolen", "lost card"), ("what is a pound worth?", "exchange rate")]
    >>> df = spark.createDataFrame(rows * 4, "text string, label string")
    >>> classifier = zs.finetune(
    ...     df,
    ...     output=tempfile.mkdtemp(),
    ...     model="starter",
    ...     max_steps=2,
    ...     predicted_label_col="found",
    ... )
    >>> classifier.transform(df).filter("found = label").count()
    8
    """
    from sparknlp_zs.spark.finetuner import FineTuner

    tuner = FineTuner(
        inputCol=text,
        labelCol=label,
        outputPath=output,
        model=model,
        style=style,
        labels=labels,
        hypothesisTemplate=hypothesis_template,
        validation=validation,
        numProcesses=num_processes,
        localMode=local_mode,
        useGpu=use_gpu,
        **{_camel_case(name): value for name, value in others.items()},
    )
    fitted: Transformer = tuner.fit(df)
    return fitted


def _camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found.group(1).upper(), name)
