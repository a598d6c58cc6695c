"""Natural language inference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, TextTask, softmax
from sparknlp_zs.tasks.long_text import (
    TRUNCATE,
    LongText,
    checked_long_text,
    long_text_fields,
    paired,
)


@dataclass(frozen=True, kw_only=True)
class NLI(TextTask):
    """Natural language inference: does the premise entail the hypothesis?

    The result is ``struct<label, score, entailment, neutral, contradiction>``: the likeliest
    class, its probability, and the probability of each class. For a two-class model the label is
    "entailment" or "not_entailment", and neutral and contradiction are null.

    Parameters
    ----------
    long_text : {"truncate", "chunk"} or Chunks
        What becomes of pairs that are too long. "truncate": the longer text is cut first, as by
        ``tokenizer(premise, hypothesis, truncation=True)``. "chunk": the premise is scored in
        chunks of at least half of the tokens, and the hypothesis cut to what they leave.

    Examples
    --------
    >>> [field.name for field in NLI().result_type]
    ['label', 'score', 'entailment', 'neutral', 'contradiction']
    """

    long_text: LongText = TRUNCATE

    kind: ClassVar[str] = "nli"
    columns: ClassVar[tuple[str, ...]] = ("premise", "hypothesis")
    classes: ClassVar[tuple[str, ...]] = ("entailment", "neutral", "contradiction")
    cuts_hypotheses: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "long_text", checked_long_text(self.long_text))

    @property
    def pairs_per_row(self) -> int:
        return 1

    @property
    def result_type(self) -> pa.StructType:
        probabilities = [(name, pa.float64()) for name in self.classes]
        return pa.struct([("label", pa.string()), ("score", pa.float64()), *probabilities])

    def pairs(self, row: Row) -> list[Pair]:
        """The row itself: (premise, hypothesis)."""
        return paired(row[0], [row[1]], self.long_text)

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows, classes]."""
        names = classes.names()
        probabilities = softmax(logits[:, list(names.values())])
        best = probabilities.argmax(axis=1)
        by_name = dict(zip(names, probabilities.T, strict=True))
        missing = pa.nulls(len(logits), pa.float64())
        columns = [
            pa.array(list(names), pa.string()).take(pa.array(best)),
            pa.array(probabilities.max(axis=1, initial=0.0)),
            *(pa.array(by_name[x]) if x in by_name else missing for x in self.classes),
        ]
        return pa.StructArray.from_arrays(columns, fields=list(self.result_type))

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, "long_text": long_text_fields(self.long_text)})
