"""Training examples and batches."""

from __future__ import annotations

import random
from importlib.resources import files

import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer

from sparknlp_zs.engine.encoding import PairEncoder
from sparknlp_zs.training.batches import PairBatches
from sparknlp_zs.training.data import (
    Example,
    LabelRecipe,
    at_most,
    drop_seen,
    join_texts,
    label_examples,
    nli_examples,
    polarity_rows,
    read_names,
)
from sparknlp_zs.training.distillation import DistillationRecipe, Teacher

ROWS = pd.DataFrame(
    {
        "text": [f"text {i}" for i in range(30)],
        "label": [f"label {i % 5}" for i in range(30)],
        "set": ["one"] * 20 + ["two"] * 10,
    }
)


def test_label_groups_start_with_the_true_label():
    recipe = LabelRecipe(negatives=3, max_rows_per_set={"one": 12})
    examples = label_examples(ROWS, recipe, {"label 0": ["label 1"]}, random.Random(0))
    assert len(examples) == 12 + 10
    truth = dict(zip(ROWS["text"], ROWS["label"], strict=True))
    for example in examples:
        assert truth[example.premise] in example.hypotheses[0]
        assert len(set(example.hypotheses)) == 4
        assert example.label is None


def test_other_names_of_labels():
    names = {
        ("one", "label 0"): ("first", "early"),
        ("one", "label 1"): ("second", "early"),
        ("two", "label 2"): ("third",),
    }
    said = {name: set() for name in ROWS["set"].unique()}
    truth = dict(zip(ROWS["text"], ROWS["label"], strict=True))
    kinds = dict(zip(ROWS["text"], ROWS["set"], strict=True))
    for seed in range(30):
        recipe = LabelRecipe(negatives=4, names=names, named_share=0.5)
        for example in label_examples(ROWS, recipe, {}, random.Random(seed)):
            name, label = kinds[example.premise], truth[example.premise]
            assert len(set(example.hypotheses)) == 5
            first, *wrong = example.hypotheses
            said[name].add((label, _label_in(first)))
            known = {label, *names.get((name, label), ())}
            assert _label_in(first) in known
            assert not known & {_label_in(x) for x in wrong}  # "early" is true of both
    assert {("label 0", x) for x in ("label 0", "first", "early")} <= said["one"]
    assert {x for label, x in said["two"] if label == "label 0"} == {"label 0"}  # of another set


def _label_in(hypothesis):
    known = [f"label {i}" for i in range(5)] + ["first", "second", "third", "early"]
    return next(name for name in known if name in hypothesis)


def test_names_of_the_starters_labels():
    path = files("sparknlp_zs") / "starter" / "label_names.tsv"
    found = read_names(str(path))
    assert found["hwu64", "iot coffee"][:2] == ("make coffee", "coffee machine")
    for (_, label), names in found.items():
        assert len(set(names)) == len(names) > 1
        assert all(name == name.strip() != "" for name in names), label


def test_requests_have_other_names_in_them_and_rare_labels_come_more_often():
    towns = ["oslo", "lima", "rome", "bern", "baku"] * 2
    texts = ["play some jazz"] * 90 + [f"is it cold in {town}" for town in towns]
    labels = ["music"] * 90 + ["weather"] * 10
    requests = pd.DataFrame({"text": texts, "label": labels, "set": "requests"})
    others = pd.DataFrame({"text": ["red dogs"] * 6, "label": ["a", "b"] * 3, "set": "others"})
    rows = pd.concat([requests, others])
    recipe = LabelRecipe(negatives=1, request_sets=("requests",), refilled_share=0.5)
    drawn = label_examples(rows, recipe, {}, random.Random(0))
    assert len(drawn) == len(rows)
    assert sum("weather" in x.hypotheses[0] for x in drawn) == pytest.approx(25, abs=9)  # of 100
    said = {x.premise for x in drawn}
    assert {"play some jazz", "is it cold in oslo", "is it cold in red dogs", "red dogs"} <= said
    assert all("weather" in x.hypotheses[0] for x in drawn if "cold" in x.premise)
    assert not any("jazz" in x and x != "play some jazz" for x in said)  # no rare words in it


def test_two_labels_give_one_wrong_label():
    rows = ROWS[ROWS["label"].isin(["label 0", "label 1"])]
    examples = label_examples(rows, LabelRecipe(negatives=3), {}, random.Random(0))
    assert {len(x.hypotheses) for x in examples} == {2}


