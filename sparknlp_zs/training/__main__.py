"""``python -m sparknlp_zs.training``: train an entailment model for zero-shot classification."""

from __future__ import annotations

import argparse
import json
import logging
import random
from pathlib import Path

import pandas as pd

from sparknlp_zs.models import DTYPES
from sparknlp_zs.training.data import Draw, Example, LabelRecipe, label_examples, nli_examples
from sparknlp_zs.training.distillation import DistillationRecipe, Teacher
from sparknlp_zs.training.labelling import read_soft_groups, read_soft_nli
from sparknlp_zs.training.phrases import common_phrases
from sparknlp_zs.training.similar import SentenceEncoder, similar_labels
from sparknlp_zs.training.sources import (
    add_label_arguments,
    add_nli_arguments,
    gold_share,
    held_out_texts,
    label_limits,
    label_rows,
    nli_rows,
    other_names,
    text_pool,
)
from sparknlp_zs.training.trainer import Budget, Hyperparameters, train

HELD_OUT_ROWS = 1000


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    p = argparse.ArgumentParser(prog="python -m sparknlp_zs.training", description=__doc__)
    p.add_argument("--base", required=True, help="folder of the base encoder")
    add_nli_arguments(p)
    add_label_arguments(p, required=False)
    p.add_argument("--output", required=True, type=Path, help="folder for the trained model")
    p.add_argument(
        "--join-sets",
        nargs="*",
        default=[],
        help="sets of --labels whose texts are also joined to long texts",
    )
    p.add_argument("--joined-rows", type=int, default=3000, help="long texts per set and epoch")
    p.add_argument(
        "--teacher",
        help="folder of a sentence encoder: it finds near labels and draws --soft-rows",
    )
    p.add_argument("--soft-rows", type=int, default=30000, help="soft groups per epoch")
    p.add_argument(
        "--soft-nli",
        nargs="*",
        default=[],
        help="parquets of training.labelling nli, more rows of --nli; one named twice counts twice",
    )
    p.add_argument(
        "--gold-share", type=float, default=0.5, help="the true class's share in targets of those"
    )
    p.add_argument(
        "--soft-groups", nargs="*", default=[], help="parquets of training.labelling groups"
    )
    p.add_argument("--negatives", type=int, default=3, help="wrong labels per text")
    p.add_argument("--steps", type=int, default=1000, help="optimizer steps")
    p.add_argument("--minutes", type=float, help="train for this time instead of --steps")
    p.add_argument("--learning-rate", type=float, default=1.5e-4)
    p.add_argument("--tokens", type=int, default=4096, help="tokens per batch, with padding")
    p.add_argument("--max-length", type=int, default=256)
    p.add_argument("--dropout", type=float, default=0.0, help="dropout in the hidden layers")
    p.add_argument(
        "--frozen-layers", type=int, default=0, help="lowest layers that stay as they are"
    )
    p.add_argument("--save-dtype", choices=DTYPES, default="float32", help="type of the weights")
    p.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO)
    args = parser().parse_args(arguments)
    held_out = held_out_texts(args.held_out)
    rows = nli_examples(nli_rows(args, held_out).sample(frac=1.0, random_state=args.seed))
    labelled = label_rows(args, held_out) if args.labels else None
    draw = _drawer(rows[HELD_OUT_ROWS:] + _soft_examples(args), labelled, args)
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
            frozen_layers=args.frozen_layers,
            save_dtype=args.save_dtype,
        ),
        args.resume,
    )
    print(json.dumps(metrics))


def _soft_examples(args: argparse.Namespace) -> list[Example]:
    share = gold_share(args)
    rows = [x for path in args.soft_nli for x in read_soft_nli(path, share)]
    return rows + [x for path in args.soft_groups for x in read_soft_groups(path)]


def _drawer(fixed: list[Example], labelled: pd.DataFrame | None, args: argparse.Namespace) -> Draw:
    if labelled is None:
        return lambda rng: fixed
    similar = similar_labels(args.teacher or args.base, sorted(labelled["label"].unique()))
    recipe = LabelRecipe(
        negatives=args.negatives,
        max_rows_per_set=label_limits(labelled, args),
        join_sets=tuple(args.join_sets),
        joined_rows=args.joined_rows,
        names=other_names(args),
        request_sets=tuple(args.request_sets),
    )
    drawn = args.teacher and args.soft_rows
    teacher = _teacher(fixed, labelled, args) if drawn else None

    def draw(rng: random.Random) -> list[Example]:
        soft = teacher.examples(rng) if teacher else []
        return fixed + label_examples(labelled, recipe, similar, rng) + soft

    return draw


def _teacher(nli: list[Example], labelled: pd.DataFrame, args: argparse.Namespace) -> Teacher:
    """Soft groups over the labelled texts and as many premises at most."""
    texts = text_pool(nli, labelled, args)
    phrases = common_phrases(texts)
    encoder = SentenceEncoder(args.teacher, args.bf16)
    return Teacher(
        texts,
        phrases,
        encoder.embed(texts),
        encoder.embed(phrases),
        DistillationRecipe(rows=args.soft_rows),
    )


if __name__ == "__main__":
    main()
