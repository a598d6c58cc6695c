"""The command line: ``sparknlp-zs classify FILE --text COLUMN --labels a,b,c --output FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sparknlp_zs.files import EngineError, file_format
from sparknlp_zs.tasks import DEFAULT_TEMPLATE, ZeroShot
from sparknlp_zs.tasks.long_text import CHUNK, TRUNCATE

_FORMATS = "csv, parquet, or jsonl (json, ndjson): an object per line, or an array of objects"


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    root = argparse.ArgumentParser(prog="sparknlp-zs", description="Label text with no training.")
    commands = root.add_subparsers(dest="command", required=True)
    p = commands.add_parser(
        "classify",
        help="classify a text column of a csv, json or parquet file",
        description="Writes the file again with two more columns, label and score, row for row.",
    )
    p.add_argument("file", type=Path, metavar="FILE", help=_FORMATS)
    p.add_argument("--text", required=True, metavar="COLUMN", help="the text column")
    p.add_argument("--labels", metavar="A,B,C", help="candidate labels, separated by commas")
    p.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="LABEL",
        help="one candidate label, which may hold commas; give it several times",
    )
    p.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="csv, parquet or jsonl"
    )
    p.add_argument("--engine", choices=["pandas", "spark"], default="pandas")
    p.add_argument(
        "--template",
        action="append",
        metavar="SENTENCE",
        help="hypothesis with {} for the label; given several times, their mean is taken",
    )
    p.add_argument("--multi-label", action="store_true", help="score each label by itself")
    p.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        metavar="SCORE",
        help="leave the label empty where the best score is lower (from 0 to 1)",
    )
    p.add_argument(
        "--long-text",
        choices=[TRUNCATE, CHUNK],
        default=TRUNCATE,
        help="cut texts that are longer than the model takes, or score them in chunks",
    )
    p.add_argument("--model", help='folder, hub id, or "starter"')
    p.add_argument("--prefix", default="", help="put before the names of the two new columns")
    p.add_argument("--no-progress", action="store_true")
    return root


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0, or 2 with one line on stderr for a wrong argument."""
    args = parser().parse_args(arguments)
    try:
        _classify(args)
    except (OSError, KeyError, TypeError, ValueError, EngineError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"sparknlp-zs: {message}", file=sys.stderr)
        return 2
    return 0


def _classify(args: argparse.Namespace) -> None:
    labels = [part.strip() for part in args.labels.split(",")] if args.labels else []
    task = ZeroShot(
        [*labels, *args.label],
        args.template or DEFAULT_TEMPLATE,
        args.multi_label,
        threshold=args.threshold,
        long_text=args.long_text,
    )
    file_format(args.file)
    file_format(args.output)
    if not args.file.is_file():
        raise FileNotFoundError(f"FILE={str(args.file)!r}: no such file")
    if not args.output.resolve().parent.is_dir():
        raise FileNotFoundError(f"--output {str(args.output)!r}: no such folder; make it first")
    names = (f"{args.prefix}label", f"{args.prefix}score")
    if args.engine == "spark":
        from sparknlp_zs.spark.files import classify_file
    else:
        from sparknlp_zs.files import classify_file
    rows = classify_file(
        args.file,
        args.output,
        args.text,
        task,
        names,
        model=args.model,
        progress=not args.no_progress,
    )
    print(f"{rows} rows written to {args.output}")


if __name__ == "__main__":
    sys.exit(main())
