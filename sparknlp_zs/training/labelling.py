"""``python -m sparknlp_zs.training.labelling``: soft targets by larger models, for a student.

``nli`` writes the rows of ``--nli`` with three more columns, the models' probabilities of
entailment, neutral and contradiction; ``groups`` writes texts, each with hypotheses and the
probability of each, from a sentence encoder and the models. ``python -m sparknlp_zs.training``
takes both files, as ``--soft-nli`` and ``--soft-groups``.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sparknlp_zs.models import ModelSpec
from sparknlp_zs.training.data import Example, nli_examples, softened
from sparknlp_zs.training.distillation import DistillationRecipe, Teacher
from sparknlp_zs.training.opinions import CLASSES, nli_opinions, with_opinions
from sparknlp_zs.training.phrases import common_phrases
from sparknlp_zs.training.similar import embed
from sparknlp_zs.training.sources import (
    add_label_arguments,
    add_nli_arguments,
    held_out_texts,
    label_rows,
    nli_rows,
    text_pool,
)

logger = logging.getLogger(__name__)

PART = 2048  # groups between two lines of the log


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    p = argparse.ArgumentParser("python -m sparknlp_zs.training.labelling", description=__doc__)
    kinds = p.add_subparsers(dest="kind", required=True)
    nli, groups = kinds.add_parser("nli"), kinds.add_parser("groups")
    for command in (nli, groups):
        add_nli_arguments(command)
        command.add_argument("--models", nargs="+", required=True, help="folders of NLI models")
        command.add_argument("--output", required=True, type=Path, help="a parquet file")
    add_label_arguments(groups, required=True)
    groups.add_argument("--encoder", required=True, help="folder of a sentence encoder")
    groups.add_argument("--groups", type=int, default=16000, help="how many groups")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO)
    args = parser().parse_args(arguments)
    models = [ModelSpec(x, dtype="bfloat16" if args.bf16 else "float32") for x in args.models]
    label = label_nli if args.kind == "nli" else label_groups
    label(args, models).to_parquet(args.output)


def label_nli(args: argparse.Namespace, models: Sequence[ModelSpec]) -> pd.DataFrame:
    """The three-way rows with the models' probabilities."""
    rows = nli_rows(args, held_out_texts(args.held_out))
    rows = rows[rows["label"].isin(CLASSES)].reset_index(drop=True)
    opinions = nli_opinions(models, list(rows["premise"]), list(rows["hypothesis"]))
    agreed = np.array(CLASSES)[opinions.argmax(axis=1)] == rows["label"]
    logger.info("%d rows, the models agree with %.1f %%", len(rows), 100 * agreed.mean())
    return rows.assign(**dict(zip(CLASSES, opinions.T, strict=True)))


def label_groups(args: argparse.Namespace, models: Sequence[ModelSpec]) -> pd.DataFrame:
    """Soft groups, two for each text: of phrases of the texts, and of the sets' labels."""
    held_out = held_out_texts(args.held_out)
    labelled = label_rows(args, held_out)
    pool = text_pool(nli_examples(nli_rows(args, held_out)), labelled, args)
    texts = random.Random(args.seed).sample(pool, min(args.groups // 2, len(pool)))
    labels = sorted(set(labelled["label"]))
    vectors = embed(args.encoder, texts, args.bf16)
    drawn: list[Example] = []
    for candidates in (common_phrases(pool), labels):
        recipe = DistillationRecipe(rows=args.groups // 2, pool=min(500, len(candidates)))
        found = embed(args.encoder, candidates, args.bf16)
        teacher = Teacher(texts, candidates, vectors, found, recipe)
        drawn += teacher.examples(random.Random(f"{args.seed} {len(candidates)}"))
    random.Random(args.seed).shuffle(drawn)
    done: list[Example] = []
    while len(done) < len(drawn):
        done += with_opinions(models, drawn[len(done) : len(done) + PART])
        logger.info("%d of %d groups", len(done), len(drawn))
    return pd.DataFrame(
        {
            "text": [example.premise for example in done],
            "hypotheses": [list(example.hypotheses) for example in done],
            "targets": [list(example.targets) for example in done],
        }
    )


def read_soft_nli(path: str, gold: float) -> list[Example]:
    """The rows that ``nli`` wrote, each with a share of its true class in the targets."""
    rows = pd.read_parquet(path)
    opinions = rows[list(CLASSES)].to_numpy().tolist()
    return [
        Example(x.premise, x.hypotheses, x.label, softened(x.label, opinion, gold))
        for x, opinion in zip(nli_examples(rows), opinions, strict=True)
        if x.label is not None
    ]


def read_soft_groups(path: str) -> list[Example]:
    """The groups that ``groups`` wrote."""
    rows = pd.read_parquet(path)
    columns = zip(rows["text"], rows["hypotheses"], rows["targets"], strict=True)
    return [Example(text, tuple(said), None, tuple(targets)) for text, said, targets in columns]


if __name__ == "__main__":
    main()
