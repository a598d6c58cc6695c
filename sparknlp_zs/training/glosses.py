"""Label groups from a dictionary: definitions and example sentences with what they are.

A meaning's own names and those of its wider meanings (a sonata is music) are true of it. They
teach words that no labelled set has for a label.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from sparknlp_zs.training.data import Example, in_template, softened
from sparknlp_zs.training.distillation import DistillationRecipe
from sparknlp_zs.training.similar import SentenceEncoder
from sparknlp_zs.training.wordnet import Synset

HIGHEST = 3  # levels between a meaning and the wider one that names it
WIDEST = 2  # levels below the widest meaning (entity, act) from which on they say something
LONGEST = 3  # words in a label
TRIES = 20  # for each wrong label


@dataclass(frozen=True)
class GlossRecipe:
    """How groups are drawn: their number, labels in each, and the limit of one field.

    A field is a file of the lexicographers: plants and animals alone are a sixth of all nouns.
    """

    groups: int = 24000
    labels: int = 4
    per_field: int = 4000


@dataclass(frozen=True)
class Gloss:
    """A definition or an example sentence, with a label that is true of it and others."""

    text: str
    label: str
    wrong: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, the true one first."""
        return (self.label, *self.wrong)


class Dictionary:
    """Meanings, and what is wider and narrower.

    Parameters
    ----------
    synsets : dict of str to Synset
        As ``wordnet.read_wordnet`` gives it.
    """

    def __init__(self, synsets: Mapping[str, Synset]) -> None:
        self._synsets = synsets
        self._narrower: dict[str, list[str]] = defaultdict(list)
        for synset in synsets.values():
            for key in synset.hypernyms:
                self._narrower[key].append(synset.key)
        self._named = [x.key for x in synsets.values() if labels_of(x)]
        self._ways = {key: self._way(key) for key in synsets}

    def glosses(self, recipe: GlossRecipe, rng: random.Random) -> list[Gloss]:
        """Texts with labels, one for each of the meanings drawn.

        Fewer than ``recipe.groups`` if the dictionary has too few meanings within its fields.
        """
        fields: dict[int, list[str]] = defaultdict(list)
        for key in rng.sample(self._named, len(self._named)):
            fields[self._synsets[key].field].append(key)
        keys = [key for part in fields.values() for key in part[: recipe.per_field]]
        drawn = rng.sample(keys, min(recipe.groups, len(keys)))
        found = [self._gloss(self._synsets[key], recipe.labels - 1, rng) for key in drawn]
        return [gloss for gloss in found if gloss.wrong]

    def _way(self, key: str) -> list[str]:
        """The meaning and the wider ones, by the first of each, up to the widest."""
        way = [key]
        while self._synsets[way[-1]].hypernyms:
            way.append(self._synsets[way[-1]].hypernyms[0])
        return way

    def _gloss(self, synset: Synset, wrong: int, rng: random.Random) -> Gloss:
        wider = [
            key
            for key in self._ways[synset.key][1 : 1 + HIGHEST]
            if len(self._ways[key]) > WIDEST and labels_of(self._synsets[key])
        ]
        true = rng.choice(wider) if wider and rng.random() < 0.5 else synset.key
        label = rng.choice(labels_of(self._synsets[true]))
        return Gloss(_text(synset, label, rng), label, self._wrong(synset, true, wrong, rng))

    def _wrong(self, synset: Synset, true: str, count: int, rng: random.Random) -> tuple[str, ...]:
        """Names of other meanings: half of them have a wider meaning in common with the true."""
        own = {name for key in self._ways[synset.key] for name in self._synsets[key].names}
        found: list[str] = []
        near = self._near(true)
        for _ in range(TRIES * count):
            key = rng.choice(near if near and len(found) < (count + 1) // 2 else self._named)
            names = [x for x in labels_of(self._synsets[key]) if x not in own and x not in found]
            # What is narrower than the text's meaning may be true of it as well.
            if names and key[0] == synset.key[0] and synset.key not in self._ways[key]:
                found.append(rng.choice(names))
            elif near:
                near = [x for x in near if x != key]
            if len(found) == count:
                break
        return tuple(found)

    def _near(self, key: str) -> list[str]:
        way = self._ways[key]
        siblings = [x for wider in way[1:2] for x in self._narrower[wider] if x != key]
        cousins = [
            x
            for wider in way[2:3]
            for parent in self._narrower[wider]
            for x in (parent, *self._narrower[parent])
            if x not in way
        ]
        return siblings + cousins[: len(siblings) + 10]


def labels_of(synset: Synset) -> Sequence[str]:
    """The names that are fit for labels: no proper names, no numbers, few words.

    Examples
    --------
    >>> names = ("band", "Rolling Stones", "a very long name indeed", "3d")
    >>> labels_of(Synset("n1", 14, names, (), "musicians", ()))
    ['band']
    """
    return [
        name
        for name in synset.names
        if name.islower() and name[0].isalpha() and name.count(" ") < LONGEST
    ]


def gloss_examples(
    glosses: Sequence[Gloss], encoder: SentenceEncoder, share: float, rng: random.Random
) -> list[Example]:
    """Soft groups: the true label has a share of the targets, an encoder's cosines the rest.

    Many words have several meanings, so that a wrong label may be true after all.

    Parameters
    ----------
    glosses : sequence of Gloss
    encoder : SentenceEncoder
    share : float
        From 0 to 1.
    rng : random.Random
        Draws templates.

    Returns
    -------
    list of Example
    """
    names = sorted({label for gloss in glosses for label in gloss.labels})
    vectors = dict(zip(names, encoder.embed(names), strict=True))
    texts = encoder.embed([gloss.text for gloss in glosses])
    examples = []
    for gloss, vector in zip(glosses, texts, strict=True):
        cosines = torch.stack([vectors[label] for label in gloss.labels]) @ vector
        opinion = torch.softmax(cosines / DistillationRecipe.temperature, dim=0).tolist()
        hypotheses = in_template(gloss.labels, rng)
        examples.append(Example(gloss.text, hypotheses, None, softened(0, opinion, share)))
    return examples


def _text(synset: Synset, label: str, rng: random.Random) -> str:
    """A definition or a sentence; a sentence that has the label itself would teach nothing."""
    sentences = [x for x in synset.examples if label not in x.lower()]
    if sentences and rng.random() < 0.5:
        return rng.choice(sentences)
    return synset.definition
