"""``python -m benchmarks.fewshot FOLDER``: a few examples per label against none.

The folder holds ``zeroshot_*.parquet`` (text, label). Of each set, some examples per label are
drawn for the training; the others, or a sample of them, are the test rows. The labels, template and
test rows are the same for all models.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

import sparknlp_zs  # noqa: F401  (registers .zsc)
from sparknlp_zs.models import ModelSpec
from sparknlp_zs.training import FinetuneSettings, finetune

SETS = ("banking77", "medical_abstracts")


def few_shot(frame: pd.DataFrame, shots: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows, so many per label, and all the others; no text is in both."""
    frame = frame.drop_duplicates("text")
    chosen = frame.groupby("label").sample(shots, random_state=seed)
    return chosen, frame.drop(chosen.index)


def accuracy(
    test: pd.DataFrame, labels: list[str], model: str | Path, style: str, dtype: str
) -> float:
    """Accuracy through the public API."""
    spec = ModelSpec(str(model), dtype=dtype)
    if style == "head":
        found = test["text"].zsc.predict(spec, progress=False)
    else:
        found = test["text"].zsc.classify(labels, model=spec, progress=False)
    return float((found["label"] == test["label"]).mean())


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row per set, seed and style."""
    for name in args.sets:
        frame = pd.read_parquet(args.folder / f"zeroshot_{name}.parquet")
        labels = sorted(frame["label"].unique())
        for seed in args.seeds:
            train, test = few_shot(frame, args.shots, seed)
            if len(test) > args.max_test:
                test = test.sample(args.max_test, random_state=seed)
            common = {"set": name, "labels": len(labels), "test rows": len(test), "seed": seed}
            if "zero-shot" in args.styles:
                found = accuracy(test, labels, args.model, "entailment", args.dtype)
                yield {**common, "style": "zero-shot", "accuracy": found, "seconds": 0.0}
            for style in ("entailment", "head"):
                if style in args.styles:
                    yield {**common, **tuned(train, test, labels, style, seed, args)}


def tuned(
    train: pd.DataFrame,
    test: pd.DataFrame,
    labels: list[str],
    style: str,
    seed: int,
    args: argparse.Namespace,
) -> dict[str, Any]:
    """Accuracy after a training, and how long it took."""
    settings = FinetuneSettings(seed=seed, bf16=args.bf16, **args.set)
    with tempfile.TemporaryDirectory() as scratch:
        output = args.keep / f"{style}-{seed}" if args.keep else Path(scratch) / "model"
        start = time.perf_counter()
        finetune(
            train, output=output, model=args.model, style=style, settings=settings, overwrite=True
        )
        seconds = time.perf_counter() - start
        found = accuracy(test, labels, output, style, args.dtype)
    return {"style": style, "accuracy": found, "seconds": seconds}


def markdown(rows: pd.DataFrame) -> str:
    """The rows as a table, with means over the seeds."""
    keys = ["set", "labels", "test rows", "style"]
    found = rows.groupby(keys, sort=False).agg(
        seeds=("seed", "size"),
        accuracy=("accuracy", "mean"),
        least=("accuracy", "min"),
        most=("accuracy", "max"),
        seconds=("seconds", "mean"),
    )
    lines = [
        "| set | labels | test rows | style | seeds | accuracy | lowest to highest | training s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, row in found.iterrows():
        spread = f"{row.least:.1%} to {row.most:.1%}"
        cells = [*map(str, key), f"{row.seeds:.0f}", f"{row.accuracy:.1%}", spread]
        lines.append(f"| {' | '.join(cells)} | {row.seconds:.0f} |")
    return "\n".join(lines)


def _field(pair: str) -> tuple[str, Any]:
    name, value = pair.split("=", 1)
    return name, float(value) if "." in value or "e" in value else int(value)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fewshot", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--styles", nargs="*", default=["zero-shot", "entailment", "head"])
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--max-test", type=int, default=1000)
    parser.add_argument("--bf16", action="store_true", help="train in bf16 autocast")
    parser.add_argument("--dtype", default="float32", help="compute type of the test")
    parser.add_argument("--keep", type=Path, help="keep the models there")
    parser.add_argument(
        "--set", nargs="*", type=_field, default=[], help="FinetuneSettings, such as epochs=5"
    )
    args = parser.parse_args(arguments)
    args.set = dict(args.set)
    rows = []
    for row in measure(args):
        print(row, flush=True)
        rows.append(row)
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
