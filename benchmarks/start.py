"""From a new process to its first result: ``python -m benchmarks.start``.

Contenders take turns, each time in a process of its own, and score the same text. Memory is what
the process holds then: PSS, of which the private part is its own whatever other processes map.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import interleaved

TEXT = "I have been charged twice for the same transfer, what can I do?"
LABELS = ["card payment", "cash withdrawal"]
TOLERANCE = 1e-5

_OURS = """
import pandas as pd
import sparknlp_zs
found = pd.Series([text]).zsc.classify(labels, model=folder)
best = [found["label"][0], float(found["score"][0])]
"""
_PIPELINE = """
import torch
from transformers import pipeline
model = pipeline("zero-shot-classification", model=folder, dtype=torch.float32, device="cpu")
found = model(text, labels)
best = [found["labels"][0], found["scores"][0]]
"""
_FLOOR = """
import pandas
import torch
best = None
"""
_CODE = """
import json, os, sys
from benchmarks.machine import memory_of
folder, text, labels = json.loads(sys.argv[1])
{}
used = memory_of(os.getpid())
print(json.dumps([best, used["Pss"], used["Private_Clean"] + used["Private_Dirty"]]))
"""
_FIRST = "sparknlp_zs, the first time on a machine"
_CONTENDERS = {
    "transformers pipeline": _PIPELINE,
    _FIRST: _OURS,
    "sparknlp_zs": _OURS,
    "imports of pandas and torch alone": _FLOOR,
}


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser("python -m benchmarks.start", description=__doc__)
    parser.add_argument("--model", nargs="+", default=["deberta-base-size", "starter"])
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    from benchmarks.models import model_path

    for name in chosen.model:
        _measure(name, str(model_path(name)), chosen.repeats)


def _measure(name: str, folder: str, repeats: int) -> None:
    results: dict[str, list[Any]] = {contender: [] for contender in _CONTENDERS}
    with tempfile.TemporaryDirectory() as cache:
        jobs = {x: partial(_run, x, folder, Path(cache), results[x]) for x in _CONTENDERS}
        timings, _ = interleaved(jobs, repeats)
    expected = results["transformers pipeline"][0][0]
    for contender, found in results.items():
        for best, _, _ in found:
            if best is not None and (
                best[0] != expected[0] or abs(best[1] - expected[1]) > TOLERANCE
            ):
                raise SystemExit(f"{contender}: {best}, but the pipeline gives {expected}")
    print(f"\n{name}:\n\n| | seconds | PSS, MB | private, MB |\n|---|---:|---:|---:|")
    for contender, timing in timings.items():
        memory = [statistics.median(x[at] for x in results[contender]) for at in (1, 2)]
        print(f"| {contender} | {timing.median:.1f} | {memory[0]:.0f} | {memory[1]:.0f} |")


def _run(contender: str, folder: str, cache: Path, results: list[Any]) -> None:
    place = tempfile.mkdtemp(dir=cache) if contender == _FIRST else str(cache / "kept")
    given = json.dumps([folder, TEXT, LABELS])
    done = subprocess.run(
        [sys.executable, "-c", _CODE.format(_CONTENDERS[contender]), given],
        capture_output=True,
        text=True,
        env={**os.environ, "SPARKNLP_ZS_CACHE": place, "HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    results.append(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
