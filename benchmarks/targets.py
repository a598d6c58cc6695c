"""The project's targets beside what a run measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.inprocess import TOLERANCE, Agreement, ModelResult, Row, WorkloadResult
from benchmarks.models import DEBERTA
from benchmarks.peers import ENGINE
from benchmarks.spark_bench import IMPORTS, SparkResult, SparkRow


@dataclass(frozen=True)
class Target:
    """One target and what was measured."""

    name: str
    wanted: str
    measured: str
    met: bool


def all_targets(
    models: list[ModelResult], agreements: list[Agreement], spark: SparkResult | None
) -> list[Target]:
    """Every target that the run has figures for."""
    found: list[Target] = []
    works = [x for model in models if model.model == DEBERTA for x in model.workloads]
    short = next((work for work in works if work.labels == 10), None)
    if short is not None:
        found += _in_process(short)
    for model in models:
        for work in model.workloads:
            found += _scores(model.model, work)
    for x in agreements:
        if x.dtype == "bfloat16":
            found.append(_least("bfloat16: best label as in float32, starter", x.agreement, 0.99))
    if spark is not None:
        found += _spark(spark)
    return found


def _in_process(work: WorkloadResult) -> Iterator[Target]:
    best, default = work.best_pipeline, work.pipelines[0]
    wanted = {"float32": (2.5, 0.8), "bfloat16": (10.0, 0.5)}
    for dtype, (ratio, share) in wanted.items():
        row = _engine(work, dtype)
        if row is None:
            continue
        speed = row.texts_per_s / best.texts_per_s
        yield _least(f"{dtype}: times the pipeline at its best batch size", speed, ratio)
        if dtype == "float32":
            speed = row.texts_per_s / default.texts_per_s
            yield _least("float32: times the pipeline at batch 1", speed, 9.0)
        if row.padded_gflops and row.limit_gflops:
            name = f"{dtype}: share of the plain products' rate, padding counted"
            yield _least(name, row.padded_gflops / row.limit_gflops, share)
    yield from _against_runtimes(work)


def _against_runtimes(work: WorkloadResult) -> Iterator[Target]:
    """Equal accuracy: float32 against float32, bfloat16 against bfloat16 and int8."""
    for dtype, exact in (("float32", True), ("bfloat16", False)):
        others = [x for x in work.rows if x.name.startswith(("ONNX", "OpenVINO"))]
        rivals = [x for x in others if x.exact == exact]
        row = _engine(work, dtype)
        if row is not None and rivals:
            rival = max(rivals, key=lambda x: x.texts_per_s)
            speed = row.texts_per_s / rival.texts_per_s
            yield _least(f"{dtype}: times the best exported model ({rival.name})", speed, 1.0)


def _scores(model: str, work: WorkloadResult) -> Iterator[Target]:
    row = _engine(work, "float32")
    if row is not None:
        name = f"float32: scores as the pipeline's, {model}, {work.name}"
        met = row.difference <= TOLERANCE
        yield Target(name, f"≤ {TOLERANCE:.0e}", f"{row.difference:.1e}", met)


def _spark(result: SparkResult) -> Iterator[Target]:
    for dtype in result.weights_mb:
        two = result.find(f"zs.classify {dtype}", 2)
        alone = result.find(f"in process {dtype}", 2)
        if two is None or alone is None:
            continue
        share = two.rows_per_s / alone.rows_per_s
        yield _least(f"Spark, 2 workers, {dtype}: share of the in-process rate", share, 0.9)
        if (memory := second_worker_mb(result, dtype)) is not None:
            share = memory / result.weights_mb[dtype]
            name = f"Spark, {dtype}: PSS that the second worker adds beyond imports, of the weights"
            yield Target(name, "≤ 0.15", f"{share:.2f}", share <= 0.15)
    own = result.find("zs.classify float32", 2)
    udfs = [x for x in result.rows if x.cores == 2 and "pandas UDF" in x.name]
    if own is not None:
        for row in udfs:
            wanted = 3.0
            speed = own.rows_per_s / row.rows_per_s
            yield _least(f"Spark, 2 workers, float32: times {row.name}", speed, wanted)


def second_worker_mb(result: SparkResult, dtype: str) -> float | None:
    """What a second worker adds in PSS, less what one without a model adds."""

    def added(name: str) -> float | None:
        one, two = result.find(name, 1), result.find(name, 2)
        return None if one is None or two is None else _pss(two) - _pss(one)

    own, bare = added(f"zs.classify {dtype}"), added(IMPORTS)
    return None if own is None or bare is None else own - bare


def _pss(row: SparkRow) -> float:
    # The busiest workers: Spark may keep an idle one beside them.
    return sum(sorted(row.result.pss_mb)[-row.cores :])


def _engine(work: WorkloadResult, dtype: str) -> Row | None:
    return next((row for row in work.rows if row.name == f"{ENGINE} {dtype}"), None)


def _least(name: str, measured: float, wanted: float) -> Target:
    return Target(name, f"≥ {wanted:g}", f"{measured:.2f}", measured >= wanted)