def test_joined_texts_hold_mostly_their_label():
    joined = join_texts(ROWS, 20, random.Random(1))
    truth = dict(zip(ROWS["text"], ROWS["label"], strict=True))
    for text, label in joined:
        numbers = text.replace("text ", "").split()
        hits = sum(truth[f"text {n}"] == label for n in numbers)
        assert hits >= 0.5 * len(numbers)


def test_held_out_texts_are_dropped_whatever_their_case():
    kept = drop_seen(ROWS, ["text"], ["TEXT  3!", "text 7"])
    assert len(kept) == 28
    assert not kept["text"].isin(["text 3", "text 7"]).any()


def test_hypothesis_without_room_for_a_premise_is_left_out(tiny):
    encoder = PairEncoder(AutoTokenizer.from_pretrained(tiny), 48)
    examples = [Example("a", ("word " * 100,), 0), Example("b " * 100, ("short",), 0)]
    batches = list(PairBatches(encoder, lambda rng: examples, 512, seed=0, epochs=1))
    assert sum(int((x["labels"] >= 0).sum()) for x in batches) == 1


def test_polarity_and_limits():
    rows = pd.DataFrame({"text": ["a", "b", "c"], "label": ["joy", "anger", "surprise"]})
    derived = polarity_rows(rows.assign(set="goemotions"))
    assert derived["label"].tolist() == ["positive", "negative"]
    assert at_most(ROWS, {"one": 3}, seed=0)["set"].value_counts().to_dict() == {
        "two": 10,
        "one": 3,
    }


def test_unknown_nli_class():
    rows = pd.DataFrame({"premise": ["a"], "hypothesis": ["b"], "label": ["maybe"]})
    with pytest.raises(ValueError, match=r"\['maybe'\]"):
        nli_examples(rows)


def test_batches_have_fixed_shapes_and_hold_every_example(tiny):
    encoder = PairEncoder(AutoTokenizer.from_pretrained(tiny), 64)
    nli = [Example(f"the fox {'word ' * i}", ("hyp",), i % 4) for i in range(30)]
    groups = [Example(f"my card {i}", ("a", "b", "c"), None) for i in range(10)]
    groups += [Example(f"my card {i}", ("a", "b"), None, (0.4, 0.6)) for i in range(10)]
    nli[:5] = [Example(x.premise, x.hypotheses, 0, (0.5, 0.3, 0.2)) for x in nli[:5]]
    batches = list(PairBatches(encoder, lambda rng: nli + groups, 512, seed=0, epochs=1))
    shapes = {(32, 16), (16, 24), (16, 32), (8, 40), (8, 48), (8, 64)}
    assert {tuple(x["input_ids"].shape) for x in batches} <= shapes
    assert sum(int((x["labels"] >= 0).sum()) for x in batches) == 30
    found = [x["groups"] for x in batches]
    assert sum(len(x) for x in found) == 20
    soft = [row for x in batches for row in x["targets"][:, :2] if row.sum() > 0]
    torch.testing.assert_close(torch.stack(soft), torch.tensor([[0.4, 0.6]] * 10))
    soft_rows = torch.cat([x["row_targets"][x["row_targets"].sum(1) > 0] for x in batches])
    torch.testing.assert_close(soft_rows, torch.tensor([[0.5, 0.3, 0.2]] * 5))
    for batch in batches:
        rows = batch["groups"][batch["groups"] >= 0]
        assert (batch["labels"][rows] == -1).all()
        assert len(torch.unique(rows)) == len(rows)


def test_soft_groups_follow_the_teacher():
    """Texts and phrases on a circle: the targets are the softmax of the cosines."""
    angles = torch.arange(40) * (torch.pi / 40)
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    names = [f"at {i}" for i in range(40)]
    recipe = DistillationRecipe(rows=10, phrases=4, pool=20, near=5, temperature=0.1)
    found = Teacher(names, names, vectors, vectors, recipe).examples(random.Random(0))
    assert len({example.premise for example in found}) == 10
    for example in found:
        said = [next(n for n in reversed(names) if n in h) for h in example.hypotheses]
        assert len(set(said)) == 4
        places = [names.index(n) for n in [example.premise, *said]]
        cosines = vectors[places[1:]] @ vectors[places[0]]
        assert cosines[0] == cosines.max()
        torch.testing.assert_close(torch.tensor(example.targets), torch.softmax(cosines / 0.1, 0))
    with pytest.raises(ValueError, match="pool=500"):
        Teacher(names, names, vectors, vectors, DistillationRecipe())
