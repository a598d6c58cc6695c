"""Soft label groups: how near a sentence encoder finds phrases to a text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sparknlp_zs.training.data import Example, in_template


@dataclass(frozen=True)
class DistillationRecipe:
    """How soft groups are drawn.

    ``rows`` texts an epoch, each with ``phrases`` candidates: the nearest of a random pool of
    ``pool`` phrases, others among the pool's ``near`` nearest, and for the rest any.
    ``temperature`` divides the cosines before the softmax that gives the targets.
    """

    rows: int = 30000
    phrases: int = 4
    pool: int = 500
    near: int = 20
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if self.pool < self.phrases:
            raise ValueError(
                f"pool={self.pool}: {self.phrases} phrases cannot be drawn from it; give more texts"
            )


class Teacher:
    """The embeddings of texts and phrases, and groups drawn from them.

    Parameters
    ----------
    texts, phrases : list of str
    text_vectors, phrase_vectors : float tensors [texts, size], [phrases, size]
        From a sentence encoder (``similar.SentenceEncoder``); their products say what is near.
    recipe : DistillationRecipe
    """

    def __init__(
        self,
        texts: Sequence[str],
        phrases: Sequence[str],
        text_vectors: torch.Tensor,
        phrase_vectors: torch.Tensor,
        recipe: DistillationRecipe,
    ) -> None:
        self._texts, self._phrases = texts, phrases
        self._text_vectors, self._phrase_vectors = text_vectors, phrase_vectors
        self._recipe = recipe
        if len(phrases) < recipe.pool:
            raise ValueError(
                f"pool={recipe.pool}, but there are {len(phrases)} phrases; give more texts, or a "
                "smaller pool"
            )

    def examples(self, rng: random.Random) -> list[Example]:
        """The soft groups of one epoch."""
        rows = rng.sample(range(len(self._texts)), min(self._recipe.rows, len(self._texts)))
        return [self._example(row, rng) for row in rows]

    def _example(self, row: int, rng: random.Random) -> Example:
        recipe = self._recipe
        pool = torch.tensor(rng.sample(range(len(self._phrases)), recipe.pool))
        cosines = self._phrase_vectors[pool] @ self._text_vectors[row]
        near = cosines.topk(min(recipe.near, recipe.pool)).indices.tolist()
        others = rng.sample(near[1:], recipe.phrases // 2)
        places = [near[0], *others]
        while len(places) < recipe.phrases:
            place = rng.randrange(recipe.pool)
            if place not in places:
                places.append(place)
        targets = torch.softmax(cosines[places] / recipe.temperature, dim=0)
        hypotheses = in_template([self._phrases[int(pool[place])] for place in places], rng)
        return Example(self._texts[row], hypotheses, None, tuple(targets.tolist()))
