"""Run the Python examples of pages again and store what they print: ``make outputs``."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n?```text\n.*?```\n)?", re.DOTALL)


def stored(page: Path, session: object) -> str:
    """The page, with the outputs that its examples print now."""
    namespace: dict[str, object] = {"spark": session}

    def run(block: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block[1], str(page), "exec"), namespace)
        output = printed.getvalue().rstrip("\n")
        code = f"```python\n{block[1]}```\n"
        return f"{code}\n```text\n{output}\n```\n" if output else code

    return BLOCK.sub(run, page.read_text(encoding="utf-8"))


def main(pages: list[str]) -> None:
    """Store the outputs of every page."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        for page in pages:
            Path(page).write_text(stored(Path(page), session), encoding="utf-8")
    finally:
        session.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
