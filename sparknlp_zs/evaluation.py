"""``python -m sparknlp_zs.evaluation FOLDER``: accuracy tables through the public API.

The folder holds ``nli_*_dev.parquet`` (premise, hypothesis, label) and ``zeroshot_*.parquet``
(text, label).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import sparknlp_zs  # noqa: F401  (registers .zsc)
from sparknlp_zs.models import ModelSpec
from sparknlp_zs.tasks import DEFAULT_TEMPLATE


def evaluate(
    folder: Path,
    model: ModelSpec,
    *,
    template: str = DEFAULT_TEMPLATE,
    max_rows: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Accuracy of a model on every set of a folder.

    Parameters
    ----------
    folder : Path
        See the module.
    model : ModelSpec
    template : str
        Hypothesis template of the zero-shot sets.
    max_rows : int or None
        Score at most so many rows of each set, drawn at random with a fixed seed.
    progress : bool
        Show bars.

    Returns
    -------
    pandas.DataFrame
        One row per set: set, rows, classes, accuracy, macro_f1 (0 to 1), seconds.

    Raises
    ------
    FileNotFoundError
        If the folder has no such files.
    """
    rows = []
    for path in _sets(folder):
        frame = pd.read_parquet(path)
        if max_rows is not None and len(frame) > max_rows:
            frame = frame.sample(max_rows, random_state=0)
        start = time.perf_counter()
        if "premise" in frame:
            found = frame.zsc.nli("premise", "hypothesis", model=model, progress=progress)
        else:
            labels = sorted(frame["label"].unique())
            found = frame["text"].zsc.classify(
                labels, hypothesis_template=template, model=model, progress=progress
            )
        seconds = time.perf_counter() - start
        scores = _accuracy(frame["label"], found["label"])
        rows.append({"set": path.stem, "rows": len(frame), **scores, "seconds": seconds})
    return pd.DataFrame(rows)


def _accuracy(truth: pd.Series, found: pd.Series) -> dict[str, float]:
    f1 = []
    for name in truth.unique():
        hits = int(((found == name) & (truth == name)).sum())
        f1.append(2 * hits / max(1, int((found == name).sum() + (truth == name).sum())))
    return {
        "classes": truth.nunique(),
        "accuracy": float((found == truth).mean()),
        "macro_f1": float(np.mean(f1)),
    }


def _sets(folder: Path) -> Iterator[Path]:
    paths = [*sorted(folder.glob("nli_*_dev.parquet")), *sorted(folder.glob("zeroshot_*.parquet"))]
    if not paths:
        raise FileNotFoundError(
            f"folder={str(folder)!r} has no nli_*_dev.parquet or zeroshot_*.parquet"
        )
    return iter(paths)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m sparknlp_zs.evaluation", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--template", default=DEFAULT_TEMPLATE)
    parser.add_argument("--max-rows", type=int)
    parser.add_argument("--json", type=Path, help="also write the table there, as json")
    args = parser.parse_args(arguments)
    table = evaluate(
        args.folder,
        ModelSpec(args.model, dtype=args.dtype),
        template=args.template,
        max_rows=args.max_rows,
    )
    print(table.round({"accuracy": 4, "macro_f1": 4, "seconds": 1}).to_string(index=False))
    if args.json:
        args.json.write_text(json.dumps(table.to_dict("records"), indent=1))


if __name__ == "__main__":
    main()
