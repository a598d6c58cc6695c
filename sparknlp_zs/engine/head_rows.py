"""Task heads on columns of choices, and tasks that differ by row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparknlp_zs.engine.adapters import find_task
from sparknlp_zs.tasks.heads import (
    CHOICES,
    PAIR,
    RESULT_TYPE,
    TEXT,
    AdapterTask,
    MixedHeadsTask,
    PairHeadTask,
    TaskHead,
    head_result,
)

if TYPE_CHECKING:
    from sparknlp_zs.engine.head_scorer import ScorerWithHeads
    from sparknlp_zs.engine.scorer import Column, Columns, Scorer


@dataclass(frozen=True)
class ChoiceTask:
    """A multiple-choice head on (text, choices) columns, the choices an array for each row.

    Each (text, choice) pair is scored; the softmax over a row's pairs gives the probabilities.

    Parameters
    ----------
    head : AdapterTask

    Examples
    --------
    >>> ChoiceTask(AdapterTask("swag", 0, 1, "multiple_choice")).result_type.field("label").type
    DataType(string)
    """

    head: AdapterTask

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``: the best choice, its probability, and all."""
        return RESULT_TYPE

    def score(self, scorer: Scorer, columns: Columns) -> pa.Array:
        """Score rows together.

        Returns
        -------
        pyarrow.Array of ``result_type``
            Null where the text or any of the choices is null, empty or blank, or there are none.
        """
        text, choices = columns
        rows, flat = _flat_choices(text, choices)
        pairs = [text.take(pa.array(rows)), pa.array(flat, pa.string())]
        (scored,) = scorer.score_stream(PairHeadTask(self.head), iter([pairs]))
        values = pc.struct_field(scored, "score").to_numpy(zero_copy_only=False)
        found, starts = np.unique(rows, return_index=True)
        parts = [
            _ranked_choices(flat[start:end], values[start:end])
            for start, end in itertools.pairwise([*starts.tolist(), len(flat)])
        ]
        return scattered([pa.array(parts, RESULT_TYPE)], [found], len(text))


def _flat_choices(text: Column, choices: Column) -> tuple[npt.NDArray[np.int64], list[str]]:
    """The row of each choice, and the choices, of the rows that are scored."""
    rows: list[int] = []
    flat: list[str] = []
    pairs = zip(text.to_pylist(), choices.to_pylist(), strict=True)
    for row, (premise, texts) in enumerate(pairs):
        if _blank(premise) or not texts or any(_blank(choice) for choice in texts):
            continue
        rows += [row] * len(texts)
        flat += texts
    return np.array(rows, dtype=np.int64), flat


def _blank(text: str | None) -> bool:
    if text is not None and not isinstance(text, str):
        raise TypeError(f"choices={text!r}: pass arrays of strings")
    return text is None or not text.strip()


def _ranked_choices(choices: Sequence[str], logits: npt.NDArray[np.float64]) -> dict[str, object]:
    exp = np.exp(logits - logits.max())
    scores = exp / exp.sum()
    order = np.argsort(-scores, kind="stable")
    labels = [choices[at] for at in order]
    ranked = scores[order].tolist()
    return {"label": labels[0], "score": ranked[0], "labels": labels, "scores": ranked}


@dataclass(frozen=True)
class RowTasks:
    """Task heads by name, a name for each row; rows of different tasks share batches.

    Parameters
    ----------
    columns : tuple of str
        ``("text",)``, ``("text", "text_pair")`` or ``("text", "choices")``: those before the
        column of names.
    """

    columns: tuple[str, ...] = TEXT

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``, as from ``HeadTask``."""
        return RESULT_TYPE

    def score(self, scorer: ScorerWithHeads, columns: Columns) -> pa.Array:
        """Score rows together.

        Returns
        -------
        pyarrow.Array of ``result_type``
            Null where a text or the task is null, empty or blank.

        Raises
        ------
        ValueError
            If the adapter lacks a task, or a task needs other columns.
        """
        names = columns[-1]
        rows_of = {
            name: np.flatnonzero(pc.equal(names, name).fill_null(False).to_numpy(False))
            for name in sorted(set(names.to_pylist()) - {None})
            if name.strip()
        }
        # All names are checked before any row is scored.
        heads = [self._head(scorer, name) for name in rows_of]
        if self.columns == CHOICES:
            parts = [
                ChoiceTask(head).score(scorer, [x.take(pa.array(rows)) for x in columns[:-1]])
                for head, rows in zip(heads, rows_of.values(), strict=True)
            ]
        else:
            parts = self._scored(scorer, heads, columns, list(rows_of.values()))
        return scattered(parts, list(rows_of.values()), len(names))

    def _head(self, scorer: ScorerWithHeads, name: str) -> AdapterTask:
        return TaskHead(name, columns=self.columns).resolve(find_task(scorer.tasks, name))

    def _scored(
        self,
        scorer: ScorerWithHeads,
        heads: list[AdapterTask],
        columns: Columns,
        rows_of: list[npt.NDArray[np.int64]],
    ) -> list[pa.Array]:
        task = MixedHeadsTask(tuple(heads), paired=self.columns == PAIR)
        (raw,) = scorer.score_stream(task, iter([columns]))
        outputs = pc.struct_field(raw, "outputs")
        parts = []
        for head, rows in zip(heads, rows_of, strict=True):
            found = outputs.take(pa.array(rows))
            scored = np.flatnonzero(found.is_valid().to_numpy(False))
            logits = found.drop_null().flatten().to_numpy(False).reshape(-1, task.outputs)
            result = head_result(head, logits[:, : head.outputs])
            parts.append(scattered([result], [scored], len(rows)))
        return parts


def scattered(
    parts: list[pa.Array], rows_of: Sequence[npt.NDArray[np.int64]], length: int
) -> pa.Array:
    """The parts' structs at their rows; null elsewhere."""
    place = np.full(length, -1, dtype=np.int64)
    rows = np.concatenate([np.empty(0, np.int64), *rows_of])
    place[rows] = np.arange(len(rows))
    joined = pa.concat_arrays([pa.array([], RESULT_TYPE), *parts])
    return joined.take(pa.array(place, mask=place < 0))
