"""The tables of a run, as markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.inprocess import TOLERANCE, Agreement, ModelResult, Row, WorkloadResult
from benchmarks.memory import MemoryRow
from benchmarks.models import DEBERTA
from benchmarks.spark_bench import SparkResult, SparkRow
from benchmarks.targets import all_targets, second_worker_mb

FILE = "benchmarks.md"
PLOT = "benchmarks.png"

_INTRO = """# Benchmarks

Written whole by `python -m benchmarks`: change the program, not this file. Figures hold for this
machine and this run; compare contenders within a table only.
"""

_HOW = f"""Every contender has the same weights, texts, labels and number of threads. Contenders
take turns, round by round; figures are medians of the rounds after the first, which warms up and
gives the scores that are compared. "Scores differ" is the largest difference to the pipeline at
batch 1, "same label" the share of texts with its best label. float32 must agree within
{TOLERANCE:.0e}. Slowest over fastest round shows how steady the machine was.
"""

_PRODUCTS = """The limit is what plain matrix products of the model's shapes reach, each layer with
its own weights, at the number of rows that is fastest here. A rate counts the products that the
logits need: the last layer for the first token alone, no embeddings, norms or activations.
"""

_SPARK = """Each line is a session and a process of its own. The first row counts from the call that
builds the column to the result of one row per worker: starting workers, importing, loading,
scoring. Rows per second are those of later jobs, without loading. Peers score every fourth text.
PSS, read when the jobs are done, splits shared pages between the processes that share them.
"In process" is the engine without Spark, with as many threads as there are workers.
"""


@dataclass
class Results:
    """All that a run measured."""

    machine: dict[str, str]
    quick: bool
    models: list[ModelResult] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    spark: SparkResult | None = None
    memory: list[MemoryRow] = field(default_factory=list)


def write(results: Results, folder: Path) -> str:
    """Write the report and return it."""
    text = "\n".join(_parts(results))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(text, encoding="utf-8")
    return text


def _parts(results: Results) -> Iterable[str]:
    yield _INTRO
    if results.quick:
        yield "**A quick run: few texts and rounds, for a first look only.**\n"
    yield _table(["run", ""], [[name, value] for name, value in results.machine.items()])
    if results.models:
        yield f"![Speed of the contenders]({PLOT})\n"
    targets = all_targets(results.models, results.agreements, results.spark)
    if targets:
        yield "## Targets\n"
        rows = [[x.name, x.wanted, x.measured, "yes" if x.met else "**no**"] for x in targets]
        yield _table(["target", "wanted", "measured", "met"], rows)
    if results.models:
        yield "## In one process\n"
        yield _HOW
    for model in results.models:
        yield from _model(model)
    if results.agreements:
        yield from _agreement(results.agreements)
    if results.spark is not None:
        yield from _spark(results.spark)
    if results.memory:
        yield from _memory(results.memory)


def _model(model: ModelResult) -> Iterable[str]:
    weights = "random weights" if model.model == DEBERTA else "its own weights"
    yield f"### {model.model}, {model.parameters / 1e6:.0f} M parameters, {weights}\n"
    for work in model.workloads:
        pairs = f"{work.texts} texts, {work.tokens_per_pair:.0f} tokens per pair"
        yield f"#### {work.name} ({pairs})\n"
        yield _speeds(work)
    rows = [
        [work.name, *_product(row)]
        for work in model.workloads
        for row in work.rows
        if row.gflops is not None and row.limit_gflops
    ]
    if rows:
        yield f"#### {model.model}: beside plain matrix products\n"
        yield _PRODUCTS
        shapes = ", ".join(f"{count} for {name}" for name, count in model.product_tokens.items())
        yield f"Rows of the products: {shapes}.\n"
        yield _table(
            ["workload", "engine", "GFLOP/s", "with padding", "limit", "share", "with padding"],
            rows,
        )
    if model.left_out:
        yield "Left out:\n"
        yield "".join(f"- {name}: {why}\n" for name, why in model.left_out.items())


def _speeds(work: WorkloadResult) -> str:
    best, default = work.best_pipeline.texts_per_s, work.pipelines[0].texts_per_s
    rows = [
        [
            row.name,
            f"{row.texts_per_s:.2f}",
            f"{row.texts_per_s / best:.2f}",
            f"{row.texts_per_s / default:.2f}",
            _difference(row),
            f"{row.agreement:.1%}",
            f"{row.timing.first:.2f}",
            f"{row.timing.median:.2f}",
            f"{row.timing.spread:.2f}",
        ]
        for row in work.rows
    ]
    return _table(
        [
            "contender",
            "texts/s",
            "times best pipeline",
            "times batch 1",
            "scores differ",
            "same label",
            "first s",
            "median s",
            "slowest/fastest",
        ],
        rows,
    )


def _difference(row: Row) -> str:
    bad = row.exact and row.difference > TOLERANCE
    return f"**{row.difference:.1e}**" if bad else f"{row.difference:.1e}"


def _product(row: Row) -> list[str]:
    limit, padded = row.limit_gflops or float("nan"), row.padded_gflops or float("nan")
    plain = row.gflops or float("nan")
    rates = [f"{rate:.0f}" for rate in (plain, padded, limit)]
    return [row.name, *rates, f"{plain / limit:.0%}", f"{padded / limit:.0%}"]


def _agreement(agreements: list[Agreement]) -> Iterable[str]:
    yield "### Lower precision on a trained model\n"
    yield (
        "The starter on the bundled messages: best labels and scores beside float32, and how many "
        "best labels are the true ones.\n"
    )
    yield _table(
        ["dtype", "texts", "same label", "scores differ", "accuracy", "accuracy in float32"],
        [
            [
                x.dtype,
                str(x.texts),
                f"{x.agreement:.1%}",
                f"{x.difference:.1e}",
                f"{x.accuracy:.1%}",
                f"{x.accuracy_float32:.1%}",
            ]
            for x in agreements
        ],
    )


def _spark(result: SparkResult) -> Iterable[str]:
    yield f"## In Spark ({result.work})\n"
    yield _SPARK
    header = ["contender", "workers", "rows", "rows/s", "of in process", "first row s"]
    header += ["PSS MB", "private MB", "threads each", "same label"]
    yield _table(header, [_spark_row(result, row) for row in result.rows])
    rows = []
    for dtype, weights in result.weights_mb.items():
        if (added := second_worker_mb(result, dtype)) is not None:
            rows.append([dtype, f"{weights:.0f}", f"{added:.0f}", f"{added / weights:.0%}"])
    if rows:
        yield "What a second worker adds, beyond what one adds that only imports:\n"
        yield _table(["dtype", "weights MB", "added PSS MB", "of the weights"], rows)
    if result.failed:
        yield "Left out:\n"
        yield "".join(f"- {name}: {why}\n" for name, why in result.failed.items())


def _spark_row(result: SparkResult, row: SparkRow) -> list[str]:
    alone = result.find(f"in process {row.name.split()[-1]}", row.cores)
    share = row.rows_per_s / alone.rows_per_s if alone and alone is not row else None
    found, loaded = row.result, sorted(row.result.pss_mb)[-row.cores :]
    return [
        row.name,
        "-" if row.name.startswith("in process") else str(row.cores),
        str(row.rows),
        f"{row.rows_per_s:.2f}" if row.agreement is not None else "-",
        "-" if share is None else f"{share:.0%}",
        f"{found.first_row_s:.1f}",
        " + ".join(f"{value:.0f}" for value in loaded),
        f"{statistics.mean(sorted(found.private_mb)[-row.cores :]):.0f}",
        "/".join(sorted(set(found.threads))) or "-",
        "-" if row.agreement is None else f"{row.agreement:.1%}",
    ]


def _memory(rows: list[MemoryRow]) -> Iterable[str]:
    yield "## Memory over a long column\n"
    yield (
        "Distinct short messages through `score_stream` in batches of 10,000, with two labels and "
        "a tiny model, so that what grows would be the engine's own. Resident memory of the "
        "process when so many rows have been scored.\n"
    )
    yield _table(
        ["rows", "resident MB", "peak so far MB", "seconds"],
        [[f"{x.rows:,}", f"{x.rss_mb:.0f}", f"{x.peak_mb:.0f}", f"{x.seconds:.0f}"] for x in rows],
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
