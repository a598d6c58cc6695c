"""``python -m sparknlp_zs.training.command FILE``: fine-tune on a file of labelled texts.

Also by several processes: ``torchrun --nproc_per_node=2 -m sparknlp_zs.training.command FILE``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

import pandas as pd

from sparknlp_zs.files import read_frame
from sparknlp_zs.tasks import DEFAULT_TEMPLATE
from sparknlp_zs.training.finetuning import finetune
from sparknlp_zs.training.settings import MONITORS, STYLES, FinetuneSettings


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    plain = FinetuneSettings()
    p = argparse.ArgumentParser(prog="python -m sparknlp_zs.training.command", description=__doc__)
    p.add_argument("file", type=Path, help="csv, json lines or parquet")
    p.add_argument("--text", default="text", help="column of the texts")
    p.add_argument("--label", default="label", help="column of the labels")
    p.add_argument("--output", required=True, type=Path, help="folder for the model")
    p.add_argument("--model", help="what to start from; the default model if not given")
    p.add_argument("--style", choices=STYLES, default="entailment")
    p.add_argument("--template", default=DEFAULT_TEMPLATE)
    p.add_argument("--validation", help="a part of the rows such as 0.2, or another file")
    p.add_argument("--epochs", type=float)
    p.add_argument("--max-steps", type=int)
    p.add_argument("--batch-size", type=int, default=plain.batch_size)
    p.add_argument("--learning-rate", type=float)
    p.add_argument("--max-length", type=int, default=plain.max_length)
    p.add_argument("--patience", type=int)
    p.add_argument("--monitor", choices=MONITORS, default=plain.monitor)
    p.add_argument("--bf16", action="store_true", help="bf16 autocast")
    p.add_argument("--seed", type=int, default=plain.seed)
    p.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    p.add_argument("--overwrite", action="store_true", help="replace a model in --output")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run the command; prints the metrics as json."""
    logging.basicConfig(level=logging.INFO)
    args = parser().parse_args(arguments)
    settings = FinetuneSettings(
        epochs=args.epochs,
        max_steps=args.max_steps,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        max_length=args.max_length,
        patience=args.patience,
        monitor=args.monitor,
        bf16=args.bf16,
        seed=args.seed,
    )
    tuned = finetune(
        read_frame(args.file),
        text=args.text,
        label=args.label,
        output=args.output,
        model=args.model,
        style=args.style,
        hypothesis_template=args.template,
        validation=_validation(args.validation),
        settings=settings,
        resume=args.resume,
        overwrite=args.overwrite,
    )
    if os.environ.get("RANK", "0") == "0":
        sys.stdout.write(json.dumps(tuned.metrics) + "\n")


def _validation(given: str | None) -> float | pd.DataFrame | None:
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        return read_frame(Path(given))


if __name__ == "__main__":
    main()
