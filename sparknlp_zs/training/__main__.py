"""``python -m sparknlp_zs.training``: train an entailment model for zero-shot classification."""

from __future__ import annotations

import argparse
import json
import logging
import random
from pathlib import Path

import pandas as pd

from sparknlp_zs.models import DTYPES
from sparknlp_zs.training.data import (
    Draw,
    Example,
    LabelRecipe,
    at_most,
    drop_seen,
    label_examples,
    nli_examples,
    polarity_rows,
)
from sparknlp_zs.training.distillation import DistillationRecipe, Teacher
from sparknlp_zs.training.phrases import common_phrases
from sparknlp_zs.training.similar import embed, similar_labels
from sparknlp_zs.training.trainer import Budget, Hyperparameters, train

HELD_OUT_ROWS = 1000


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    p = argparse.ArgumentParser(prog="python -m sparknlp_zs.training", description=__doc__)
    p.add_argument("--base", required=True, help="folder of the base encoder")
    p.add_argument("--nli", required=True, help="parquet: premise, hypothesis, label, set")
    p.add_argument("--labels", help="parquet: text, label, set; label pairs are drawn from it")
    p.add_argument("--output", required=True, type=Path, help="folder for the trained model")
    p.add_argument(
        "--held-out",
        nargs="*",
        default=[],
        help="evaluation parquets; texts in them are dropped from the training rows",
    )
    p.add_argument("--skip-sets", nargs="*", default=[], help="sets of --nli to leave out")
    p.add_argument(
        "--join-sets",
        nargs="*",
        default=[],
        help="sets of --labels whose texts are also joined to long texts",
    )
    p.add_argument("--joined-rows", type=int, default=3000, help="long texts per set and epoch")
    p.add_argument("--max-rows", type=int, default=8000, help="rows per set of --labels and epoch")
    p.add_argument(
        "--rows",
        nargs="*",
        default=[],
        metavar="SET=N",
        help="other limits for single sets, of --nli or --labels",
    )
    p.add_argument(
        "--polarity",
        action="store_true",
        help="also draw positive/negative pairs from the emotions of the set goemotions",
    )
    p.add_argument(
        "--teacher", help="folder of a sentence encoder: soft groups are drawn by it as well"
    )
    p.add_argument("--soft-rows", type=int, default=30000, help="soft groups per epoch")
    p.add_argument("--negatives", type=int, default=3, help="wrong labels per text")
    p.add_argument("--steps", type=int, default=1000, help="optimizer steps")
    p.add_argument("--minutes", type=float, help="train for this time instead of --steps")
    p.add_argument("--learning-rate", type=float, default=1.5e-4)
    p.add_argument("--tokens", type=int, default=4096, help="tokens per batch, with padding")
    p.add_argument("--max-length", type=int, default=256)
    p.add_argument("--bf16", action="store_true", help="bf16 autocast")
    p.add_argument("--dropout", type=float, default=0.0, help="dropout in the hidden layers")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--save-dtype", choices=DTYPES, default="float32", help="type of the weights")
    p.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO)
    args = parser().parse_args(arguments)
    held_out = _held_out_texts(args.held_out)
    nli = pd.read_parquet(args.nli)
    nli = drop_seen(nli[~nli["set"].isin(args.skip_sets)], ["premise", "hypothesis"], held_out)
    nli = at_most(nli, _limits(args.rows), args.seed)
    rows = nli_examples(nli.sample(frac=1.0, random_state=args.seed))
    label_rows = None
    if args.labels:
        label_rows = drop_seen(pd.read_parquet(args.labels), ["text"], held_out)
        if args.polarity:
            label_rows = pd.concat([label_rows, polarity_rows(label_rows)])
    draw = _drawer(rows[HELD_OUT_ROWS:], label_rows, args)
    metrics = train(
        args.base,
        draw,
        lambda rng: rows[:HELD_OUT_ROWS],
        args.output,
        Budget(args.steps, args.minutes),
        Hyperparameters(
            learning_rate=args.learning_rate,
            tokens_per_batch=args.tokens,
            max_length=args.max_length,
            bf16=args.bf16,
            seed=args.seed,
            dropout=args.dropout,
            save_dtype=args.save_dtype,
        ),
        args.resume,
    )
    print(json.dumps(metrics))


def _limits(pairs: list[str]) -> dict[str, int]:
    return {name: int(count) for name, count in (pair.rsplit("=", 1) for pair in pairs)}


def _held_out_texts(paths: list[str]) -> list[str]:
    texts: list[str] = []
    for path in paths:
        frame = pd.read_parquet(path)
        texts += list(frame["premise"] if "premise" in frame else frame["text"])
    return texts


def _drawer(nli: list[Example], label_rows: pd.DataFrame | None, args: argparse.Namespace) -> Draw:
    if label_rows is None:
        return lambda rng: nli
    similar = similar_labels(args.teacher or args.base, sorted(label_rows["label"].unique()))
    sets = label_rows["set"].unique()
    recipe = LabelRecipe(
        negatives=args.negatives,
        max_rows_per_set={**dict.fromkeys(sets, args.max_rows), **_limits(args.rows)},
        join_sets=tuple(args.join_sets),
        joined_rows=args.joined_rows,
    )
    teacher = _teacher(nli, label_rows, args) if args.teacher else None

    def draw(rng: random.Random) -> list[Example]:
        soft = teacher.examples(rng) if teacher else []
        return nli + label_examples(label_rows, recipe, similar, rng) + soft

    return draw


def _teacher(nli: list[Example], label_rows: pd.DataFrame, args: argparse.Namespace) -> Teacher:
    """Soft groups over the labelled texts and as many premises at most."""
    limits = {**dict.fromkeys(label_rows["set"].unique(), args.max_rows), **_limits(args.rows)}
    texts = sorted(set(at_most(label_rows, limits, args.seed)["text"]))
    premises = sorted({example.premise for example in nli})
    texts += random.Random(args.seed).sample(premises, min(len(texts), len(premises)))
    phrases = common_phrases(texts)
    return Teacher(
        texts,
        phrases,
        embed(args.teacher, texts, args.bf16),
        embed(args.teacher, phrases, args.bf16),
        DistillationRecipe(rows=args.soft_rows),
    )


if __name__ == "__main__":
    main()
