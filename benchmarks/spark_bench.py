"""The contenders in Spark, each in a process and session of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.data import Workload
from benchmarks.spark_job import MARK, Job, JobResult

PEER_SHARE = 4  # peers, which are slow, take one in so many of the rows
# So many times the rows, for jobs of like length: a job's start would weigh more in a fast one.
FASTER = {"bfloat16": 4}
TIMEOUT_S = 3600
IMPORTS = "imports alone, no model"

_OWN = ("zs", "process", "imports")  # kinds that are no peer's
_NAMES = {
    "imports": IMPORTS,
    "pipeline": "transformers pipeline in a pandas UDF, batch {}",
    "predict": "predict_batch_udf, pipeline batch {}",
    "zs": "zs.classify {}",
    "process": "in process {}",
}


@dataclass(frozen=True)
class SparkRow:
    """One contender with some number of workers."""

    name: str
    cores: int
    rows: int
    result: JobResult
    agreement: float | None  # share of texts with the label of the engine in float32

    @property
    def rows_per_s(self) -> float:
        return self.rows / statistics.median(self.result.seconds)


@dataclass(frozen=True)
class SparkResult:
    """All contenders in Spark."""

    work: str
    weights_mb: dict[str, float]
    rows: list[SparkRow]
    failed: dict[str, str] = field(default_factory=dict)

    def find(self, name: str, cores: int) -> SparkRow | None:
        """The row of a contender, if it ran."""
        return next((x for x in self.rows if (x.name, x.cores) == (name, cores)), None)


def measure_spark(
    folder: Path,
    work: Workload,
    dtypes: list[str],
    cores: list[int],
    repeats: int,
    quick: bool,
    say: Callable[[str], None],
) -> SparkResult:
    """Run every contender with each number of workers."""
    kinds = [("process", dtype) for dtype in dtypes] + [("zs", dtype) for dtype in dtypes]
    kinds += [("pipeline", "1")]
    if not quick:
        kinds += [("pipeline", "16"), ("predict", "16"), ("imports", "")]
    result = SparkResult(work.name, _weights(folder, dtypes), [])
    best: dict[str, str] = {}
    for count in cores:
        for kind, setting in kinds:
            own = kind in _OWN
            texts = _texts(work, kind, setting, count / max(cores))
            job = Job(kind, count, setting, str(folder), texts, list(work.labels), repeats)
            name = _NAMES[kind].format(setting)
            say(f"Spark, {count} workers: {name}, {len(texts)} rows")
            try:
                found = _in_subprocess(job)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                if own:
                    raise
                result.failed[f"{name}, {count} workers"] = f"failed ({type(error).__name__})"
                say(f"  failed: {error}")
                continue
            labels = [label for label, _ in found.best]
            if kind == "process" and setting == "float32":
                best |= dict(zip(texts, labels, strict=True))
            pairs = zip(texts, labels, strict=True)
            same = [best[text] == label for text, label in pairs if text in best]
            agreement = sum(same) / len(same) if same and kind != "imports" else None
            row = SparkRow(name, count, len(texts), found, agreement)
            result.rows.append(row)
            say(f"  {row.rows_per_s:.2f} rows/s, first row after {found.first_row_s:.1f} s")
    return result


def _texts(work: Workload, kind: str, setting: str, share: float) -> list[str]:
    """A contender's rows: what scores twice as fast, or with two workers, takes twice as many."""
    rows = round(len(work.texts) / max(FASTER.values()) * FASTER.get(setting, 1) * share)
    return list(work.texts[: rows : 1 if kind in _OWN else PEER_SHARE])


def _in_subprocess(job: Job) -> JobResult:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.spark_job"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=_environment(job),
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise RuntimeError(done.stderr[-3000:] or f"exit code {done.returncode}")
    return JobResult(**json.loads(lines[0].removeprefix(MARK)))


def _environment(job: Job) -> dict[str, str]:
    """This process's, but for its own number of threads, which workers must not inherit."""
    names = ("RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    found = {name: value for name, value in os.environ.items() if name not in names}
    if job.kind == "process":
        found["RAYON_NUM_THREADS"] = str(job.cores)
    # The workers import this package.
    root = str(Path(__file__).parent.parent)
    found["PYTHONPATH"] = os.pathsep.join(filter(None, [root, found.get("PYTHONPATH")]))
    found["PYSPARK_PYTHON"] = sys.executable
    return found


def _weights(folder: Path, dtypes: list[str]) -> dict[str, float]:
    from sparknlp_zs.engine.prepared import WEIGHTS, prepared_folder

    return {x: (prepared_folder(folder, x) / WEIGHTS).stat().st_size / 2**20 for x in dtypes}
