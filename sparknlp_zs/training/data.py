"""Training examples: NLI rows and label groups, built from parquet files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pandas as pd

from sparknlp_zs.tasks import DEFAULT_TEMPLATE
from sparknlp_zs.training.slots import Slots

NLI_LABELS = {"entailment": 0, "neutral": 1, "contradiction": 2, "not_entailment": 3}

# Half of the label hypotheses use the default template, the others keep the model from
# depending on its exact words.
TEMPLATES = (
    "This text is about {}.",
    "This is {}.",
    "{}",
    "The topic is {}.",
    "It is about {}.",
    "The best label is {}.",
)

Probabilities: TypeAlias = tuple[float, ...]


@dataclass(frozen=True)
class Example:
    """One premise with its hypotheses.

    ``label`` is an NLI class (see ``NLI_LABELS``) for a single hypothesis, or None for a label
    group, whose first hypothesis is the true one. ``targets`` are soft: a probability of each
    hypothesis of a group, or of each of the three classes of a single one.
    """

    premise: str
    hypotheses: tuple[str, ...]
    label: int | None
    targets: Probabilities = ()


# The examples of one epoch.
Draw: TypeAlias = Callable[[random.Random], list[Example]]


@dataclass(frozen=True)
class LabelRecipe:
    """How label groups are drawn from (text, label, set) rows."""

    negatives: int = 3
    max_rows_per_set: dict[str, int] = field(default_factory=dict)
    join_sets: tuple[str, ...] = ()  # sets whose texts are also joined to long texts, by label
    joined_rows: int = 0
    names: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    named_share: float = 0.7  # of the labels that have other names
    request_sets: tuple[str, ...] = ()  # sets whose texts are requests, with names in them
    refilled_share: float = 0.6  # of their texts, with other names in place of rare words


# The sentiment grouping of GoEmotions' authors (Demszky et al. 2020, arXiv:2005.00547, figure 2).
POLARITY = {
    "positive": "admiration amusement approval caring desire excitement gratitude joy love "
    "optimism pride relief",
    "negative": "anger annoyance disappointment disapproval disgust embarrassment fear grief "
    "nervousness remorse sadness",
}


def polarity_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """A further set of texts labelled positive or negative, from emotion labels."""
    polarity = {emotion: sign for sign, names in POLARITY.items() for emotion in names.split()}
    emotions = rows[(rows["set"] == "goemotions") & rows["label"].isin(polarity)]
    return emotions.assign(label=emotions["label"].map(polarity), set="goemotions polarity")


def at_most(rows: pd.DataFrame, limits: Mapping[str, int], seed: int) -> pd.DataFrame:
    """At most so many rows of each named set, drawn at random."""
    parts = [
        part.sample(min(len(part), limits.get(str(name), len(part))), random_state=seed)
        for name, part in rows.groupby("set", sort=True)
    ]
    return pd.concat(parts)


def normalise(text: pd.Series) -> pd.Series:
    """Lower-case words only: the key by which equal texts are found across sets."""
    return text.str.lower().str.replace(r"\W+", " ", regex=True).str.strip()


def drop_seen(rows: pd.DataFrame, columns: Sequence[str], held_out: Iterable[str]) -> pd.DataFrame:
    """Rows none of whose texts occurs in the held-out texts (evaluation sets)."""
    seen = set(normalise(pd.Series(list(held_out), dtype="str")))
    keep = pd.Series(True, index=rows.index)
    for column in columns:
        keep &= ~normalise(rows[column]).isin(seen)
    return rows[keep]


def nli_examples(rows: pd.DataFrame) -> list[Example]:
    """One example for each row of (premise, hypothesis, label)."""
    labels = rows["label"].map(NLI_LABELS)
    if labels.isna().any():
        unknown = sorted(set(rows["label"]) - set(NLI_LABELS))
        raise ValueError(f"label: unknown NLI classes {unknown}; use {sorted(NLI_LABELS)}")
    columns = zip(rows["premise"], rows["hypothesis"], labels, strict=True)
    return [Example(p, (h,), int(y)) for p, h, y in columns]


def softened(label: int, opinion: Sequence[float], share: float) -> Probabilities:
    """An opinion of three classes, with a share of the true class.

    Examples
    --------
    >>> softened(0, (0.6, 0.3, 0.1), 0.5)
    (0.8, 0.15, 0.05)
    """
    return tuple(float((1 - share) * p + share * (i == label)) for i, p in enumerate(opinion))


def label_examples(
    rows: pd.DataFrame,
    recipe: LabelRecipe,
    similar: dict[str, list[str]],
    rng: random.Random,
) -> list[Example]:
    """Draw label groups: the true label first, then wrong labels of the same set.

    Parameters
    ----------
    rows : DataFrame with text, label, set
    recipe : LabelRecipe
    similar : dict
        Label → the labels nearest to it in meaning; half of the wrong labels come from there.
    rng : random.Random
    """
    examples: list[Example] = []
    slots = request_slots(rows, recipe.request_sets)
    for name, group in rows.groupby("set", sort=True):
        labels = sorted(group["label"].unique())
        limit = recipe.max_rows_per_set.get(str(name), len(group))
        is_requests = name in recipe.request_sets
        chosen = group.sample(
            min(limit, len(group)),
            random_state=rng.randrange(2**31),
            replace=is_requests,
            weights=evened(group["label"]) if is_requests else None,
        )
        texts = list(zip(chosen["text"], chosen["label"], strict=True))
        if is_requests:
            texts = [(_refilled(text, slots, recipe, rng), label) for text, label in texts]
        if name in recipe.join_sets:
            texts += join_texts(group, recipe.joined_rows, rng)
        for text, label in texts:
            wrong = wrong_labels(label, labels, similar, recipe.negatives, rng)
            said = _by_other_names(str(name), label, wrong, recipe, rng)
            examples.append(Example(text, in_template(said, rng), None))
    return examples


def evened(labels: pd.Series) -> pd.Series:
    """Weights by which a label with a quarter of another's rows is drawn half as often as it.

    Examples
    --------
    >>> evened(pd.Series(["a", "a", "a", "a", "b"])).tolist()
    [0.5, 0.5, 0.5, 0.5, 1.0]
    """
    weights: pd.Series = labels.map(labels.value_counts()) ** -0.5
    return weights


def request_slots(rows: pd.DataFrame, request_sets: Sequence[str]) -> Slots:
    """The names in the texts of some sets of (text, label, set) rows; the others give new ones."""
    is_request = rows["set"].isin(request_sets)
    return Slots(list(rows["text"][is_request]), list(rows["text"][~is_request]))


def _refilled(text: str, slots: Slots, recipe: LabelRecipe, rng: random.Random) -> str:
    return slots.refilled(text, rng) if rng.random() < recipe.refilled_share else text


def _by_other_names(
    name: str, label: str, wrong: Sequence[str], recipe: LabelRecipe, rng: random.Random
) -> list[str]:
    """The labels, most by one of their other names; no wrong one by a name of the true label."""
    true = recipe.names.get((name, label), ())
    said = [rng.choice(true) if true and rng.random() < recipe.named_share else label]
    for other in wrong:
        names = [x for x in recipe.names.get((name, other), ()) if x not in true and x not in said]
        said.append(rng.choice(names) if names and rng.random() < recipe.named_share else other)
    return said


def read_names(path: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Other names of labels, by set and label.

    Parameters
    ----------
    path : str
        Tab-separated: set, label, names (with semicolons between them). Labels of one set may have
        names in common, of what is wider than they are.

    Returns
    -------
    dict of (str, str) to tuple of str
    """
    rows = pd.read_csv(path, sep="\t", dtype="str", keep_default_na=False)
    columns = zip(rows["set"], rows["label"], rows["names"], strict=True)
    return {(name, label): tuple(names.split(";")) for name, label, names in columns}


