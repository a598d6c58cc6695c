"""The README's Python examples run, and print what the README says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from printed import assert_same_output

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n?```text\n(.*?)```)?", re.DOTALL)


def test_examples(classic):
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    assert sum(bool(expected) for _, expected in blocks) >= 3
    namespace: dict[str, object] = {"spark": classic}
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "README.md", "exec"), namespace)
        if expected:
            assert_same_output(printed.getvalue(), expected)
