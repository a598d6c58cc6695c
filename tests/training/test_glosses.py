"""Label groups from a small database in WordNet's format."""

from __future__ import annotations

import random

import pandas as pd
import pytest
import torch

from sparknlp_zs.training.glosses import Dictionary, GlossRecipe, labels_of
from sparknlp_zs.training.labelling import main, read_soft_groups
from sparknlp_zs.training.similar import SentenceEncoder
from sparknlp_zs.training.wordnet import PARTS, parse, read_wordnet

# Name, the wider one, gloss.
NOUNS = {
    "entity": ("", "whatever is"),
    "event": ("entity", "something that happens"),
    "show": ("event", 'what is shown; "we came late; the lights were out"'),
    "screening": ("show", 'the display of a film; "they went to see it"; "a late screening"'),
    "concert": ("show", "music that is played"),
    "object": ("entity", "a thing that can be seen"),
    "building": ("object", "walls and a roof"),
    "cinema": ("building", "where films are shown"),
    "Rome": ("object", "a town"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Nouns in WordNet's format, and the other parts of speech without any."""
    folder = tmp_path_factory.mktemp("wordnet")
    numbers = {name: f"{at:08}" for at, name in enumerate(NOUNS)}
    lines = ["  1 This software is licensed\n"]
    for name, (wider, gloss) in NOUNS.items():
        pointers = f"001 @ {numbers[wider]} n 0000" if wider else "000"
        lines.append(f"{numbers[name]} 06 n 01 {name} 0 {pointers} | {gloss}  \n")
    for part in PARTS:
        (folder / f"data.{part}").write_text("".join(lines) if part == "noun" else lines[0])
    return folder


def test_a_line_of_the_database():
    # As in WordNet 3.0, with made-up names: their number is hexadecimal; two pointers.
    line = (
        "00027167 03 n 0a location 0 a 0 b 0 c 0 d 0 e 0 f 0 g 0 place_name 0 galore(ip) 0 002 "
        "@ 00002684 n 0000 ~ 00002685 v 0101 | a point or extent in space  \n"
    )
    synset = parse(line)
    assert synset.key == "n00027167"
    assert synset.field == 3
    assert synset.names[0] == "location"
    assert synset.names[-2:] == ("place name", "galore")
    assert len(synset.names) == 10
    assert synset.hypernyms == ("n00002684",)
    assert synset.definition == "a point or extent in space"
    assert synset.examples == ()


def test_definitions_and_examples_are_apart(folder):
    found = {x.names[0]: x for x in read_wordnet(folder).values()}
    assert len(found) == len(NOUNS)
    assert found["show"].definition == "what is shown"
    assert found["screening"].examples == ("they went to see it", "a late screening")


def test_labels_are_true_of_their_texts_and_wrong_ones_are_not(folder):
    dictionary = Dictionary(read_wordnet(folder))
    texts = {
        "the display of a film": {"screening", "show", "event"},
        "they went to see it": {"screening", "show", "event"},
        "where films are shown": {"cinema", "building", "object"},
    }
    seen = {text: set() for text in texts}
    for seed in range(60):
        for gloss in dictionary.glosses(GlossRecipe(labels=3), random.Random(seed)):
            assert len(set(gloss.labels)) == len(gloss.labels) <= 3
            assert "Rome" not in gloss.labels
            assert gloss.label not in gloss.text.split()
            assert "entity" not in gloss.wrong  # true of all
            if gloss.text == "what is shown":
                assert not {"screening", "concert"} & set(gloss.wrong)  # narrower
            if gloss.text in texts:
                seen[gloss.text].add(gloss.label)
                assert not texts[gloss.text] & set(gloss.wrong)
    # "object" is too wide, as all that is below the widest meaning at once.
    assert seen["the display of a film"] == {"screening", "show"}
    assert seen["they went to see it"] == {"screening", "show"}
    assert seen["where films are shown"] == {"cinema", "building"}


def test_a_field_has_a_limit(folder):
    dictionary = Dictionary(read_wordnet(folder))
    assert len(dictionary.glosses(GlossRecipe(per_field=3), random.Random(0))) <= 3
    assert labels_of(read_wordnet(folder)["n00000008"]) == []


def test_command_softens_the_true_label(folder, tiny, tmp_path):
    output = tmp_path / "glosses.parquet"
    options = ["--encoder", str(tiny), "--phrases", "3", "--gold-share", "0.4", "--seed", "3"]
    main(["glosses", "--wordnet", str(folder), *options, "--output", str(output)])
    rows = read_soft_groups(str(output))
    glosses = Dictionary(read_wordnet(folder)).glosses(GlossRecipe(16000, 3), random.Random(3))
    assert [row.premise for row in rows] == [gloss.text for gloss in glosses]
    encoder = SentenceEncoder(str(tiny))
    for row, gloss in zip(rows, glosses, strict=True):
        assert all(x in said for x, said in zip(gloss.labels, row.hypotheses, strict=True))
        cosines = encoder.embed(list(gloss.labels)) @ encoder.embed([gloss.text])[0]
        expected = 0.6 * torch.softmax(cosines / 0.05, dim=0)
        expected[0] += 0.4
        assert list(row.targets) == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--gold-share", "1.5"], "--gold-share 1.5"),
        (["--phrases", "1"], "--phrases 1"),
        (["--wordnet", "nowhere"], "wordnet-base"),
    ],
)
def test_bad_arguments(folder, tiny, tmp_path, option, message):
    options = ["--wordnet", str(folder), "--encoder", str(tiny), "--output", str(tmp_path / "x")]
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        main(["glosses", *options, *option])
    assert pd.Series(list(tmp_path.iterdir())).empty
