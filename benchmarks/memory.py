"""Memory of the engine over a long column: run as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from benchmarks.models import TINY, deberta

BATCH_ROWS = 10_000  # as Spark sends them
TIMEOUT_S = 7200
MARK = "RESULT "
LABELS = ("card payment", "cash withdrawal")


@dataclass(frozen=True)
class MemoryRow:
    """Resident memory when so many rows have been scored."""

    rows: int
    rss_mb: float
    peak_mb: float
    seconds: float


def measure_memory(rows: list[int], threads: int) -> list[MemoryRow]:
    """Stream distinct short rows through a tiny model, in a new process."""
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", str(threads), *map(str, rows)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=root,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise RuntimeError(done.stderr[-3000:])
    return [MemoryRow(**row) for row in json.loads(lines[0].removeprefix(MARK))]


def stream(rows: list[int], threads: int) -> Iterator[MemoryRow]:
    """Memory before any row, and whenever one of the numbers of rows is reached."""
    import psutil
    import torch

    from sparknlp_zs.engine.loading import load_scorer
    from sparknlp_zs.tasks import ZeroShot

    torch.set_num_threads(threads)
    scorer = load_scorer(deberta(TINY, "deberta-tiny"))
    task = ZeroShot(LABELS)
    process = psutil.Process(os.getpid())
    scorer.score(task, [pa.array(["a first message, before memory is read"])])
    start, done = time.perf_counter(), 0
    rss = peak = process.memory_info().rss
    yield MemoryRow(0, rss / 2**20, peak / 2**20, 0.0)
    left = sorted(rows)
    for scored in scorer.score_stream(task, _batches(left[-1])):
        done += len(scored)
        rss = process.memory_info().rss
        peak = max(peak, rss)
        while left and done >= left[0]:
            seconds = time.perf_counter() - start
            yield MemoryRow(left.pop(0), rss / 2**20, peak / 2**20, seconds)


def _batches(rows: int) -> Iterator[list[pa.Array]]:
    for start in range(0, rows, BATCH_ROWS):
        numbers = range(start, min(start + BATCH_ROWS, rows))
        yield [pa.array([f"payment {number} is late" for number in numbers])]


if __name__ == "__main__":
    found = stream([int(x) for x in sys.argv[2:]], int(sys.argv[1]))
    print(MARK + json.dumps([asdict(row) for row in found]))
