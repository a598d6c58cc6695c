"""Several tasks over the same rows, step by step, their pairs asked for together."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import Logits, Pair, Similarity, Step, Steps


def together(parts: Sequence[Steps], rows: int) -> Generator[Step, Logits, list[pa.Array]]:
    """The steps of several tasks as one: pairs that are asked for at a time are scored at once.

    Parameters
    ----------
    parts : sequence of Steps
        Of each task, over the same rows.
    rows : int

    Returns
    -------
    list of pyarrow.Array
        Each task's result.
    """
    results: dict[int, pa.Array] = {}
    asked: dict[int, Step] = {}

    def go_on(at: int, answer: Logits | None) -> None:
        asked.pop(at, None)
        try:
            asked[at] = next(parts[at]) if answer is None else parts[at].send(answer)
        except StopIteration as ended:
            results[at] = ended.value

    for at in range(len(parts)):
        go_on(at, None)
    while asked:
        question = next((at for at, step in asked.items() if isinstance(step, Similarity)), None)
        if question is not None:
            go_on(question, (yield asked[question]))
            continue
        waiting = sorted(asked)
        pairs = [asked[at] for at in waiting]
        logits = yield [_joined(pairs, row) for row in range(rows)]
        for at, answer in zip(waiting, _split(pairs, rows, logits), strict=True):
            go_on(at, answer)
    return [results[at] for at in range(len(parts))]


def _joined(steps: Sequence[Step], row: int) -> list[Pair]:
    return [pair for step in steps if not isinstance(step, Similarity) for pair in step[row]]


def _split(steps: Sequence[Step], rows: int, logits: Logits) -> list[Logits]:
    """Each step's part of logits [pairs of all rows, each row's of one step after the other's]."""
    pairs = [step for step in steps if not isinstance(step, Similarity)]
    sizes = [len(step[row]) for row in range(rows) for step in pairs]
    step_of = np.repeat(np.tile(np.arange(len(steps)), rows), sizes)
    return [logits[step_of == at] for at in range(len(steps))]
