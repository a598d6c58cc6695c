"""``python -m benchmarks.long_text DATA_FOLDER``: long texts truncated, and scored in chunks.

Prints the table of docs/long-documents.md. The folder holds ``zeroshot_imdb_cad.parquet`` and
``zeroshot_medical_abstracts.parquet`` (text, label).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import sparknlp_zs  # noqa: F401  (registers .zsc)
from benchmarks.machine import describe
from sparknlp_zs import Chunks, ModelSpec, ZeroShot

SETS = ("imdb_cad", "medical_abstracts")
WAYS = {"truncate": "truncate", "max": Chunks(), "mean": Chunks(pool="mean")}


def rows(chosen: argparse.Namespace) -> Iterator[dict[str, object]]:
    """A row of the table for each set and ``max_length``."""
    for name in chosen.sets:
        frame = pd.read_parquet(chosen.data / f"zeroshot_{name}.parquet")
        labels = sorted(frame["label"].unique())
        frame = frame.sample(min(chosen.rows, len(frame)), random_state=0)
        for length in chosen.lengths:
            model = ModelSpec(chosen.model, dtype=chosen.dtype, max_length=length)
            row: dict[str, object] = {"set": name, "rows": len(frame), "max_length": length}
            for way, long_text in WAYS.items():
                start = time.perf_counter()
                task = ZeroShot(labels, long_text=long_text)
                found = frame["text"].zsc.annotate(label=task, model=model, progress=False)
                row[way] = f"{100 * (found['label'] == frame['label']).mean():.1f} %"
                row[f"{way}, s"] = f"{time.perf_counter() - start:.0f}"
            yield row


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_text", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--rows", type=int, default=300, help="of each set, drawn at random")
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    chosen = parser.parse_args(arguments)
    import torch

    for name, value in describe(torch.get_num_threads()).items():
        if name != "command":
            print(f"- {name}: {value}")
    print(f"- model: {chosen.model}, dtype {chosen.dtype}\n")
    for at, row in enumerate(rows(chosen)):
        if at == 0:
            print(f"| {' | '.join(row)} |\n|{'---|' * len(row)}")
        print(f"| {' | '.join(map(str, row.values()))} |", flush=True)


if __name__ == "__main__":
    main()
