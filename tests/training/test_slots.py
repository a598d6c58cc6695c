"""Names in requests."""

from __future__ import annotations

import random

from sparknlp_zs.training.slots import Slots

COMMON = ["wake me at 7", "what's on at the cinema"]
NAMES = ["the trouble with girls, again: $x$", "42 $", "one"]


def test_runs_of_rare_words_are_exchanged_for_words_that_stand_together():
    slots = Slots(COMMON * 5 + ["when is fargo playing"] * 5, NAMES)
    texts = {
        slots.refilled("When is  casa blanca playing, at 9?", random.Random(i)) for i in range(99)
    }
    assert all(x.startswith("When is ") and x.endswith(" playing, at 9?") for x in texts)
    names = {x.removeprefix("When is ").removesuffix(" playing, at 9?") for x in texts}
    assert {"one", "trouble", "trouble with girls"} <= names
    assert all(f" {name} " in " the trouble with girls again x one " for name in names)


def test_texts_of_common_words_stay_as_they_are():
    slots = Slots(COMMON * 5, NAMES)
    for text in ("wake me at  8!", "What's on?", "", " ", "the", "7 8 9"):
        assert slots.refilled(text, random.Random(0)) == text


def test_no_words_to_take_names_from():
    assert (
        Slots(COMMON, ["1 2", ""]).refilled("zebra crossing", random.Random(0)) == "zebra crossing"
    )
