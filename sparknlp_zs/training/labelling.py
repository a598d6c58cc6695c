"""``python -m sparknlp_zs.training.labelling``: soft targets by larger models, for a student.

``nli`` writes the rows of ``--nli`` with three more columns, the models' probabilities of
entailment, neutral and contradiction, and those of new pairs of their texts (``--recombined``);
``groups`` writes texts, each with hypotheses and the probability of each, from a sentence encoder
and the models; ``glosses`` writes the same of a dictionary's definitions and examples.
``python -m sparknlp_zs.training`` takes the files as ``--soft-nli`` and ``--soft-groups``.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sparknlp_zs.models import ModelSpec
from sparknlp_zs.training.data import Example, evened, nli_examples, request_slots, softened
from sparknlp_zs.training.distillation import DistillationRecipe, Teacher
from sparknlp_zs.training.glosses import Dictionary, GlossRecipe, gloss_examples
from sparknlp_zs.training.opinions import CLASSES, nli_opinions, with_opinions
from sparknlp_zs.training.phrases import commands, common_phrases, ordered, words
from sparknlp_zs.training.similar import SentenceEncoder
from sparknlp_zs.training.sources import (
    add_label_arguments,
    add_nli_arguments,
    gold_share,
    held_out_texts,
    label_rows,
    nli_rows,
    other_names,
    text_pool,
)
from sparknlp_zs.training.wordnet import read_wordnet

logger = logging.getLogger(__name__)

COMMANDS = 24000  # candidates that are made of a verb and a frequent phrase
FREQUENT = 1000
ORDERS = ("commands", "orders")  # candidates with a verb before a phrase, or before any word
VERB_WEIGHT = 0.3  # of the nearness of verbs, beside that of texts and commands
SMALLEST_POOL = 500  # candidates that a group is drawn from; a sixth if they are more
SAME = 0.9999  # the cosine of equal premises
MOST_COSINES = 2**26  # held at a time
PART = 2048  # groups between two lines of the log


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    p = argparse.ArgumentParser("python -m sparknlp_zs.training.labelling", description=__doc__)
    kinds = p.add_subparsers(dest="kind", required=True)
    nli, groups = kinds.add_parser("nli"), kinds.add_parser("groups")
    for command in (nli, groups):
        add_nli_arguments(command)
        command.add_argument(
            "--models",
            nargs="+",
            default=[],
            required=command is nli,
            help="folders of NLI models; groups without any have the encoder's opinions alone",
        )
    glosses = kinds.add_parser("glosses")
    for command in (nli, groups, glosses):
        command.add_argument("--output", required=True, type=Path, help="a parquet file")
    nli.add_argument(
        "--recombined",
        type=int,
        default=0,
        help="so many new pairs, of premises with the hypotheses of premises like them",
    )
    nli.add_argument(
        "--distrust", nargs="*", default=[], help="sets whose own labels are not written"
    )
    nli.add_argument("--encoder", help="folder of a sentence encoder, for --recombined")
    add_label_arguments(groups, required=True)
    for command in (groups, glosses):
        command.add_argument("--encoder", required=True, help="folder of a sentence encoder")
        command.add_argument("--groups", type=int, default=16000, help="how many groups")
        command.add_argument("--phrases", type=int, default=4, help="hypotheses in a group")
    glosses.add_argument("--wordnet", required=True, help="folder of WordNet's database")
    glosses.add_argument(
        "--gold-share", type=float, default=0.5, help="the true label's share in the targets"
    )
    glosses.add_argument("--seed", type=int, default=0)
    glosses.add_argument("--bf16", action="store_true", help="bf16 autocast")
    return p


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO)
    args = parser().parse_args(arguments)
    label = {"nli": label_nli, "groups": label_groups, "glosses": label_glosses}[args.kind]
    label(args).to_parquet(args.output)


def label_nli(args: argparse.Namespace) -> pd.DataFrame:
    """The three-way rows with the models' probabilities."""
    rows = nli_rows(args, held_out_texts(args.held_out))
    rows = rows[rows["label"].isin(CLASSES)].reset_index(drop=True)
    unknown = set(args.distrust) - set(rows["set"])
    if unknown:
        raise ValueError(f"--distrust {' '.join(sorted(unknown))}: no rows of these sets are drawn")
    if args.recombined:
        vectors = _encoder(args).embed(list(rows["premise"]))
        new = recombined(rows, vectors, args.recombined, random.Random(args.seed))
        rows = pd.concat([rows, new], ignore_index=True)
    opinions = nli_opinions(_models(args), list(rows["premise"]), list(rows["hypothesis"]))
    labelled = rows["label"].notna()
    agreed = (np.array(CLASSES)[opinions.argmax(axis=1)] == rows["label"])[labelled]
    logger.info("%d rows, the models agree with %.1f %%", len(agreed), 100 * agreed.mean())
    kept = rows["label"].where(~rows["set"].isin(args.distrust), None)
    return rows.assign(label=kept, **dict(zip(CLASSES, opinions.T, strict=True)))


