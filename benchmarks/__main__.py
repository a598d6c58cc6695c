"""Measure the engine beside its peers and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

PARTS = ("process", "spark", "memory")
DOCS = Path(__file__).parent.parent / "docs"


def _arguments() -> argparse.Namespace:
    from benchmarks.models import DEBERTA, STARTER

    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="few texts and contenders: under 3 minutes")
    add(
        "--model",
        nargs="+",
        default=[DEBERTA],
        help=f"{DEBERTA} (random weights), {STARTER} or folders; Spark runs the first",
    )
    add("--data", type=Path, help="folder with zeroshot_banking77 and zeroshot_imdb_cad .parquet")
    add("--texts", type=int, help="texts with 10 labels; other workloads are half the work")
    add("--repeats", type=int, help="rounds that count, after one that warms up")
    add("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    add("--dtypes", nargs="+", default=["float32", "bfloat16"], help="of this package's engine")
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    add("--spark-rows", type=int, help="rows in float32 in Spark; peers take a quarter")
    add("--spark-cores", type=int, nargs="+", help="numbers of workers; default 1 2")
    add("--spark-repeats", type=int, help="steady jobs per contender")
    add("--memory-rows", type=int, nargs="+", help="default 10000 100000")
    add("--million", action="store_true", help="memory over a million rows, too")
    add("--output", type=Path, default=DOCS, help="folder of the report and the plot")
    add("--json", type=Path, help="also write the raw figures to this file")
    chosen = parser.parse_args()
    quick = chosen.quick
    chosen.texts = chosen.texts or (6 if quick else 40)
    chosen.repeats = chosen.repeats or (1 if quick else 3)
    chosen.spark_rows = chosen.spark_rows or (24 if quick else 120)
    chosen.spark_cores = chosen.spark_cores or ([2] if quick else [1, 2])
    chosen.spark_repeats = chosen.spark_repeats or (1 if quick else 3)
    chosen.memory_rows = chosen.memory_rows or ([10_000] if quick else [10_000, 100_000])
    if chosen.million:
        chosen.memory_rows.append(1_000_000)
    return chosen


def main() -> int:
    """Run, print and write; 1 if float32 scores are not the pipeline's."""
    chosen = _arguments()
    _environment(chosen.threads)
    from benchmarks import inprocess, machine, memory, report, spark_bench
    from benchmarks.data import short_texts, workloads
    from benchmarks.models import STARTER, cache_folder, model_path
    from benchmarks.plot import draw

    os.environ.setdefault("SPARKNLP_ZS_CACHE", str(cache_folder() / "prepared"))
    results = report.Results(machine.describe(chosen.threads), chosen.quick)
    start = time.perf_counter()

    def keep() -> str:
        """Write what is known by now: a later part may fail, after an hour."""
        results.machine["minutes"] = f"{(time.perf_counter() - start) / 60:.1f}"
        if results.models:
            draw(results.models, chosen.output)
        if chosen.json:
            chosen.json.write_text(json.dumps(asdict(results), indent=1), encoding="utf-8")
        return report.write(results, chosen.output)

    models = {Path(name).name: model_path(name) for name in chosen.model}
    if "process" in chosen.parts:
        works = workloads(chosen.data, chosen.texts, chosen.quick)
        for name, folder in models.items():
            results.models.append(
                inprocess.measure_model(
                    name,
                    folder,
                    works,
                    chosen.threads,
                    chosen.repeats,
                    chosen.dtypes,
                    chosen.quick,
                    _say,
                )
            )
            keep()
        _say("starter: agreement of lower precision")
        results.agreements = inprocess.starter_agreement(model_path(STARTER), chosen.dtypes)
    if "memory" in chosen.parts:
        _say(f"memory over {chosen.memory_rows} rows")
        results.memory = memory.measure_memory(chosen.memory_rows, chosen.threads)
        keep()
    if "spark" in chosen.parts:
        results.spark = spark_bench.measure_spark(
            next(iter(models.values())),
            short_texts(chosen.data, chosen.spark_rows * max(spark_bench.FASTER.values())),
            chosen.dtypes[:1] if chosen.quick else chosen.dtypes,
            chosen.spark_cores,
            chosen.spark_repeats,
            chosen.quick,
            _say,
        )
    print(keep())
    return 0 if _agree(results) else 1


def _environment(threads: int) -> None:
    """Before torch is imported: threads for all runtimes, no hub, no bars."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"


def _agree(results: object) -> bool:
    from benchmarks.inprocess import TOLERANCE

    rows = [row for model in results.models for work in model.workloads for row in work.rows]
    wrong = [row.name for row in rows if row.exact and row.difference > TOLERANCE]
    if wrong:
        print(f"float32 scores differ by more than {TOLERANCE}: {wrong}", file=sys.stderr)
    return not wrong


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
