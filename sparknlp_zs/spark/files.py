"""Files in and out for the command line, with a local Spark: memory stays flat."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparknlp_zs.csv_rows import count_csv_rows
from sparknlp_zs.engine.prepared import link_or_copy
from sparknlp_zs.files import EngineError, check_columns, check_names, file_format, replaced
from sparknlp_zs.json_rows import is_array
from sparknlp_zs.spark.csv_copy import copy_csv
from sparknlp_zs.spark.functions import classify
from sparknlp_zs.spark.json_types import kept_columns
from sparknlp_zs.spark.names import quoted
from sparknlp_zs.spark.session import is_local
from sparknlp_zs.tasks import ZeroShot

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Fields may hold doubled quotes; blanks around a field belong to it.
_CSV: dict[str, Any] = {
    "escape": '"',
    "ignoreLeadingWhiteSpace": False,
    "ignoreTrailingWhiteSpace": False,
}

# Spark's own formats cut times to milliseconds.
_TIMES: dict[str, Any] = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS][XXX]",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]",
}


def classify_file(
    source: Path,
    target: Path,
    text: str,
    task: ZeroShot,
    names: tuple[str, str],
    *,
    model: str | None = None,
    progress: bool = True,
) -> int:
    """Write ``source`` with two more columns as ``target``, row for row; the number of rows.

    Spark writes part files in row order, which are joined to one file.
    """
    from pyspark.errors import AnalysisException, PySparkException

    with tempfile.TemporaryDirectory(dir=target.resolve().parent) as folder:
        scratch = Path(folder)
        given = _given(source, scratch)
        if given.header is not None:  # before Spark starts
            check_columns(given.header, text, names)
            check_names(given.header, target)
        spark = _session(progress)
        try:
            with _plainly_named(spark, given.path) as named, _settings(spark):
                frame = _read(spark, named, given)
                known = _in_place(frame.columns, given.order)
                titles = given.header or known
                if len(set(titles)) == len(titles):  # else a csv file will have them
                    frame, known = frame.select(*map(quoted, known)).toDF(*titles), titles
                check_columns(titles, text, names)
                scored = _scored(spark, frame, known, known[titles.index(text)], task, names, model)
                _write(scored, scratch / "parts", file_format(target))
        except AnalysisException as error:
            raise ValueError(
                f"file {str(source)!r}: {_in_short(error)}; or use --engine pandas"
            ) from error
        except PySparkException as error:
            raise EngineError(f"file {str(source)!r}: {_in_short(error)}") from error
        with replaced(target) as file:
            parts = _parts(scratch / "parts")
            rows = _JOINERS[file_format(target)](parts, file, [*titles, *names])
            if given.rows not in (None, rows):
                raise EngineError(f"file {str(source)!r}: Spark wrote {rows} of {given.rows} rows")
        return rows


@dataclass(frozen=True)
class _Given:
    """What Spark reads: of a csv file, a copy.

    ``header`` are a csv file's names, where Spark's columns have others; ``order`` is that of the
    columns, where Spark's is another; ``rows`` are counted where that costs nothing.
    """

    path: Path
    header: list[str] | None = None
    order: list[str] = field(default_factory=list)
    rows: int | None = None


def _given(source: Path, scratch: Path) -> _Given:
    """Checked before Spark starts, which makes nulls of lines that are no objects."""
    kind = file_format(source)
    if kind == "json":
        return _Given(source, order=kept_columns(source))
    if kind == "parquet":
        return _Given(source)
    copy = scratch / "in.parquet"
    header, rows = copy_csv(source, copy)
    return _Given(copy, header=header, rows=rows)


def _in_short(error: Exception) -> str:
    """What an error of Spark's says: in its first line, or at the end of a worker's traceback."""
    lines = str(error).strip().splitlines()
    return lines[-1 if any(line.startswith("Traceback") for line in lines) else 0].strip()


def _scored(
    spark: SparkSession,
    frame: DataFrame,
    known: Sequence[str],
    text: str,
    task: ZeroShot,
    names: tuple[str, str],
    model: str | None,
) -> DataFrame:
    """The columns in that order, with label and score."""
    kind = frame.schema[text].dataType.typeName()
    if kind not in ("string", "varchar", "char", "void"):
        raise TypeError(f"--text {text!r}: the column is not text but {kind}; convert it first")
    columns = [quoted(name) for name in known]
    column = classify(quoted(text), task, model=model)
    result = _free("_zs", known)
    scored = _in_order(spark, frame).select(*columns, column.alias(result))
    return scored.select(
        *columns,
        scored[result]["label"].alias(names[0]),
        scored[result]["score"].alias(names[1]),
    )


def _free(name: str, taken: Sequence[str]) -> str:
    """A name that no column has, by underscores after it."""
    while name in taken:
        name += "_"
    return name


@contextlib.contextmanager
def _plainly_named(spark: SparkSession, path: Path) -> Iterator[str]:
    """What Spark is to read: it takes names for patterns and URIs, and hides some files."""
    if not is_local(spark):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / f"in{path.suffix}"
        link_or_copy(path.resolve(), plain)
        yield plain.as_uri()


@contextlib.contextmanager
def _settings(spark: SparkSession) -> Iterator[None]:
    """Times keep their zone and range, and names that differ in case are two."""
    wanted = {
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.caseSensitive": "true",
    }
    before = {name: spark.conf.get(name) for name in wanted}
    try:
        for name, value in wanted.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            if value is not None:
                spark.conf.set(name, value)


def _session(progress: bool) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    builder = (
        SparkSession.builder.appName("sparknlp-zs")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", str(progress).lower())
    )
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise EngineError(
            f"--engine spark: Spark does not start ({_in_short(error)}); it needs Java 17, found "
            "by JAVA_HOME or PATH, or use --engine pandas"
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def _read(spark: SparkSession, named: str, given: _Given) -> DataFrame:
    """The file, which Spark knows as ``named``."""
    if file_format(given.path) == "parquet":
        return spark.read.parquet(named)
    # Spark empties a column of the name that it gives to what it cannot parse.
    corrupt = _free("_corrupt_record", given.order)
    return spark.read.json(named, multiLine=is_array(given.path), columnNameOfCorruptRecord=corrupt)


def _in_place(columns: Sequence[str], order: Sequence[str]) -> list[str]:
    """The columns in an order that may have others too; Spark sorts those of json.

    Examples
    --------
    >>> _in_place(["a", "b", "new"], ["b", "gone", "a"])
    ['b', 'a', 'new']
    """
    place = {name: at for at, name in enumerate(order)}
    return sorted(columns, key=lambda name: place.get(name, len(place)))


def _in_order(spark: SparkSession, frame: DataFrame) -> DataFrame:
    """Rows spread over all cores (a csv file is one partition), partitions in row order."""
    from pyspark.sql import functions as F

    parts = 2 * (os.cpu_count() or 1)
    row = _free("_zs_row", frame.columns)
    numbered = frame.withColumn(row, F.monotonically_increasing_id())
    return numbered.repartitionByRange(parts, row).sortWithinPartitions(row)


def _write(frame: DataFrame, folder: Path, kind: str) -> None:
    if kind == "csv":
        frame.write.options(header=False, emptyValue="", **_CSV, **_TIMES).csv(str(folder))
    elif kind == "json":
        frame.write.options(ignoreNullFields=False, **_TIMES).json(str(folder))
    else:
        frame.write.parquet(str(folder))


def _parts(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob("part-*")))


def _join_csv(parts: Iterator[Path], target: Path, columns: list[str]) -> int:
    with target.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerow(columns)
        for part in parts:
            with part.open(encoding="utf-8", newline="") as file:
                shutil.copyfileobj(file, out)
    return count_csv_rows(target)


def _join_json(parts: Iterator[Path], target: Path, columns: list[str]) -> int:
    rows = 0
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                for line in file:
                    out.write(line)
                    rows += 1
    return rows


def _join_parquet(parts: Iterator[Path], target: Path, columns: list[str]) -> int:
    import pyarrow.parquet as pq

    rows = 0
    first = next(parts)
    with pq.ParquetWriter(target, pq.read_schema(first)) as writer:
        for part in [first, *parts]:
            for batch in pq.ParquetFile(part).iter_batches():
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows


_JOINERS = {"csv": _join_csv, "json": _join_json, "parquet": _join_parquet}
