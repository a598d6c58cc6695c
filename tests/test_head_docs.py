"""The page on task heads runs, and prints what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from printed import assert_same_output

PAGE = Path(__file__).parent.parent / "docs" / "tasksource-heads.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n?```text\n(.*?)```)?", re.DOTALL)


def test_examples():
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert sum(bool(expected) for _, expected in blocks) == 3
    namespace: dict[str, object] = {}
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), namespace)
        if expected:
            assert_same_output(printed.getvalue(), expected)
