"""What all tasks share: the protocol that the engine knows, class positions, softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Logits = npt.NDArray[np.floating[Any]]
Scores = npt.NDArray[np.float64]
# (first, second), or (first, second or "", task head)
Pair: TypeAlias = tuple[str, str] | tuple[str, str, int]


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
    """What the engine needs to know of a task."""

    kind: ClassVar[str]

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def pairs_per_row(self) -> int: ...

    @property
    def result_type(self) -> pa.StructType: ...

    def pairs(self, row: tuple[str, ...]) -> Sequence[Pair]: ...

    def result(self, logits: Logits, classes: ClassIds) -> pa.StructArray: ...

    def to_json(self) -> str: ...


def softmax(logits: Logits) -> Scores:
    """Softmax over the last axis, in float64."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True, initial=-np.inf)
    exp = np.exp(shifted)
    normalised: Scores = exp / exp.sum(axis=-1, keepdims=True)
    return normalised
