"""A csv file as parquet: Spark's reader takes a break within quotes for that between rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sparknlp_zs.csv_rows import csv_rows

_ROWS, _CHARACTERS = 10_000, 1 << 24  # of a block, whatever is reached first

_Row = list[str | None]


def copy_csv(source: Path, target: Path) -> tuple[list[str], int]:
    """Write the rows of a csv file as parquet; its header, and the number of rows.

    All columns are strings, named by their number from 0: names may be missing or come twice.
    Memory stays flat. A file without a header is not written.

    Raises
    ------
    ValueError
        As ``csv_rows``.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("id,text\\n1,a\\n2\\n")
    >>> copy_csv(folder / "a.csv", folder / "a.parquet")
    (['id', 'text'], 2)
    >>> pq.read_table(folder / "a.parquet").to_pylist()
    [{'0': '1', '1': 'a'}, {'0': '2', '1': None}]
    """
    rows = csv_rows(source)
    header = [str(name) for name in next(rows, [])]
    if not header:
        return header, 0
    schema = pa.schema([(str(at), pa.string()) for at in range(len(header))])
    count = 0
    with pq.ParquetWriter(target, schema) as writer:
        for block in _blocks(rows):
            columns = [pa.array(column, pa.string()) for column in zip(*block, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(block)
    return header, count


def _blocks(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    block: list[_Row] = []
    size = 0
    for row in rows:
        block.append(row)
        size += sum(len(field) for field in row if field)
        if len(block) == _ROWS or size >= _CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block
