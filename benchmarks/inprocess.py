"""All contenders of one process over all workloads, beside the limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Workload, labelled_messages
from benchmarks.flops import encoder_flops, product
from benchmarks.measure import Timing, interleaved
from benchmarks.peers import PIPELINE, Contender, Scores, all_peers, engine

TOLERANCE = 1e-5  # of float32 scores against the pipeline's
PRODUCT_DTYPES = {"float32", "bfloat16", "float16"}


@dataclass(frozen=True)
class Row:
    """One contender in one workload."""

    name: str
    timing: Timing
    texts_per_s: float
    difference: float  # largest, of scores against the pipeline's
    agreement: float  # share of texts with the pipeline's best label
    exact: bool
    gflops: float | None = None  # of the engine: products needed, per second
    padded_gflops: float | None = None  # the same with padding counted
    limit_gflops: float | None = None  # of plain products in the same dtype


@dataclass(frozen=True)
class WorkloadResult:
    """All contenders in one workload."""

    name: str
    texts: int
    labels: int
    tokens_per_pair: float
    rows: list[Row]

    @property
    def best_pipeline(self) -> Row:
        """The pipeline at its best batch size."""
        return max(self.pipelines, key=lambda row: row.texts_per_s)

    @property
    def pipelines(self) -> list[Row]:
        """The pipeline at all batch sizes, the default first."""
        return [row for row in self.rows if row.name.startswith(PIPELINE)]


@dataclass(frozen=True)
class ModelResult:
    """One model in all workloads."""

    model: str
    parameters: int
    workloads: list[WorkloadResult]
    product_tokens: dict[str, int]
    left_out: dict[str, str]


@dataclass(frozen=True)
class Agreement:
    """An engine of lower precision beside float32, on a trained model and real messages."""

    dtype: str
    texts: int
    agreement: float
    difference: float
    accuracy: float
    accuracy_float32: float


def measure_model(
    name: str,
    folder: Path,
    works: list[Workload],
    threads: int,
    repeats: int,
    dtypes: list[str],
    quick: bool,
    say: Callable[[str], None],
) -> ModelResult:
    """Time every contender on every workload."""
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder)
    torch.set_num_threads(threads)
    say(f"{name}: loading the contenders")
    peers = all_peers(folder, threads, dtypes, quick)
    for peer, reason in peers.left_out.items():
        say(f"  left out: {peer}: {reason}")
    products = {dtype: product(config, dtype) for dtype in dtypes if dtype in PRODUCT_DTYPES}
    results = []
    for work in works:
        say(f"{name}: {work.name}, {len(work.texts)} texts")
        jobs: dict[str, Callable[[], Any]] = {
            contender.name: lambda c=contender, w=work: _score(c, w)
            for contender in peers.contenders
        }
        jobs |= {_limit(dtype): found.run for dtype, found in products.items()}
        timings, scores = interleaved(jobs, repeats, say)
        limits = {
            dtype: found.flops / timings[_limit(dtype)].median / 1e9
            for dtype, found in products.items()
        }
        results.append(_workload_result(work, config, peers.contenders, timings, scores, limits))
    return ModelResult(
        name,
        _parameters(folder),
        results,
        {dtype: found.tokens for dtype, found in products.items()},
        peers.left_out,
    )


def starter_agreement(folder: Path, dtypes: list[str]) -> list[Agreement]:
    """How a lower precision changes the best labels of a trained model."""
    work, truth = labelled_messages()
    best = {}
    scores = {}
    for dtype in ["float32", *(x for x in dtypes if x != "float32")]:
        scores[dtype] = engine(folder, dtype).score(work)
        best[dtype] = np.array(work.labels)[scores[dtype].argmax(axis=1)]
    return [
        Agreement(
            dtype,
            len(truth),
            float((best[dtype] == best["float32"]).mean()),
            float(np.abs(scores[dtype] - scores["float32"]).max()),
            float((best[dtype] == np.array(truth)).mean()),
            float((best["float32"] == np.array(truth)).mean()),
        )
        for dtype in best
        if dtype != "float32"
    ]


def _limit(dtype: str) -> str:
    return f"matrix products {dtype}"


def _score(contender: Contender, work: Workload) -> Scores:
    if contender.seen is not None:
        contender.seen.shapes.clear()
        contender.seen.lengths.clear()
    return contender.score(work)


def _workload_result(
    work: Workload,
    config: Any,
    contenders: list[Contender],
    timings: dict[str, Timing],
    scores: dict[str, Scores],
    limits: dict[str, float],
) -> WorkloadResult:
    reference = scores[contenders[0].name]
    rows = []
    lengths: list[int] = []
    for contender in contenders:
        timing, found = timings[contender.name], scores[contender.name]
        flops: dict[str, float | None] = {}
        if contender.seen is not None:
            lengths = contender.seen.lengths
            padded = [length for count, length in contender.seen.shapes for _ in range(count)]
            flops = {
                "gflops": encoder_flops(config, lengths) / timing.median / 1e9,
                "padded_gflops": encoder_flops(config, padded) / timing.median / 1e9,
                "limit_gflops": limits.get(contender.name.split()[-1]),
            }
        rows.append(
            Row(
                contender.name,
                timing,
                len(work.texts) / timing.median,
                float(np.abs(found - reference).max()),
                float((found.argmax(axis=1) == reference.argmax(axis=1)).mean()),
                contender.exact,
                **flops,
            )
        )
    tokens = float(np.mean(lengths)) if lengths else float("nan")
    return WorkloadResult(work.name, len(work.texts), len(work.labels), tokens, rows)


def _parameters(folder: Path) -> int:
    from safetensors import safe_open

    total = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "np") as weights:
            names = list(weights.keys())
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
    return total
