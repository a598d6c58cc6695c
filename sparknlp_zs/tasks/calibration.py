"""Biases of labels from unlabelled texts: labels that their words favour are held back.

The fit is numpy alone; ``calibrated`` imports the engine when it is called, to score the texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Scores, softmax
from sparknlp_zs.tasks.checks import half_character

if TYPE_CHECKING:
    from sparknlp_zs.models import Model
    from sparknlp_zs.tasks.zero_shot import ZeroShot, ZeroShotScores

T = TypeVar("T", bound="ZeroShot")

MIN_TEXTS = 20
SAMPLE_ROWS = 2000  # that a surface draws
BIAS_SPREAD = 2.0  # standard deviation that biases are expected to have, in logits
STRENGTH = 0.5  # with unknown shares: half of a deviation is put down to unequal shares
_STEPS = 100  # of Newton, which takes about 5; of a bisection to the last bit, about 60
_TINY = 1e-300
_LEAST = 2.0**-53  # by which a score below 1 can differ from it


def fit_bias(scores: Scores, prior: npt.ArrayLike | None = None, *, multi_label: bool) -> Scores:
    """The bias of each label that makes its mean score its share of the texts.

    With it, the mean of the scores over the sample is the prior, but for a shrinkage that fades
    with the number of texts: a bias is expected to be small (Gaussian, of standard deviation
    ``BIAS_SPREAD``), and the texts have to bear out more; the fit is the posterior mode.

    Parameters
    ----------
    scores : array of float64 [rows, labels]
        Scores of a sample of texts.
    prior : array of float64 [labels], or None
        The share of texts that each label has; None takes equal shares.
    multi_label : bool
        Whether each label was scored by itself. Then a prior is needed.

    Returns
    -------
    array of float64 [labels]
        To be added to the entailment logits.

    Notes
    -----
    Matching the mean scores of unlabelled texts to a uniform prior is from Liusie, Manakul and
    Gales 2023, "Mitigating Word Bias in Zero-shot Prompt-based Classifiers" (arXiv:2309.04992).

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]] * 1000)
    >>> bias = fit_bias(scores, multi_label=False)
    >>> softmax(np.log(scores) + bias).mean(axis=0).round(3).tolist()
    [0.5, 0.5]
    """
    scores = np.maximum(np.asarray(scores, dtype=np.float64), _TINY)
    rows, labels = scores.shape
    penalty = 1 / (rows * BIAS_SPREAD**2)
    if multi_label:
        if prior is None:
            raise ValueError("prior=None: scores of labels by themselves need shares to be matched")
        margins = np.log(scores) - np.log(np.maximum(1 - scores, _LEAST))
        return _matched_alone(margins, np.asarray(prior, dtype=np.float64), penalty)
    shares = np.full(labels, 1 / labels) if prior is None else np.asarray(prior, dtype=np.float64)
    return _matched(np.log(scores), shares, penalty)


def _matched(logits: Scores, shares: Scores, penalty: float) -> Scores:
    """The minimum of mean(logsumexp(logits + bias)) - shares · bias + penalty / 2 |bias|².

    It is strictly convex, and where its gradient is zero the mean scores are the shares.
    """
    bias = np.zeros(len(shares))
    loss = _loss(logits, bias, shares, penalty)
    for _ in range(_STEPS):
        scores = softmax(logits + bias)
        mean = scores.mean(axis=0)
        gradient = mean - shares + penalty * bias
        curvature = np.diag(mean + penalty) - scores.T @ scores / len(scores)
        step = np.linalg.solve(curvature, gradient)
        slope = float(gradient @ step)
        if slope < 1e-20:
            break
        size = 1.0
        while (new := _loss(logits, bias - size * step, shares, penalty)) > loss - 0.1 * (
            size * slope
        ) and size > 1e-6:
            size /= 2
        bias, loss = bias - size * step, new
    return np.asarray(bias - bias.mean(), dtype=np.float64)


def _loss(logits: Scores, bias: Scores, shares: Scores, penalty: float) -> float:
    shifted = logits + bias
    top = shifted.max(axis=1)
    partition = top + np.log(np.exp(shifted - top[:, None]).sum(axis=1))
    return float(partition.mean() - shares @ bias + penalty / 2 * bias @ bias)


def _matched_alone(margins: Scores, shares: Scores, penalty: float) -> Scores:
    """The same for each label against its own contradiction: roots of rising functions."""
    low = np.full(len(shares), -1 / penalty)
    high = -low
    for _ in range(_STEPS):
        bias = (low + high) / 2
        both = np.stack([np.zeros_like(margins), margins + bias], axis=-1)
        above = softmax(both)[..., 1].mean(axis=0) - shares + penalty * bias > 0
        low, high = np.where(above, low, bias), np.where(above, bias, high)
    return np.asarray((low + high) / 2, dtype=np.float64)


def with_bias(logits: Logits, classes: ClassIds, bias: Sequence[float]) -> Logits:
    """Logits [rows, labels, classes] with a bias per label on entailment."""
    if not bias:
        return logits
    biased: Logits = logits.astype(np.float64)  # a copy
    biased[..., classes.entailment] += np.asarray(bias)
    return biased


def checked_bias(bias: Iterable[float], labels: int) -> tuple[float, ...]:
    """One finite bias per label, or none at all.

    Raises
    ------
    TypeError, ValueError
        If something else is given.
    """
    if isinstance(bias, (str, bytes, Mapping)) or not isinstance(bias, Iterable):
        raise TypeError(f"label_bias={bias!r}: pass one number per label; `calibrated` fits them")
    checked = tuple(_number("label_bias", value) for value in bias)
    if checked and len(checked) != labels:
        raise ValueError(f"label_bias: {len(checked)} for {labels} labels; pass as many, or none")
    return checked


def check_calibration(task: Any, prior: Mapping[str, float] | None, strength: float | None) -> None:
    """Whether the task can be calibrated so; asked before anything is scored.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the task needs a prior and has none.
    """
    from sparknlp_zs.tasks.zero_shot import ZeroShot

    if not isinstance(task, ZeroShot):
        raise TypeError(
            f"task={task!r}: pass a ZeroShot([...]); only labels that all texts share are "
            "calibrated"
        )
    if strength is not None and not 0 < _number("strength", strength) <= 1:
        raise ValueError(f"strength={strength!r}: pass a number above 0, and at most 1")
    if prior is not None:
        _shares(task, prior)
    elif _alone(task):
        raise ValueError(
            "prior=None: labels that are scored by themselves (multi_label, or a single label) "
            "have no share of texts that could be assumed; pass prior={label: the share of texts "
            "that it applies to} for every label"
        )


def check_sample_rows(rows: int) -> None:
    """Whether so many rows can be drawn."""
    if isinstance(rows, bool) or not isinstance(rows, (int, np.integer)):
        raise TypeError(f"sample_rows={rows!r}: pass a number of rows")
    if rows < MIN_TEXTS:
        raise ValueError(f"sample_rows={rows}: pass at least {MIN_TEXTS}")


def scoring_task(task: ZeroShot) -> ZeroShotScores:
    """The task whose scores ``fitted`` takes: without biases, one field per label."""
    from sparknlp_zs.tasks.zero_shot import ZeroShotScores

    # The biases are for all labels, also those that a prefilter leaves out.
    return ZeroShotScores(**{**task.arguments(), "label_bias": (), "prefilter": None})


def fitted(
    task: T,
    scores: Sequence[Sequence[float]] | Scores,
    prior: Mapping[str, float] | None = None,
    strength: float | None = None,
) -> T:
    """The task with biases fitted to scores [rows, labels] that ``scoring_task`` gave.

    Raises
    ------
    TypeError, ValueError
        As ``calibrated``.
    """
    check_calibration(task, prior, strength)
    if len(scores) < MIN_TEXTS:
        raise ValueError(
            f"sample_texts: {len(scores)} texts that are neither missing nor blank; pass at least "
            f"{MIN_TEXTS}, better some hundreds"
        )
    shares = None if prior is None else _shares(task, prior)
    if strength is None:
        strength = STRENGTH if prior is None else 1.0
    values = np.asarray(scores, dtype=np.float64)
    bias = strength * fit_bias(values, shares, multi_label=_alone(task))
    return type(task)(**{**task.arguments(), "label_bias": bias.tolist()})


def calibrated(
    task: T,
    sample_texts: Any,
    model: Model,
    prior: Mapping[str, float] | None,
    strength: float | None,
) -> T:
    """What ``ZeroShot.calibrated`` does."""
    from sparknlp_zs.engine.local import local_scorer

    check_calibration(task, prior, strength)
    texts = pa.array(usable_texts(sample_texts), pa.large_string())
    if len(texts) < MIN_TEXTS:
        return fitted(task, texts, prior, strength)  # says what is wrong
    scoring = scoring_task(task)
    parts = list(local_scorer(model).score_stream(scoring, iter([[texts]])))
    columns = pa.chunked_array(parts, type=scoring.result_type).flatten()
    scores = np.stack([column.to_numpy() for column in columns], axis=1)
    return fitted(task, scores, prior, strength)


def usable_texts(texts: Any) -> list[str]:
    """The texts that are scored, in order: neither missing, empty nor blank.

    Parameters
    ----------
    texts : iterable of str, pandas.Series or pyarrow array

    Raises
    ------
    TypeError
        If it is one string, or holds anything but strings and missing values.

    Examples
    --------
    >>> usable_texts(["a", None, float("nan"), "", " b "])
    ['a', ' b ']
    """
    wrong = "pass a list, Series or Arrow array of strings"
    is_frame = getattr(texts, "ndim", 1) != 1  # iterates over its columns' names
    if is_frame or isinstance(texts, (str, bytes, Mapping)) or not isinstance(texts, Iterable):
        raise TypeError(f"sample_texts: {type(texts).__name__}; {wrong}")
    if not isinstance(texts, (pa.Array, pa.ChunkedArray)):
        try:
            texts = pa.array(texts, pa.large_string(), from_pandas=True)
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise TypeError(f"sample_texts: {error}; {wrong}") from error
        except UnicodeEncodeError as error:
            raise half_character("sample_texts: a text") from error
    found = [text for text in texts.to_pylist() if text is not None]
    if found and not isinstance(found[0], str):
        raise TypeError(f"sample_texts: {texts.type}; {wrong}")
    return [text for text in found if text.strip()]


def _alone(task: ZeroShot) -> bool:
    """Whether each label is scored by itself."""
    return task.multi_label or len(task.labels) == 1


def _shares(task: ZeroShot, prior: Mapping[str, float]) -> Scores:
    """The prior in the labels' order."""
    if not isinstance(prior, Mapping):
        raise TypeError(f"prior={prior!r}: pass a dict from every label to its share of texts")
    if set(prior) != set(task.labels):
        missing = [label for label in task.labels if label not in prior]
        unknown = [label for label in prior if label not in task.labels]
        raise ValueError(
            f"prior: no share for {missing}, shares for unknown labels {unknown}; "
            f"give one to each of {list(task.labels)}"
        )
    shares = np.array([_number("prior", prior[label]) for label in task.labels])
    if shares.min() <= 0 or (_alone(task) and shares.max() >= 1):
        raise ValueError(f"prior={dict(prior)}: pass shares above 0 and below 1")
    if _alone(task):
        return shares
    if abs(shares.sum() - 1) > 0.01:
        raise ValueError(f"prior: the shares sum to {shares.sum():.3f}; they should sum to 1")
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _number(name: str, value: Any) -> float:
    if isinstance(value, (bool, np.bool_, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name}: {value!r} is a {type(value).__name__}; pass a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name}: {value!r}; pass a finite number")
    return number
