"""The one scoring loop: Arrow columns in, Arrow structs out, in row order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sparknlp_zs.engine.batching import plan_batches
from sparknlp_zs.engine.budget import TokenBudget, is_out_of_memory
from sparknlp_zs.engine.encoding import Ids, PairEncoder
from sparknlp_zs.tasks import ClassIds, HeadTask, MixedHeadsTask, Task

WINDOW_ROWS = 2048  # rows that are sorted, deduplicated and scored together

Column: TypeAlias = "pa.Array | pa.ChunkedArray"
Columns: TypeAlias = Sequence[Column]


class Network(Protocol):
    """Anything that turns token ids into logits."""

    def logits(self, inputs: dict[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.float32]: ...


class Scorer:
    """Scores tasks with one model.

    Parameters
    ----------
    network : Network
    encoder : PairEncoder
    classes : ClassIds
        Where the NLI classes stand in the logits.
    budget : TokenBudget
        Padded tokens per forward pass.
    """

    def __init__(
        self, network: Network, encoder: PairEncoder, classes: ClassIds, budget: TokenBudget
    ) -> None:
        self._network = network
        self._encoder = encoder
        self._classes = classes
        self._budget = budget
        self._lock = threading.Lock()

    def score(self, task: Task, columns: Columns) -> pa.StructArray:
        """Score rows together: duplicates once, sorted by length, results in row order.

        Parameters
        ----------
        task : Task
        columns : sequence of pyarrow.Array
            Text columns of equal length, as many as ``task.columns``.

        Returns
        -------
        pyarrow.StructArray of ``task.result_type``
            Null where any of the texts is null, empty or blank.
        """
        rows, row_of = distinct_rows(columns)
        with self._lock:  # a fast tokenizer fails if two threads use it at once
            logits = self._logits(task, rows)
        result = task.result(logits, self._classes)
        return result.take(row_of)

    def score_stream(
        self, task: Task, batches: Iterator[Columns], window_rows: int = WINDOW_ROWS
    ) -> Iterator[pa.StructArray]:
        """Score a stream of batches, one result per batch, looking ahead at most a window.

        Small batches are scored together; a batch larger than the window is cut into windows.
        """
        waiting: list[Columns] = []
        rows = 0
        for columns in batches:
            waiting.append(columns)
            rows += len(columns[0])
            if rows >= window_rows:
                yield from self._score_together(task, waiting, window_rows)
                waiting, rows = [], 0
        yield from self._score_together(task, waiting, window_rows)

    def _score_together(
        self, task: Task, waiting: list[Columns], window_rows: int
    ) -> Iterator[pa.StructArray]:
        if not waiting:
            return
        joined = [
            pa.chunked_array([_text(batch[i]) for batch in waiting], pa.large_string())
            for i in range(len(waiting[0]))
        ]
        parts = [
            self.score(task, [column.slice(start, window_rows) for column in joined])
            for start in range(0, len(joined[0]), window_rows)
        ]
        scored = pa.chunked_array(parts, type=task.result_type)
        start = 0
        for batch in waiting:
            yield _one_array(scored.slice(start, len(batch[0])))
            start += len(batch[0])

    def _logits(self, task: Task, rows: list[tuple[str, ...]]) -> npt.NDArray[np.float32]:
        pairs = [pair for row in rows for pair in task.pairs(row)]
        first, first_of = self._tokenize([pair[0] for pair in pairs])
        second, second_of = self._tokenize([pair[1] for pair in pairs])
        self._check_room(second, [pair[1] for pair in pairs], second_of)
        size_1 = np.array([len(ids) for ids in first], dtype=np.int64)
        size_2 = np.array([len(ids) for ids in second], dtype=np.int64)
        special, limit = self._encoder.layout.special_tokens, self._encoder.max_length
        lengths = np.minimum(size_1[first_of] + size_2[second_of] + special, limit)
        width = len(self._classes.names())
        if isinstance(task, HeadTask | MixedHeadsTask):
            width = task.outputs
        logits = np.zeros((len(pairs), width), dtype=np.float32)
        for batch in plan_batches(lengths, lambda: self._budget.tokens, limit):
            # A task head's pair also names the head.
            ids = [(first[first_of[i]], second[second_of[i]], *pairs[i][2:]) for i in batch.pairs]
            logits[batch.pairs] = self._forward(ids, batch.length)[:, :width]
        return logits.reshape(len(rows), task.pairs_per_row, logits.shape[1])

    def _forward(self, pairs: list[tuple[Any, ...]], length: int) -> npt.NDArray[np.float32]:
        """Logits of one batch, in two halves if memory does not suffice for it."""
        tokens = len(pairs) * length
        if len(pairs) == 1 or self._budget.fits(tokens):
            start = time.perf_counter()
            try:
                logits = self._network.logits(self._encoder.batch(pairs, len(pairs), length))
            except (RuntimeError, MemoryError) as error:
                if len(pairs) == 1 or not is_out_of_memory(error):
                    raise
                self._budget.shrink(tokens)
            else:
                self._budget.record(tokens, time.perf_counter() - start)
                return logits
        # Outside the handler, whose traceback would keep the failed batch's tensors alive.
        half = len(pairs) // 2
        parts = [self._forward(part, length) for part in (pairs[:half], pairs[half:])]
        return np.concatenate(parts)

    def _tokenize(self, texts: list[str]) -> tuple[list[Ids], npt.NDArray[np.int64]]:
        position: dict[str, int] = {}
        places = [position.setdefault(text, len(position)) for text in texts]
        return self._encoder.tokenize(list(position)), np.array(places, dtype=np.int64)

    def _check_room(
        self, second: list[Ids], texts: list[str], second_of: npt.NDArray[np.int64]
    ) -> None:
        for at, ids in enumerate(second):
            if self._encoder.room(len(ids)) < 1:
                where = int(np.argmax(second_of == at))
                raise ValueError(
                    f"A hypothesis of {len(ids)} tokens ({len(texts[where])} characters) leaves "
                    f"no room for the text within max_length={self._encoder.max_length}; shorten "
                    "the label or hypothesis, or raise max_length"
                )


def distinct_rows(columns: Columns) -> tuple[list[tuple[str, ...]], pa.Array]:
    """The distinct rows without null, empty or blank texts, and each row's place among them.

    Returns
    -------
    rows : list of tuple of str
    row_of : pyarrow.Array of int64
        Null where a row is not scored.

    Examples
    --------
    >>> rows, row_of = distinct_rows([pa.array(["b", None, " ", "a", "b"])])
    >>> rows, row_of.to_pylist()
    ([('b',), ('a',)], [0, None, None, 1, 0])
    """
    encoded = [_one_array(_text(column)).dictionary_encode() for column in columns]
    texts = [column.dictionary.to_pylist() for column in encoded]
    blank = [[not text.strip() for text in values] for values in texts]
    position: dict[tuple[int, ...], int] = {}
    row_of: list[int | None] = []
    for codes in zip(*(column.indices.to_pylist() for column in encoded), strict=True):
        if any(code is None or blank[i][code] for i, code in enumerate(codes)):
            row_of.append(None)
        else:
            row_of.append(position.setdefault(codes, len(position)))
    rows = [tuple(texts[i][code] for i, code in enumerate(codes)) for codes in position]
    return rows, pa.array(row_of, pa.int64())


def _text(column: Column) -> Column:
    return pc.cast(column, pa.large_string())


def _one_array(column: Column) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    joined = column.combine_chunks()
    # combine_chunks gave a ChunkedArray for nested types before pyarrow 20.
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