def _models(args: argparse.Namespace) -> list[ModelSpec]:
    return [ModelSpec(x, dtype="bfloat16" if args.bf16 else "float32") for x in args.models]


def _encoder(args: argparse.Namespace) -> SentenceEncoder:
    if args.encoder is None:
        raise ValueError(
            "--recombined needs --encoder, a sentence encoder that finds like premises"
        )
    return SentenceEncoder(args.encoder, args.bf16)


def recombined(
    rows: pd.DataFrame, vectors: torch.Tensor, count: int, rng: random.Random, near: int = 20
) -> pd.DataFrame:
    """New pairs: a premise with the hypothesis of one of the premises nearest to it.

    Any hypothesis of a like text may follow, contradict or do neither: pairs worth a teacher's
    opinion, which cost no annotator.

    Parameters
    ----------
    rows : DataFrame with premise, hypothesis, label, set
    vectors : float tensor [rows, size]
        Of the premises, of length 1.
    count : int
    rng : random.Random
    near : int
        How many of the nearest premises count as like.

    Returns
    -------
    DataFrame
        The columns of ``rows``; ``label`` is null. Fewer than ``count`` if pairs coincide.
    """
    chosen = [rng.randrange(len(rows)) for _ in range(count)]
    others: list[int] = []
    size = max(1, MOST_COSINES // len(rows))
    for start in range(0, count, size):
        part = chosen[start : start + size]
        cosines = vectors[part] @ vectors.T
        # The premise's own rows are as near as can be: pairs that exist already.
        cosines[cosines > SAME] = -1.0
        nearest = cosines.topk(min(near, len(rows)), dim=1)
        choices = zip(nearest.indices.tolist(), nearest.values.tolist(), strict=True)
        others += [
            rng.choice([row for row, cosine in zip(*found, strict=True) if cosine > -1.0] or [own])
            for own, found in zip(part, choices, strict=True)
        ]
    new = pd.DataFrame(
        {
            "premise": rows["premise"].to_numpy()[chosen],
            "hypothesis": rows["hypothesis"].to_numpy()[others],
            "label": None,
            "set": "recombined",
        }
    )
    texts = ["premise", "hypothesis"]
    known = pd.MultiIndex.from_frame(rows[texts])
    return new[~pd.MultiIndex.from_frame(new[texts]).isin(known)].drop_duplicates(texts)


def label_groups(args: argparse.Namespace) -> pd.DataFrame:
    """Soft groups, one of each list of candidates for each text."""
    models = _models(args)
    held_out = held_out_texts(args.held_out)
    labelled = label_rows(args, held_out)
    every = text_pool(nli_examples(nli_rows(args, held_out)), labelled, args)
    encoder = _encoder(args)
    lists = _candidates(every, sorted(set(labelled["label"])), encoder, args)
    texts = _drawn_texts(every, labelled, args.groups // len(lists), args)
    vectors = encoder.embed(texts)
    drawn: list[Example] = []
    for name, candidates in lists.items():
        found, own = encoder.embed(candidates), vectors
        if name in ORDERS:
            own = _with_verbs(own, [ordered(text) for text in texts], encoder)
            found = _with_verbs(found, [command.split()[0] for command in candidates], encoder)
        pool = min(len(candidates), max(SMALLEST_POOL, len(candidates) // 6))
        recipe = DistillationRecipe(len(texts), args.phrases, pool)
        teacher = Teacher(texts, candidates, own, found, recipe)
        drawn += teacher.examples(random.Random(f"{args.seed} {name}"))
    random.Random(args.seed).shuffle(drawn)
    done: list[Example] = []
    while len(done) < len(drawn):
        done += with_opinions(models, drawn[len(done) : len(done) + PART])
        logger.info("%d of %d groups", len(done), len(drawn))
    return _soft_groups(done)


def label_glosses(args: argparse.Namespace) -> pd.DataFrame:
    """Soft groups of a dictionary's definitions and examples."""
    share = gold_share(args)
    if args.phrases < 2:
        raise ValueError(f"--phrases {args.phrases}: a group has a true label and wrong ones")
    dictionary, rng = Dictionary(read_wordnet(args.wordnet)), random.Random(args.seed)
    glosses = dictionary.glosses(GlossRecipe(args.groups, args.phrases), rng)
    return _soft_groups(gloss_examples(glosses, _encoder(args), share, rng))


def _drawn_texts(
    every: Sequence[str], labelled: pd.DataFrame, count: int, args: argparse.Namespace
) -> list[str]:
    """Half of the texts are requests with other names in them, if there are ``--request-sets``."""
    rng = random.Random(args.seed)
    requests = labelled[labelled["set"].isin(args.request_sets)]
    if not len(requests):
        return rng.sample(every, min(count, len(every)))
    slots = request_slots(labelled, args.request_sets)
    weights = evened(requests["label"])
    drawn = requests.sample(count // 2, replace=True, weights=weights, random_state=args.seed)
    refilled = sorted({slots.refilled(text, rng) for text in drawn["text"]})
    return refilled + rng.sample(every, min(count - len(refilled), len(every)))


def _soft_groups(examples: Sequence[Example]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [example.premise for example in examples],
            "hypotheses": [list(example.hypotheses) for example in examples],
            "targets": [list(example.targets) for example in examples],
        }
    )


def _candidates(
    texts: Sequence[str],
    labels: Sequence[str],
    encoder: SentenceEncoder,
    args: argparse.Namespace,
) -> dict[str, list[str]]:
    """What texts are compared with, by kind."""
    phrases = common_phrases(texts)
    vocabulary = words(encoder.vocabulary)
    lists = {
        "phrases": phrases,
        "labels": labels,
        "names": sorted(set(chain.from_iterable(other_names(args).values()))),
        "commands": commands(texts, phrases[:FREQUENT], COMMANDS, random.Random(args.seed)),
        "words": vocabulary,
        "orders": commands(texts, vocabulary, COMMANDS, random.Random(args.seed)),
    }
    found = {name: list(x) for name, x in lists.items() if len(x) >= args.phrases}
    if not found:
        raise ValueError(f"--phrases {args.phrases}: the texts have not so many; give more texts")
    return found


def _with_verbs(
    vectors: torch.Tensor, verbs: Sequence[str | None], encoder: SentenceEncoder
) -> torch.Tensor:
    """Vectors whose products are the cosines, and with a weight those of the verbs.

    Sentence encoders hear what a text is about, and hardly what it asks for.
    """
    known = sorted({verb for verb in verbs if verb})
    found = dict(zip(known, encoder.embed(known), strict=True))
    none = torch.zeros(vectors.shape[1])
    own = torch.stack([found[verb] if verb else none for verb in verbs])
    return torch.cat([vectors, VERB_WEIGHT**0.5 * own], dim=1)


def read_soft_nli(path: str, gold: float) -> list[Example]:
    """The rows that ``nli`` wrote; a true class, where known, has a share of the targets."""
    rows = pd.read_parquet(path)
    opinions = rows[list(CLASSES)].to_numpy()
    shares = np.where(rows["label"].isna(), 0.0, gold)
    rows["label"] = rows["label"].fillna(pd.Series(np.array(CLASSES)[opinions.argmax(axis=1)]))
    return [
        Example(x.premise, x.hypotheses, x.label, softened(x.label, opinion, share))
        for x, opinion, share in zip(nli_examples(rows), opinions.tolist(), shares, strict=True)
        if x.label is not None
    ]


def read_soft_groups(path: str) -> list[Example]:
    """The groups that ``groups`` wrote."""
    rows = pd.read_parquet(path)
    columns = zip(rows["text"], rows["hypotheses"], rows["targets"], strict=True)
    return [Example(text, tuple(said), None, tuple(targets)) for text, said, targets in columns]


if __name__ == "__main__":
    main()