def in_template(labels: Iterable[str], rng: random.Random) -> tuple[str, ...]:
    """Hypotheses of labels, by one template for all of them."""
    template = DEFAULT_TEMPLATE if rng.random() < 0.5 else rng.choice(TEMPLATES)
    return tuple(template.replace("{}", label) for label in labels)


def join_texts(group: pd.DataFrame, rows: int, rng: random.Random) -> list[tuple[str, str]]:
    """Long texts: 4 to 14 texts of one label, with up to a fifth of other labels between them."""
    by_label = {str(label): list(part["text"]) for label, part in group.groupby("label")}
    joined = []
    for _ in range(rows):
        label = rng.choice(sorted(by_label))
        size = rng.randint(4, 14)
        parts = rng.sample(by_label[label], min(size, len(by_label[label])))
        others = [text for other, texts in by_label.items() if other != label for text in texts]
        parts += rng.sample(others, min(rng.randint(0, size // 5), len(others)))
        rng.shuffle(parts)
        joined.append((" ".join(parts), label))
    return joined


def wrong_labels(
    label: str,
    labels: list[str],
    similar: dict[str, list[str]],
    count: int,
    rng: random.Random,
) -> list[str]:
    """Up to ``count`` other labels; half of the draws are from those near in meaning."""
    wrong: list[str] = []
    near = [x for x in similar.get(label, []) if x in labels]
    while len(wrong) < min(count, len(labels) - 1):
        pool = near if near and rng.random() < 0.5 else labels
        choice = rng.choice(pool)
        if choice != label and choice not in wrong:
            wrong.append(choice)
        elif pool is near:
            near = [x for x in near if x != choice]
    return wrong
