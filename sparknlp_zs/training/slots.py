"""Requests with other names in them: what a request is for does not hang on whom it names.

Rare words of requests are mostly names: of songs, films, towns, people. In their place come runs
of words from anywhere, as titles are made of any words ("when is fine totally fine playing").
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, groupby
from operator import itemgetter

from sparknlp_zs.training.phrases import STOP_WORDS

WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
RAREST = 5  # a word in fewer texts is rare
LONGEST = 5  # words of a name


class Slots:
    """The rare words of some texts, and words to put in their place.

    Parameters
    ----------
    texts : sequence of str
        A word is rare if few of these have it.
    others : sequence of str
        Their runs of words become names.

    Examples
    --------
    >>> slots = Slots(["play abba"] + 5 * ["play some jazz"], ["a red dog"])
    >>> slots.refilled("Please play abba again", random.Random(0))
    'Please play a red dog again'
    """

    def __init__(self, texts: Sequence[str], others: Sequence[str]) -> None:
        counts = Counter(word for text in texts for word in set(WORD.findall(text.lower())))
        self._common = {word for word, count in counts.items() if count >= RAREST} | STOP_WORDS
        self._others = [text for text in others if WORD.search(text)]

    def refilled(self, text: str, rng: random.Random) -> str:
        """The text with another name for each run of rare words; as it is if it has none."""
        words = text.split()
        rare = [self._is_rare(word) for word in words]
        if not any(rare) or not self._others:
            return text
        runs = groupby(zip(words, rare, strict=True), key=itemgetter(1))
        parts = [[self._name(rng)] if names else [word for word, _ in run] for names, run in runs]
        return " ".join(chain.from_iterable(parts))

    def _is_rare(self, word: str) -> bool:
        # Numbers and signs name nothing.
        return not self._common.issuperset(WORD.findall(word.lower()))

    def _name(self, rng: random.Random) -> str:
        words = WORD.findall(rng.choice(self._others))
        size = min(rng.randint(1, LONGEST), len(words))
        start = rng.randint(0, len(words) - size)
        return " ".join(words[start : start + size])
