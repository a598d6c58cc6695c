"""What trained models say of pairs: soft targets for a smaller model.

Several models' opinions are joined by the geometric mean of their probabilities, which is a softmax
of their mean logits: models that err in different places are better together (Hinton et al. 2015,
arXiv:1503.02531).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.engine.local import local_scorer
from sparknlp_zs.models import ModelSpec
from sparknlp_zs.tasks import NLI
from sparknlp_zs.tasks.row_labels import RowLabelScores
from sparknlp_zs.training.data import Example

CLASSES = NLI.classes
SMALLEST = 1e-6  # of a probability, before its logarithm


def geometric_mean(opinions: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The normalised geometric mean of probabilities, over the last axis.

    Parameters
    ----------
    opinions : sequence of float arrays of one shape [..., choices]

    Returns
    -------
    float array [..., choices]

    Examples
    --------
    >>> geometric_mean([np.array([0.5, 0.5]), np.array([0.8, 0.2])]).round(3).tolist()
    [0.667, 0.333]
    """
    logs = np.mean([np.log(np.maximum(x, SMALLEST)) for x in opinions], axis=0)
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    mean: npt.NDArray[np.float64] = weights / weights.sum(axis=-1, keepdims=True)
    return mean


def nli_opinions(
    models: Sequence[ModelSpec], premises: Sequence[str], hypotheses: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Probabilities of entailment, neutral and contradiction, float array [pairs, 3].

    Blank texts, which no model scores, get no opinion: thirds.
    """
    columns = [pa.array(premises, pa.string()), pa.array(hypotheses, pa.string())]
    found = []
    for model in models:
        result = local_scorer(model).score(NLI(), columns)
        fields = [result.field(name).to_numpy(zero_copy_only=False) for name in CLASSES]
        found.append(np.nan_to_num(np.stack(fields, axis=1), nan=1 / 3))
    return geometric_mean(found)


def with_opinions(models: Sequence[ModelSpec], examples: Sequence[Example]) -> list[Example]:
    """Soft groups whose targets are the mean of their own and the models' softmax over a group."""
    own = [np.array(example.targets) for example in examples]
    said = [_group_opinions(model, examples) for model in models]
    means = (geometric_mean(opinions) for opinions in zip(own, *said, strict=True))
    return [
        replace(example, targets=tuple(mean.tolist()))
        for example, mean in zip(examples, means, strict=True)
    ]


def _group_opinions(model: ModelSpec, examples: Sequence[Example]) -> list[npt.NDArray[np.float64]]:
    """A model's probabilities of the hypotheses of each group."""
    columns = [
        pa.array([example.premise for example in examples], pa.string()),
        pa.array([list(example.hypotheses) for example in examples], pa.list_(pa.string())),
        pa.array([False] * len(examples), pa.bool_()),
    ]
    result = local_scorer(model).score(RowLabelScores("{}"), columns)
    return [
        np.array([score for _, score in row]) if row else np.ones(len(example.hypotheses))
        for row, example in zip(result.to_pylist(), examples, strict=True)
    ]
