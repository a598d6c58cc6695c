"""Soft targets from models, against their own scores, and a student trained on them."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose

import sparknlp_zs
from sparknlp_zs.training.__main__ import main as train
from sparknlp_zs.training.data import Example
from sparknlp_zs.training.labelling import main, read_soft_groups, read_soft_nli, recombined
from sparknlp_zs.training.opinions import CLASSES, geometric_mean, nli_opinions, with_opinions
from sparknlp_zs.training.phrases import commands


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """NLI rows and labelled texts with enough phrases to choose from."""
    folder = tmp_path_factory.mktemp("labelling")
    things = ["bank card", "exchange rate", "travel plan", "old fox", "lazy dog", "brown bread"]
    rows = [(f"the {x} of {y}", f"a {y}") for x in things for y in things for _ in range(3)]
    nli = pd.DataFrame(rows, columns=["premise", "hypothesis"])
    labels = [[*CLASSES, "not_entailment"][i % 4] for i in range(len(nli))]
    nli.assign(label=labels, set="x").to_parquet(folder / "nli.parquet")
    texts = [f"my {x} and a {y}, number {i}" for i, (x, y) in enumerate(pairwise(things))]
    kinds = [x.split()[1] for x in things[:-1]]
    pd.DataFrame({"text": texts * 4, "label": kinds * 4, "set": "y"}).to_parquet(
        folder / "labels.parquet"
    )
    return folder


def arguments(data, output, labels=True):
    sources = ["--nli", str(data / "nli.parquet"), "--output", str(output)]
    return [*sources, "--labels", str(data / "labels.parquet")] if labels else sources


def test_nli_targets_are_the_mean_of_the_models(data, tiny_models, tmp_path):
    models = [str(tiny_models["bert"]), str(tiny_models["roberta"])]
    main(["nli", *arguments(data, tmp_path / "soft.parquet", labels=False), "--models", *models])
    rows = pd.read_parquet(tmp_path / "soft.parquet")
    assert set(rows["label"]) == set(CLASSES)
    said = [rows.zsc.nli("premise", "hypothesis", model=m)[list(CLASSES)] for m in models]
    product = np.sqrt(said[0].to_numpy() * said[1].to_numpy())
    assert_allclose(rows[list(CLASSES)], product / product.sum(axis=1, keepdims=True), atol=1e-5)
    examples = read_soft_nli(str(tmp_path / "soft.parquet"), 0.25)
    first, example = rows.iloc[0], examples[0]
    expected = 0.75 * first[list(CLASSES)].to_numpy(float)
    expected[CLASSES.index(first["label"])] += 0.25
    assert_allclose(example.targets, expected)


def test_groups_hold_the_encoders_and_the_models_opinions(tiny):
    said = ("This example is travel.", "cooking")
    own = [(0.9, 0.1), (1.0, 0.0)]
    texts = ["the quick fox", "dog"]
    examples = [Example(text, said, None, p) for text, p in zip(texts, own, strict=True)]
    found = with_opinions([sparknlp_zs.ModelSpec(str(tiny))], examples)
    scores = pd.Series(texts).zsc.scores(list(said), hypothesis_template="{}", model=str(tiny))
    for example, p, row in zip(found, own, scores.to_numpy(), strict=True):
        assert example.hypotheses == said
        product = np.sqrt(np.maximum(p, 1e-6) * row)
        assert_allclose(example.targets, product / product.sum(), atol=1e-5)


def test_groups_without_models_hold_the_encoders_opinions_alone(data, tiny, tmp_path):
    options = ["--encoder", str(tiny), "--groups", "12"]
    found = {}
    for name, models in (("alone", []), ("joined", ["--models", str(tiny)])):
        main(["groups", *arguments(data, tmp_path / name), *options, *models])
        found[name] = read_soft_groups(str(tmp_path / name))
    expected = with_opinions([sparknlp_zs.ModelSpec(str(tiny))], found["alone"])
    for joined, example in zip(found["joined"], expected, strict=True):
        assert (joined.premise, joined.hypotheses) == (example.premise, example.hypotheses)
        assert_allclose(joined.targets, example.targets, atol=1e-6)
    assert any(x.targets != y.targets for x, y in zip(found["alone"], found["joined"], strict=True))


def test_command_draws_groups_that_a_student_is_trained_on(data, tiny, tmp_path, capsys):
    groups, soft = tmp_path / "groups.parquet", tmp_path / "nli.parquet"
    options = ["--models", str(tiny), "--rows", "x=40"]
    main(["nli", *arguments(data, soft, labels=False), *options])
    main(["groups", *arguments(data, groups), *options, "--encoder", str(tiny), "--groups", "12"])
    found = read_soft_groups(str(groups))
    assert len(found) == 12
    for example in found:
        assert sum(example.targets) == pytest.approx(1)
        assert len(set(example.hypotheses)) == len(example.targets) == 4
    names = tmp_path / "names.tsv"
    other = [f"known by name {i}" for i in range(6)]
    names.write_text(f"set\tlabel\tnames\ny\tcard\t{';'.join(other)}\n")
    named = [*arguments(data, groups), *options, "--encoder", str(tiny), "--names", str(names)]
    main(["groups", *named, "--groups", "20"])
    said = [x for example in read_soft_groups(str(groups)) for x in example.hypotheses]
    assert all(any(name in x for x in said) for name in other)
    student = ["--base", str(tiny), *arguments(data, tmp_path / "student"), "--steps", "2"]
    student += ["--names", str(names)]
    train([*student, "--tokens", "512", "--soft-nli", str(soft), "--soft-groups", str(groups)])
    assert '"steps": 2' in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"--gold-share 2\.0"):
        train([*student, "--gold-share", "2"])


def test_groups_of_requests_with_other_names_in_them(data, tiny, tmp_path):
    requests = [f"show my old {town}" for town in ("york", "town", "fox", "dog") for _ in range(9)]
    more = pd.DataFrame({"text": requests, "label": "show", "set": "requests"})
    rows = pd.concat([pd.read_parquet(data / "labels.parquet"), more])
    rows.to_parquet(tmp_path / "labels.parquet")
    sources = ["groups", "--nli", str(data / "nli.parquet"), "--encoder", str(tiny)]
    sources += ["--labels", str(tmp_path / "labels.parquet"), "--output", str(tmp_path / "groups")]
    drawn = {}
    for name, options in (("all", []), ("requests", ["--request-sets", "requests"])):
        main([*sources, "--groups", "60", *options])
        drawn[name] = [x.premise for x in read_soft_groups(str(tmp_path / "groups"))]
    shares = {name: np.mean(["show" in x for x in texts]) for name, texts in drawn.items()}
    assert shares["requests"] > shares["all"]
    with pytest.raises(ValueError, match=r"--request-sets z.*it has \['requests', 'y'\]"):
        main([*sources, "--request-sets", "requests", "z"])


def test_new_pairs_are_of_like_premises_and_have_no_true_class(tiny, tmp_path):
    premises = ["a fox", "the fox", "a dog", "the dog", "a fox"]
    rows = pd.DataFrame({"premise": premises, "hypothesis": list("vwxyz")})
    rows = rows.assign(label="neutral", set="x")
    fox, dog = [1.0, 0.0], [0.0, 1.0]
    near = [0.6, 0.8]
    vectors = torch.tensor([fox, [0.8, 0.6], dog, near, fox])
    found = recombined(rows, vectors, 200, random.Random(0), near=1)
    pairs = set(zip(found["premise"], found["hypothesis"], strict=True))
    assert pairs == {
        ("a fox", "w"),
        ("the fox", "y"),
        ("a dog", "y"),
        ("the dog", "w"),
    }
    rows.to_parquet(tmp_path / "nli.parquet")
    options = ["nli", "--nli", str(tmp_path / "nli.parquet"), "--models", str(tiny)]
    options += ["--output", str(tmp_path / "soft.parquet"), "--recombined", "50"]
    with pytest.raises(ValueError, match="--encoder"):
        main(options)
    main([*options, "--encoder", str(tiny)])
    soft = pd.read_parquet(tmp_path / "soft.parquet")
    assert set(soft["set"]) == {"x", "recombined"}
    assert soft["label"].notna().sum() == 5
    main([*options, "--encoder", str(tiny), "--distrust", "x", "--output", str(tmp_path / "no")])
    assert pd.read_parquet(tmp_path / "no")["label"].isna().all()
    for (_, row), example in zip(
        soft.iterrows(), read_soft_nli(str(tmp_path / "soft.parquet"), 1.0), strict=True
    ):
        known = row["set"] == "x"
        opinion = row[list(CLASSES)].to_numpy(float)
        assert_allclose(example.targets, [0, 1, 0] if known else opinion)
        assert known or example.label == opinion.argmax()


def test_commands_have_verbs_that_texts_order_with():
    texts = [
        "Play some jazz now",
        "could you find me rock",
        "what a day",
        "play jazz",
        "play my song",
    ]
    found = commands(texts, ["jazz", "rock"], 9, random.Random(0), at_least=1)
    assert sorted(found) == ["find jazz", "find rock", "play jazz", "play rock"]
    assert len(commands(texts, ["jazz", "rock"], 3, random.Random(0), at_least=1)) == 3
    found = commands(texts, ["jazz"], 9, random.Random(0), at_least=2)
    assert found == ["play jazz"]


def test_blank_texts_have_no_opinion(tiny):
    found = nli_opinions([sparknlp_zs.ModelSpec(str(tiny))], ["", "a fox"], ["a dog", "a dog"])
    assert_allclose(found[0], [1 / 3] * 3)
    assert found[1].max() > 0.4


def test_geometric_mean_survives_zeros():
    assert_allclose(geometric_mean([np.array([1.0, 0.0]), np.array([0.5, 0.5])]), [1, 0], atol=2e-3)
