"""The steps of several tasks, taken together."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, StepwiseTask, Task

# Yields the pairs of each row, is sent their logits, returns the result.
Steps: TypeAlias = Generator[Sequence[Sequence[Pair]], Logits, pa.Array]


def steps_of(task: Task, rows: Sequence[Row], classes: ClassIds) -> Steps:
    """The steps of any task: one step, if it does not decide by scores what to score next."""
    if isinstance(task, StepwiseTask):
        return (yield from task.steps(rows, classes))
    logits = yield [task.pairs(row) for row in rows]
    return task.result(rows, logits, classes)


def lockstep(
    parts: Sequence[Steps], rows: int
) -> Generator[list[list[Pair]], Logits, list[pa.Array]]:
    """Take steps of all parts at once, as long as any of them asks; their results."""
    results: list[pa.Array] = [None] * len(parts)
    answers: dict[int, Logits | None] = dict.fromkeys(range(len(parts)))
    while answers:
        asked: dict[int, Sequence[Sequence[Pair]]] = {}
        for at, answer in answers.items():
            try:
                asked[at] = next(parts[at]) if answer is None else parts[at].send(answer)
            except StopIteration as ended:
                results[at] = ended.value
        if not asked:
            break
        logits = yield [[pair for some in asked.values() for pair in some[i]] for i in range(rows)]
        sizes = np.array([[len(pairs) for pairs in some] for some in asked.values()], np.int64)
        places = np.tile(np.arange(len(asked)), rows)  # of the part that asked, row by row
        part_of = np.repeat(places, sizes.T.ravel())
        answers = {at: logits[part_of == place] for place, at in enumerate(asked)}
    return results
