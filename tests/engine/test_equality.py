"""Scores equal those of transformers' pipelines."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import transformers
from tiny_models import ARCHITECTURES, make_model

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import class_ids
from sparknlp_zs.tasks import NLI, ZeroShot, ZeroShotScores

TEXTS = [
    "My card was stolen yesterday.",
    "the fox",
    "Größe, naïve café, 東京, Привет 😀",
    "  spaces  and\ttabs\n",
    "a long text that must be truncated because it does not fit " * 20,
    "[CLS] special [SEP] tokens </s> in the text {}",
]
LABELS = ["travel", "cooking, and politics", "{braces} {}", "a rather long label with many words"]
TEMPLATES = ["This example is {}.", "{}", "Über {}: ja?"]
MODELS = [*ARCHITECTURES, "starter"]


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest):
    if request.param == "starter":
        return request.getfixturevalue("starter")
    return request.getfixturevalue("tiny_models")[request.param]


@pytest.fixture(scope="module")
def scorer(model):
    return load_scorer(model)


def pipeline(kind: str, folder):
    return transformers.pipeline(kind, model=str(folder), dtype="float32", device="cpu")


def hugging_face_scores(folder, texts, labels, template, multi_label):
    zero_shot = pipeline("zero-shot-classification", folder)
    rows = []
    for text in texts:
        found = zero_shot(text, labels, hypothesis_template=template, multi_label=multi_label)
        by_label = dict(zip(found["labels"], found["scores"], strict=True))
        rows.append([by_label[label] for label in labels])
    return np.array(rows)


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("template", TEMPLATES)
def test_zero_shot(model, scorer, template, multi_label):
    labels = LABELS
    if template != TEMPLATES[0]:
        labels = LABELS[:2]
    # The pipeline fills templates with str.format, whose result for braces in labels is the same.
    expected = hugging_face_scores(model, TEXTS, labels, template, multi_label)
    task = ZeroShotScores(labels, template, multi_label)
    scored = scorer.score(task, [pa.array(TEXTS)])
    found = np.array([[row[label] for label in labels] for row in scored.to_pylist()])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected) > 0.01  # a model that cannot tell texts apart would prove nothing


def test_one_candidate_label(model, scorer):
    expected = hugging_face_scores(model, TEXTS, LABELS[:1], TEMPLATES[0], False)
    scored = scorer.score(ZeroShot(LABELS[:1]), [pa.array(TEXTS)])
    found = [row["score"] for row in scored.to_pylist()]
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-5)


def test_ranked_lists(model, scorer):
    zero_shot = pipeline("zero-shot-classification", model)
    scored = scorer.score(ZeroShot(LABELS), [pa.array(TEXTS)]).to_pylist()
    for text, row in zip(TEXTS, scored, strict=True):
        expected = zero_shot(text, LABELS)
        assert row["labels"] == expected["labels"]
        assert row["label"] == expected["labels"][0]
        np.testing.assert_allclose(row["scores"], expected["scores"], atol=1e-5)


def assert_nli_equals_the_pipeline(model, scorer, premises, hypotheses):
    classify = pipeline("text-classification", model)
    scored = scorer.score(NLI(), [pa.array(premises), pa.array(hypotheses)]).to_pylist()
    for premise, hypothesis, row in zip(premises, hypotheses, scored, strict=True):
        pair = {"text": premise, "text_pair": hypothesis}
        expected = classify([pair], top_k=None, truncation=True)[0]
        for entry in expected:
            assert row[entry["label"].lower()] == pytest.approx(entry["score"], abs=1e-5)
        assert row["label"] == expected[0]["label"].lower()
        assert row["score"] == pytest.approx(expected[0]["score"], abs=1e-5)
    return [row["entailment"] for row in scored]


def test_nli(model, scorer):
    hypotheses = ["I lost my card.", "An animal.", "東京 😀", "{}", "A text.", "Tokens [SEP]."]
    assert_nli_equals_the_pipeline(model, scorer, TEXTS, hypotheses)


def test_nli_of_long_texts(model, scorer):
    """The longer text is cut first, whichever it is; each of a batch as by itself."""
    draw = np.random.default_rng(3)
    words = " ".join([*TEXTS[:4], "A man is not asleep, {} the fox runs!"]).split()
    # Up to twice the tokens that the tiny models take; the starter model takes 512.
    sizes = draw.integers(1, 60, (2, 24)) * (20 if model.name == "model" else 1)
    premises, hypotheses = ([" ".join(draw.choice(words, n)) for n in part] for part in sizes)
    long = "the fox and the card " * 300
    premises += [long, "the fox", long, long[:-1]]
    hypotheses += ["a card", long, long[5:], long]
    entailment = assert_nli_equals_the_pipeline(model, scorer, premises, hypotheses)
    assert np.ptp(entailment) > 0.01
    columns = [pa.array(premises), pa.array(hypotheses)]
    room = scorer._text_pairs.room(0)
    ids = [scorer._text_pairs.tokenize(texts) for texts in (premises, hypotheses)]
    over = [len(a) + len(b) > room for a, b in zip(*ids, strict=True)]
    assert scorer.measure(NLI(), columns).truncated.to_pylist() == over
    assert len(set(over)) == 2


@pytest.mark.parametrize(
    "labels", [("not_entailment", "entailment"), ("ENTAILMENT", "Not-Entailment")]
)
def test_two_classes(tmp_path, labels):
    folder = make_model("bert", tmp_path / "two", labels)
    expected = hugging_face_scores(folder, TEXTS, LABELS, TEMPLATES[0], True)
    scored = load_scorer(folder).score(ZeroShotScores(LABELS, multi_label=True), [pa.array(TEXTS)])
    found = np.array([[row[label] for label in LABELS] for row in scored.to_pylist()])
    np.testing.assert_allclose(found, expected, atol=1e-5)

    row = load_scorer(folder).score(NLI(), [pa.array(["the fox"]), pa.array(["a dog"])])[0].as_py()
    assert row["label"] in ("entailment", "not_entailment")
    assert row["neutral"] is None
    assert row["contradiction"] is None


def test_contradiction_is_found_by_name(tmp_path):
    """Hugging Face takes the first class for contradiction, here the neutral one."""
    folder = make_model("bert", tmp_path / "order", ("neutral", "contradiction", "entailment"))
    scorer = load_scorer(folder)
    scored = scorer.score(ZeroShot(["travel"]), [pa.array(["the fox"])])[0].as_py()
    nli = scorer.score(NLI(), [pa.array(["the fox"]), pa.array(["This example is travel."])])
    row = nli[0].as_py()
    expected = row["entailment"] / (row["entailment"] + row["contradiction"])
    assert scored["score"] == pytest.approx(expected, abs=1e-6)


def test_model_without_entailment_is_refused(tmp_path):
    folder = make_model("bert", tmp_path / "plain", ("positive", "neutral", "negative"))
    with pytest.raises(ValueError, match="names no entailment class"):
        load_scorer(folder).score(ZeroShot(["travel"]), [pa.array(["the fox"])])
    with pytest.raises(ValueError, match="LABEL_0"):
        class_ids({"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2})
