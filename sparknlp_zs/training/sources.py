"""The rows that a training draws from, and the arguments that name them."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

import pandas as pd

from sparknlp_zs.training.data import Example, at_most, drop_seen, polarity_rows, read_names


def add_nli_arguments(parser: argparse.ArgumentParser) -> None:
    """``--nli``, and what chooses among the rows of all sources."""
    add = parser.add_argument
    add("--nli", required=True, help="parquet: premise, hypothesis, label, set")
    add(
        "--held-out",
        nargs="*",
        default=[],
        help="evaluation parquets; texts in them are dropped from the training rows",
    )
    add("--skip-sets", nargs="*", default=[], help="sets of --nli to leave out")
    add("--rows", nargs="*", default=[], metavar="SET=N", help="limits of single sets' rows")
    add("--seed", type=int, default=0)
    add("--bf16", action="store_true", help="bf16 autocast")


def add_label_arguments(parser: argparse.ArgumentParser, required: bool) -> None:
    """``--labels``, and what is drawn of it."""
    add = parser.add_argument
    add(
        "--labels",
        required=required,
        help="parquet: text, label, set; label pairs are drawn from it",
    )
    add("--names", help="tab-separated: set, label, names; other names of labels of --labels")
    add(
        "--request-sets",
        nargs="*",
        default=[],
        help="sets of --labels that are requests: other names stand in their texts, and rare "
        "labels are drawn more often",
    )
    add("--max-rows", type=int, default=8000, help="rows per set of --labels and epoch")
    add(
        "--polarity",
        action="store_true",
        help="also draw positive/negative pairs from the emotions of the set goemotions",
    )


def nli_rows(args: argparse.Namespace, held_out: Sequence[str]) -> pd.DataFrame:
    """Rows of ``--nli`` within their sets' limits, none of whose texts is held out."""
    rows = pd.read_parquet(args.nli)
    rows = rows[~rows["set"].isin(args.skip_sets)]
    kept = drop_seen(rows, ["premise", "hypothesis"], held_out)
    return at_most(kept, limits(args.rows), args.seed)


def label_rows(args: argparse.Namespace, held_out: Sequence[str]) -> pd.DataFrame:
    """Rows of ``--labels``, all that are not held out, with the sets derived from them."""
    rows = drop_seen(pd.read_parquet(args.labels), ["text"], held_out)
    unknown = set(args.request_sets) - set(rows["set"])
    if unknown:
        raise ValueError(
            f"--request-sets {' '.join(sorted(unknown))}: --labels has no such sets; it has "
            f"{sorted(set(rows['set']))}"
        )
    return pd.concat([rows, polarity_rows(rows)]) if args.polarity else rows


def other_names(args: argparse.Namespace) -> dict[tuple[str, str], tuple[str, ...]]:
    """Those of ``--names``, by set and label; none without it."""
    return read_names(args.names) if args.names else {}


def gold_share(args: argparse.Namespace) -> float:
    """``--gold-share``, which must be a share."""
    share = float(args.gold_share)
    if not 0 <= share <= 1:
        raise ValueError(f"--gold-share {share}: give a share from 0 to 1")
    return share


def label_limits(rows: pd.DataFrame, args: argparse.Namespace) -> dict[str, int]:
    """How many of each set's labelled texts an epoch has."""
    return {**dict.fromkeys(rows["set"].unique(), args.max_rows), **limits(args.rows)}


def limits(pairs: Sequence[str]) -> dict[str, int]:
    """Limits written as ``SET=N``.

    Examples
    --------
    >>> limits(["fever=100", "goemotions polarity=5"])
    {'fever': 100, 'goemotions polarity': 5}
    """
    return {name: int(count) for name, count in (pair.rsplit("=", 1) for pair in pairs)}


def held_out_texts(paths: Sequence[str]) -> list[str]:
    """The texts and premises of evaluation sets."""
    texts: list[str] = []
    for path in paths:
        frame = pd.read_parquet(path)
        texts += list(frame["premise"] if "premise" in frame else frame["text"])
    return texts


def text_pool(
    nli: Sequence[Example], labelled: pd.DataFrame, args: argparse.Namespace
) -> list[str]:
    """The labelled texts within their sets' limits, and as many premises at most."""
    texts = sorted(set(at_most(labelled, label_limits(labelled, args), args.seed)["text"]))
    premises = sorted({example.premise for example in nli})
    return texts + random.Random(args.seed).sample(premises, min(len(texts), len(premises)))
