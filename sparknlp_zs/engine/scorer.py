"""The one scoring loop: Arrow columns in, Arrow structs out, in row order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.engine.batching import Padding
from sparknlp_zs.engine.budget import TokenBudget
from sparknlp_zs.engine.chunks import chunked, pooled
from sparknlp_zs.engine.encoding import Ids, PairEncoder, TextPairEncoder
from sparknlp_zs.engine.forward import outputs
from sparknlp_zs.engine.memory import give_back
from sparknlp_zs.engine.pairs import PairTokens
from sparknlp_zs.engine.rows import Column, Columns, distinct, distinct_rows, one_array, same_type
from sparknlp_zs.tasks import ClassIds, Pair, Row, Similarity, Task, cuts_hypotheses, steps_of

if TYPE_CHECKING:
    from sparknlp_zs.engine.embedding import Embedder

Inputs: TypeAlias = "dict[str, npt.NDArray[np.int64]]"  # each [rows, length], head_ids [rows]

NAMED_BY = 40  # characters of a hypothesis, in an error
WINDOW_ROWS = 2048  # rows that are sorted, deduplicated and scored together


@dataclass(frozen=True)
class Scored:
    """The results of a batch, and what they took.

    ``truncated`` has one boolean per row: whether its text was cut to fit ``max_length`` beside
    any of its hypotheses; for NLI, whether either text was. ``seconds`` is the batch's share of the
    scoring time.
    """

    result: pa.Array
    truncated: pa.BooleanArray
    seconds: float


class Network(Protocol):
    """Anything that turns token ids into logits."""

    padding: Padding

    def logits(self, batch: Sequence[Inputs]) -> npt.NDArray[np.float32]:
        """Logits [rows, classes] of groups of rows, each group padded to one length."""
        ...


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
        self._text_pairs = TextPairEncoder.like(encoder)
        self._classes = classes
        self._budget = budget
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None

    def use_embedder(self, embedder: Embedder) -> None:
        """Answer tasks' questions for similarities with it."""
        self._embedder = embedder

    def score(self, task: Task, columns: Columns) -> pa.Array:
        """Score rows together: duplicates once, sorted by length, results in row order.

        Parameters
        ----------
        task : Task
        columns : sequence of pyarrow.Array
            Columns of equal length, as many as ``task.columns``.

        Returns
        -------
        pyarrow.Array of ``task.result_type``
            Null where any of the values is null, or a text empty or blank.
        """
        return self.measure(task, columns).result

    def measure(self, task: Task, columns: Columns) -> Scored:
        """As ``score``, with what it took."""
        start = time.perf_counter()
        rows, row_of = distinct_rows(task, columns)
        with self._lock:  # a fast tokenizer fails if two threads use it at once
            result, truncated = self._result(task, rows)
        cut = pa.array(truncated).take(row_of).fill_null(False)
        return Scored(result.take(row_of), cut, time.perf_counter() - start)

    def score_stream(
        self, task: Task, batches: Iterator[Columns], window_rows: int = WINDOW_ROWS
    ) -> Iterator[pa.Array]:
        """Score a stream of batches, one result per batch, looking ahead at most a window.

        Small batches are scored together; a batch larger than the window is cut into windows.
        """
        for scored in self.measure_stream(task, batches, window_rows):
            yield scored.result

    def measure_stream(
        self, task: Task, batches: Iterator[Columns], window_rows: int = WINDOW_ROWS
    ) -> Iterator[Scored]:
        """As ``score_stream``, with what each batch took."""
        waiting: list[Columns] = []
        rows = 0
        for columns in batches:
            waiting.append(columns)
            rows += len(columns[0])
            if rows >= window_rows:
                yield from self._score_together(task, waiting, window_rows)
                waiting, rows = [], 0
        yield from self._score_together(task, waiting, window_rows)
        give_back()

    def _score_together(
        self, task: Task, waiting: list[Columns], window_rows: int
    ) -> Iterator[Scored]:
        if not waiting:
            return
        joined = [_joined([same_type(x) for x in column]) for column in zip(*waiting, strict=True)]
        rows = len(joined[0])
        parts = [
            self.measure(task, [column.slice(start, window_rows) for column in joined])
            for start in range(0, rows, window_rows)
        ]
        result = pa.chunked_array([part.result for part in parts], type=task.result_type)
        truncated = pa.chunked_array([part.truncated for part in parts], type=pa.bool_())
        share = sum(part.seconds for part in parts) / max(1, rows)
        start = 0
        for columns in waiting:
            size = len(columns[0])
            yield Scored(
                one_array(result.slice(start, size)),
                one_array(truncated.slice(start, size)),
                share * size,
            )
            start += size

    def _result(self, task: Task, rows: list[Row]) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        """The task's result for distinct rows, and whether a row's text was cut."""
        truncated = np.zeros(len(rows), dtype=bool)
        steps = steps_of(task, rows, self._classes)
        try:
            asked = next(steps)
            while True:
                if isinstance(asked, Similarity):
                    answer = self._similarities(asked)
                else:
                    answer, some = self._logits(task, asked)
                    truncated |= some
                asked = steps.send(answer)
        except StopIteration as ended:
            return ended.value, truncated

    def _similarities(self, asked: Similarity) -> npt.NDArray[np.float32]:
        if self._embedder is None:
            from sparknlp_zs.embedders import EMBEDDER_REMEDY

            raise ValueError(
                f"prefilter: the model's folder has no embedder to compare with; {EMBEDDER_REMEDY}"
            )
        return self._embedder.similarities(asked.texts, asked.phrases)

    def _logits(
        self, task: Task, pairs_of: Sequence[Sequence[Pair]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Logits of all rows' pairs, and whether any pair of a row had a text cut."""
        pairs, pair_of = distinct([pair for row_pairs in pairs_of for pair in row_pairs])
        encoder = self._text_pairs if cuts_hypotheses(task) else self._encoder
        first, first_of = _tokenized(encoder, [pair[0] for pair in pairs])
        second, second_of = _tokenized(encoder, [pair[1] for pair in pairs])
        _check_room(encoder, second, [pair[1] for pair in pairs], second_of)
        sizes = np.fromiter(map(len, first), np.int64, len(first))[first_of]
        spans = chunked(pairs, encoder, sizes, second, second_of)
        texts, width = (first, first_of, second, second_of), self._outputs(task)
        if spans is None:
            tokens = PairTokens(encoder, *texts, _heads(pairs))
            logits, cut = self._logits_of(tokens, width), tokens.cut
        else:
            scored, place = spans.distinct(first_of, second_of)
            tokens = PairTokens(encoder, *texts, spans=scored)
            found = self._logits_of(tokens, width)[place]
            logits = pooled(found, spans, pairs, self._classes)
            cut = tokens.cut[place][spans.firsts]
        return logits[pair_of], _any_by_row(cut[pair_of], pairs_of)

    def _logits_of(self, tokens: PairTokens, width: int) -> npt.NDArray[np.float32]:
        """The first ``width`` logits of each pair of token ids."""
        return outputs(self._network, self._budget, tokens, self._encoder.max_length, width)

    def _outputs(self, task: Task) -> int:
        """How many logits the task has of each pair."""
        return len(self._classes.names())


def _tokenized(encoder: PairEncoder, texts: list[str]) -> tuple[list[Ids], npt.NDArray[np.int64]]:
    """The distinct texts' ids, and each text's place among them."""
    found, places = distinct(texts)
    return encoder.tokenize(found), places


def _check_room(
    encoder: PairEncoder, second: list[Ids], texts: list[str], second_of: npt.NDArray[np.int64]
) -> None:
    for at, ids in enumerate(second):
        if encoder.room(len(ids)) < 1:
            text = texts[int(np.argmax(second_of == at))]
            raise ValueError(
                f"A hypothesis of {len(ids)} tokens ({len(text)} characters: "
                f"{text[:NAMED_BY]!r}...) leaves no room for the text within "
                f"max_length={encoder.max_length}; shorten the label or hypothesis, or raise "
                "max_length"
            )


def _heads(pairs: list[Pair]) -> npt.NDArray[np.int64] | None:
    """The task head of each pair; None for premises and hypotheses."""
    heads = [pair[2] for pair in pairs if len(pair) > 2 and isinstance(pair[2], int)]
    return np.array(heads, dtype=np.int64) if heads else None


def _any_by_row(flags: npt.NDArray[np.bool_], pairs_of: Sequence[Sequence[Pair]]) -> Any:
    """Whether any of a row's pairs has the flag."""
    sizes = np.fromiter(map(len, pairs_of), np.int64, len(pairs_of))
    row_of = np.repeat(np.arange(len(pairs_of)), sizes)
    return np.bincount(row_of, weights=flags, minlength=len(pairs_of)) > 0


def _joined(columns: list[Column]) -> pa.ChunkedArray:
    chunks = [x.chunks if isinstance(x, pa.ChunkedArray) else [x] for x in columns]
    return pa.chunked_array([chunk for some in chunks for chunk in some], columns[0].type)
