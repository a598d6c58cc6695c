"""What all tasks share: the protocol that the engine knows, class positions, softmax."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.tasks.long_text import Beside

Logits = npt.NDArray[np.floating[Any]]
Scores = npt.NDArray[np.float64]
Row: TypeAlias = tuple[Any, ...]  # one value per column of a task
# (premise, hypothesis); of a task head (text, second text or "", the head's number); of a text
# that is chunked if it is long (premise, hypothesis, beside which hypotheses)
Pair: TypeAlias = tuple[str, str] | tuple[str, str, int] | tuple[str, str, Beside]


@dataclass(frozen=True)
class ClassIds:
    """Positions of the NLI classes in a model's logits; None for a class the model lacks.

    ``not_entailment`` is set for two-class models only, and then stands for ``contradiction``
    in zero-shot classification.
    """

    entailment: int
    neutral: int | None = None
    contradiction: int | None = None
    not_entailment: int | None = None

    @property
    def negative(self) -> int:
        """The class against which entailment is weighed in multi-label classification."""
        found = self.contradiction if self.contradiction is not None else self.not_entailment
        if found is None:
            raise ValueError(f"{self}: neither a contradiction nor a not_entailment class")
        return found

    def names(self) -> dict[str, int]:
        """Class name → position, for the classes that the model has."""
        return {name: at for name, at in asdict(self).items() if at is not None}


class Task(Protocol):
    """What the engine needs to know of a task: the pairs of a row, and their logits' meaning.

    ``columns`` names the Arrow columns that a row is made of, in order. Those of strings are
    texts; a task may have others, such as arrays of labels.
    """

    kind: ClassVar[str]

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def result_type(self) -> pa.DataType: ...

    def admits(self, column: str, value: Any) -> bool:
        """Whether rows with this value are scored; asked once per distinct value, never of null.

        Raises for a value that is wrong, whatever else its rows hold. Lists come as tuples.
        """
        ...

    def pairs(self, row: Row) -> Sequence[Pair]:
        """What the model scores for a row: at least one pair."""
        ...

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.Array:
        """Arrow values of ``result_type`` from logits [pairs of all rows in order, classes]."""
        ...

    def to_json(self) -> str: ...


class FixedTask(Task, Protocol):
    """A task that has as many pairs in every row."""

    @property
    def pairs_per_row(self) -> int: ...


@dataclass(frozen=True)
class Similarity:
    """A question for the engine's embedder: how near in meaning each text is to each phrase.

    The answer is their cosines, float32 [texts, phrases].
    """

    texts: tuple[str, ...]
    phrases: tuple[str, ...]


# What a task asks for in a step; the answer is an array of floats.
Step: TypeAlias = Sequence[Sequence[Pair]] | Similarity
Steps: TypeAlias = Generator[Step, Logits, pa.Array]


@runtime_checkable
class StepwiseTask(Task, Protocol):
    """A task that decides after some scores what to score next."""

    def steps(self, rows: Sequence[Row], classes: ClassIds) -> Steps:
        """Asks for logits, and returns what ``result`` would.

        Yields
        ------
        sequence of sequences of Pair, or Similarity
            The pairs of each row, in the rows' order; a row may have none in a step. The answer
            is their logits [pairs of all rows in order, classes]. Or a ``Similarity``, with its
            own answer, of tasks with ``needs_embedder`` only.
        """
        ...


def steps_of(task: Task, rows: Sequence[Row], classes: ClassIds) -> Steps:
    """A task's steps; of one that is not stepwise the only one."""
    if isinstance(task, StepwiseTask):
        return (yield from task.steps(rows, classes))
    logits = yield [task.pairs(row) for row in rows]
    return task.result(rows, logits, classes)


def needs_embedder(task: Task) -> bool:
    """Whether a task asks for similarities."""
    return bool(getattr(task, "needs_embedder", False))


def cuts_hypotheses(task: Task) -> bool:
    """Whether a task's hypotheses are data of any length, which are cut as texts are."""
    return bool(getattr(task, "cuts_hypotheses", False))


class TextTask:
    """What tasks over text columns alone share: blank texts are not scored."""

    def admits(self, column: str, value: Any) -> bool:
        """Whether the text has anything but whitespace."""
        return is_text(column, value)


def is_text(column: str, value: Any) -> bool:
    """Whether a text has anything but whitespace.

    Raises
    ------
    TypeError
        If the value is no string.
    """
    if not isinstance(value, str):
        raise TypeError(f"{column}: {value!r} is a {type(value).__name__}; pass a text column")
    return bool(value.strip())


def by_row(logits: Logits, rows: int, pairs_per_row: int) -> Logits:
    """Logits [pairs, classes] as [rows, pairs of a row, classes]."""
    return logits.reshape(rows, pairs_per_row, logits.shape[-1])


def mean_logits(logits: Logits, sizes: Sequence[int]) -> Logits:
    """Mean logits of labels from those of their hypotheses, in float64.

    Parameters
    ----------
    logits : float array [rows, hypotheses of all labels, classes]
    sizes : sequence of int
        The number of hypotheses of each label.

    Returns
    -------
    float array [rows, labels, classes]
    """
    if all(size == 1 for size in sizes):
        return logits
    starts = np.cumsum([0, *sizes[:-1]])
    sums = np.add.reduceat(logits.astype(np.float64), starts, axis=1)
    means: Logits = sums / np.array(sizes)[:, None]
    return means


def label_scores(logits: Logits, classes: ClassIds, multi_label: bool) -> Scores:
    """Scores of labels from logits [rows, labels, classes], as float64 [rows, labels].

    A softmax over the labels; with ``multi_label``, or a single label, each label by itself.
    """
    entailment = logits[..., classes.entailment]
    if not multi_label and logits.shape[1] > 1:
        return softmax(entailment)
    against = np.stack([logits[..., classes.negative], entailment], axis=-1)
    return softmax(against)[..., 1]


def softmax(logits: Logits) -> Scores:
    """Softmax over the last axis, in float64."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True, initial=-np.inf)
    exp = np.exp(shifted)
    normalised: Scores = exp / exp.sum(axis=-1, keepdims=True)
    return normalised
