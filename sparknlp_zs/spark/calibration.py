"""Calibration on a sample of a Spark DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from sparknlp_zs.models import Model
from sparknlp_zs.spark.functions import score_column, text_column
from sparknlp_zs.spark.session import use_session
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.tasks.calibration import (
    SAMPLE_ROWS,
    check_calibration,
    check_sample_rows,
    fitted,
    scoring_task,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

T = TypeVar("T", bound=ZeroShot)

_TEXT = "_zs_text"
_NOT_BLANK = r"(?U)\S"
TASK_ROWS = 128  # of the sample, scored by one Spark task


def calibrate(
    df: DataFrame,
    text: str | Column,
    task: T,
    *,
    model: Model = None,
    prior: Mapping[str, float] | None = None,
    strength: float | None = None,
    sample_rows: int = SAMPLE_ROWS,
    seed: int = 0,
) -> T:
    """The task with biases that take away what its labels' words alone decide.

    ``ZeroShot.calibrated`` on a sample of the texts, whose docstring says what is done. The
    workers score the sample, once; the driver gets its scores, no texts, and fits the biases.

    Parameters
    ----------
    df : DataFrame
        Classic or Connect; not a streaming one.
    text : str or Column
        A string column.
    task : ZeroShot
    model, prior, strength
        As for ``ZeroShot.calibrated``.
    sample_rows : int
        So many texts are drawn, without replacement; all, if there are no more. Null, empty and
        blank ones are left out before. One pass over the text column finds them.
    seed : int
        Of the draw, which is the same for the same partitions.

    Returns
    -------
    ZeroShot
        A new task, of the given one's type.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, before any job; if there are fewer than 20 texts.
    ModelNotFoundError
        If there is no such model; before any job.
    pyspark.errors.AnalysisException
        If the column is missing or no string; before any job.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> from sparknlp_zs.samples import messages
    >>> df = spark.createDataFrame(messages()[["text"]])
    >>> task = zs.ZeroShot(["exchange rate", "lost or stolen card", "request refund"])
    >>> fair = zs.calibrate(df, "text", task, model="starter", sample_rows=30)
    >>> fair.labels == task.labels, len(fair.label_bias)
    (True, 3)
    """
    check_calibration(task, prior, strength)
    check_sample_rows(sample_rows)
    if df.isStreaming:
        raise ValueError("df: a streaming DataFrame; calibrate on a batch of such texts")
    sample = _sample(df, text, sample_rows, seed)
    with use_session(df.sparkSession):
        scores = score_column(scoring_task(task), [_TEXT], model)
    rows = sample.select(scores.alias("scores")).collect()
    found = [list(row["scores"]) for row in rows if row["scores"] is not None]
    return fitted(task, found, prior, strength)


def _sample(df: DataFrame, text: str | Column, rows: int, seed: int) -> DataFrame:
    """Texts drawn at random, spread over tasks."""
    from pyspark.sql import functions as F

    texts = df.select(text_column(text, "text").alias(_TEXT)).where(F.col(_TEXT).rlike(_NOT_BLANK))
    drawn = texts.orderBy(F.rand(seed)).limit(rows)
    return drawn.repartition(max(1, rows // TASK_ROWS))
