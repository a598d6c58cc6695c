"""Phrases of the training texts: stand-ins for labels that no data set has."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence

WORD = re.compile(r"[a-z][a-z'-]+")
LONGEST = 3  # words
# A verb that asks for something: "play some jazz", "can you book a table".
ORDER = re.compile(
    r"(?:please |can you |could you |i want to |i would like to |i'd like to )*"
    r"([a-z]+) (?:a|an|all|any|me|my|some|that|the|this) "
)
STOP_TEXT = """
a about after again all also am an and any anything are as at back be because been before being
but by came can can't could couldn't did didn't do does doesn't doing don't down each even ever
every few for from get gets getting give go goes going gone got had has hasn't have haven't having
he he's her here hers him his how i i'd i'll i'm i've if in into is isn't it it's its just know let
let's like made make many may me might more most much must my need never no not now of off oh ok on
one only or other our out over please put really s same say says see she she's should so some
something still such sure t take tell than thanks that that's the their them then there there's
these they they're thing things think this those to too two up us use used very want wants was
wasn't way we we're well were weren't what what's when where which while who why will with won't
would wouldn't yes yet you you're your
"""
STOP_WORDS = frozenset(STOP_TEXT.split())


def common_phrases(texts: Iterable[str], at_least: int = 3) -> list[str]:
    """Runs of up to three words with no stop word among them, in at least so many texts.

    As the candidates of RAKE (Rose et al. 2010). In descending order of the number of texts.

    Examples
    --------
    >>> common_phrases(["Where is my bank card?", "A bank card, please."], at_least=2)
    ['bank card']
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_phrases(text.lower())))
    return [phrase for phrase, count in counts.most_common() if count >= at_least]


def commands(
    texts: Iterable[str], phrases: Sequence[str], count: int, rng: random.Random, at_least: int = 10
) -> list[str]:
    """Phrases behind verbs that at least so many texts order something with, as intents are named.

    At most ``count`` of all combinations, drawn at random; senseless ones are near no text.

    Examples
    --------
    >>> commands(["Please play the radio"], ["jazz"], 5, random.Random(0), at_least=1)
    ['play jazz']
    """
    counts = Counter(ordered(text) for text in texts)
    verbs = [w for w, n in counts.most_common() if w and n >= at_least]
    pairs = range(len(verbs) * len(phrases))
    drawn = rng.sample(pairs, min(count, len(pairs)))
    return [f"{verbs[at // len(phrases)]} {phrases[at % len(phrases)]}" for at in drawn]


def ordered(text: str) -> str | None:
    """The verb of a text that asks for something to be done.

    Examples
    --------
    >>> ordered("Could you find me a taxi"), ordered("what a day")
    ('find', None)
    """
    order = ORDER.match(text.lower())
    return order.group(1) if order and order.group(1) not in STOP_WORDS else None


def words(vocabulary: Iterable[str]) -> list[str]:
    """The whole words among a tokenizer's tokens, from three letters on, without stop words.

    Examples
    --------
    >>> words(["##ing", "cinema", "an", "[CLS]", "the", "1984"])
    ['cinema']
    """
    return [x for x in vocabulary if len(x) > 2 and WORD.fullmatch(x) and x not in STOP_WORDS]


def _phrases(text: str) -> Iterable[str]:
    run: list[str] = []
    end = -1
    for word in WORD.finditer(text):
        adjoining = word.start() == end + 1 and text[end] == " "
        if run and not (adjoining and word.group() not in STOP_WORDS):
            yield from _whole(run)
            run = []
        if word.group() not in STOP_WORDS:
            run.append(word.group())
        end = word.end()
    yield from _whole(run)


def _whole(run: list[str]) -> Iterable[str]:
    if 0 < len(run) <= LONGEST:
        yield " ".join(run)
