"""Classifiers of single texts: Hugging Face's own scores, any number of classes, refusals."""

from __future__ import annotations

import json
import random
import shutil

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from tiny_models import CORPUS, make_model

from sparknlp_zs.classifiers import classifier_of, read_classifier
from sparknlp_zs.engine.cache import ScorerKey, folder_stamp, scorer_for
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.networks.bert import BertNetwork, DistilBertNetwork, RobertaNetwork
from sparknlp_zs.engine.networks.deberta import DebertaNetwork
from sparknlp_zs.engine.prepared import prepared_folder
from sparknlp_zs.models import ModelNotFoundError, ModelSpec
from sparknlp_zs.tasks import (
    NLI,
    Annotation,
    Classifier,
    ClassifierScores,
    ZeroShot,
    task_from_json,
)

CLASSES = ("joy", "anger", "fear, or so", "{sad}", "Joy")
WORDS = " ".join(CORPUS[:4]).split()
NETWORKS = {
    "bert": BertNetwork,
    "deberta-v2": DebertaNetwork,
    "distilbert": DistilBertNetwork,
    "roberta": RobertaNetwork,
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Threads would wait for each other longer than these small models compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random_texts(count: int) -> list[str | None]:
    """Texts of 1 to 90 words (the limit is 64 tokens), some twice, some missing."""
    draw = random.Random(3)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 90))) for _ in range(count)]
    rows = [*texts, *texts[: count // 3], None, "", " \t\n", "\u200b", "[SEP] in a text"]
    draw.shuffle(rows)
    return rows


def stock_logits(folder, texts):
    """Each text by itself, through the stock model and tokenizer."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = [tokenizer(text, truncation=True, return_tensors="pt") for text in texts]
    names = set(tokenizer.model_input_names)
    with torch.no_grad():
        return torch.cat([model(**{k: x[k] for k in names}).logits for x in inputs])


def change_config(folder, target, **values):
    shutil.copytree(folder, target)
    config = json.loads((target / "config.json").read_text())
    changed = {k: v for k, v in {**config, **values}.items() if v is not None}
    (target / "config.json").write_text(json.dumps(changed))
    return target


@pytest.fixture(scope="module", params=NETWORKS)
def folder(request, tmp_path_factory):
    return make_model(request.param, tmp_path_factory.mktemp("own") / request.param, CLASSES)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return make_model("bert", tmp_path_factory.mktemp("own") / "bert", CLASSES)


@pytest.mark.parametrize("multi_label", [False, True])
def test_equal_to_hugging_face(folder, tmp_path, multi_label):
    if multi_label:
        problem = "multi_label_classification"
        folder = change_config(folder, tmp_path / "multi", problem_type=problem)
    rows = random_texts(60)
    task, scorer = read_classifier(folder), load_scorer(folder)
    assert (task.labels, task.multi_label) == (CLASSES, multi_label)
    assert type(scorer._network) is NETWORKS[scorer._network.config.model_type]
    scored = [row for row in rows if row and row.strip()]
    logits = stock_logits(folder, scored)
    expected = iter((logits.sigmoid() if multi_label else logits.softmax(-1)).double().numpy())
    assert logits.std(0).min() > 0.05  # a model that cannot tell texts apart proves nothing
    found = scorer.score(task, [pa.array(rows)]).to_pylist()
    for text, row in zip(rows, found, strict=True):
        if not text or not text.strip():
            assert row is None
            continue
        by_class = dict(zip(row["labels"], row["scores"], strict=True))
        np.testing.assert_allclose([by_class[x] for x in CLASSES], next(expected), atol=1e-5)
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert (row["label"], row["score"]) == (row["labels"][0], row["scores"][0])
    assert next(expected, None) is None


def test_scores_in_the_models_order(bert):
    ranked, scorer = read_classifier(bert), load_scorer(bert)
    texts = [pa.array(["the fox", None, "My card"])]
    found = scorer.score(ClassifierScores(ranked.labels), texts).to_pylist()
    assert found[1] is None
    for row, best in zip(found, scorer.score(ranked, texts).to_pylist(), strict=True):
        if row is not None:
            assert list(row) == list(CLASSES)
            assert row == dict(zip(best["labels"], best["scores"], strict=True))


def test_distinct_texts_once_in_shared_batches(bert):
    """Duplicates are not scored again, and texts of many lengths share a pass."""
    scorer = load_scorer(bert, token_budget=4096)
    calls, network = [], scorer._network
    original = network.logits
    network.logits = lambda batch: calls.append(batch) or original(batch)
    texts = ["the fox", "My card was stolen", "travel", "the fox", "travel"]
    scorer.score(read_classifier(bert), [pa.array(texts)])
    assert [sum(len(group["input_ids"]) for group in batch) for batch in calls] == [3]


def test_two_classes_that_nobody_named(bert, tmp_path):
    """transformers does not save such names."""
    folder = make_model("bert", tmp_path / "two", ("LABEL_0", "LABEL_1"))
    bare = change_config(folder, tmp_path / "bare", id2label=None, label2id=None, num_labels=None)
    for place in (folder, bare):
        task = read_classifier(place)
        assert task.labels == ("LABEL_0", "LABEL_1")
        assert load_scorer(place).score(task, [pa.array(["the fox"])])[0].as_py()["score"] > 0.5


@pytest.mark.parametrize(
    "label2id",
    [None, {}, {f"LABEL_{at}": at for at in range(5)}, {x: at for at, x in enumerate(CLASSES[:3])}],
)
def test_classes_are_those_of_id2label(bert, tmp_path, label2id):
    folder = change_config(bert, tmp_path / "one", label2id=label2id)
    task, texts = read_classifier(folder), [pa.array(["the fox"])]
    assert task.labels == CLASSES
    assert load_scorer(folder).score(task, texts).equals(load_scorer(bert).score(task, texts))


def test_classes_of_a_label2id_alone(bert, tmp_path):
    task, texts = read_classifier(bert), [pa.array(["the fox"])]
    ids = {name: at for at, name in reversed(list(enumerate(task.labels)))}
    folder = change_config(bert, tmp_path / "one", id2label=None, label2id=ids)
    assert read_classifier(folder) == task
    assert load_scorer(folder).score(task, texts).equals(load_scorer(bert).score(task, texts))


def test_names_that_transformers_fills_in_are_kept(bert, tmp_path):
    """They are the names of its pipeline, whatever label2id says."""
    filled = {str(at): f"LABEL_{at}" for at in range(5)}
    folder = change_config(bert, tmp_path / "filled", id2label=filled)
    task = read_classifier(folder)
    assert task.labels == tuple(filled.values())
    assert load_scorer(folder).score(task, [pa.array(["the fox"])]).null_count == 0


def test_cache_and_half_precision(bert):
    task, texts = read_classifier(bert), [pa.array(["the fox", "My card was stolen yesterday."])]
    half = prepared_folder(bert, "bfloat16")
    assert half != bert
    assert read_classifier(half) == task
    key = ScorerKey(half, folder_stamp(half), "bfloat16", "cpu", None)
    assert scorer_for(key) is scorer_for(key)
    scores = ClassifierScores(task.labels)
    exact = [list(x.values()) for x in load_scorer(bert).score(scores, texts).to_pylist()]
    found = [list(x.values()) for x in scorer_for(key).score(scores, texts).to_pylist()]
    np.testing.assert_allclose(found, exact, atol=0.1)


@pytest.mark.parametrize("kind", [Classifier, ClassifierScores])
def test_json(kind):
    task = kind(CLASSES, multi_label=True)
    found = task_from_json(task.to_json())
    assert (type(found), found) == (kind, task)
    assert found != kind(CLASSES)


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["a", "b", "a"], r"\['a'\] given more than once"), (["a", " "], "blank"), (["a"], "nothing")],
)
def test_wrong_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        Classifier(labels)
    with pytest.raises(TypeError, match="pass a list of strings"):
        Classifier("negative")


NLI_CLASSES = {"0": "entailment", "1": "contradiction"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM, no sequence classifier"),
        ({"problem_type": "regression"}, "a regression"),
        ({"id2label": {"0": "score"}}, "a regression .*1 outputs"),
        ({"id2label": {"0": "a", "2": "b"}}, r"ids \[0, 2\]"),
        ({"id2label": {"0": "a", "1": "a"}, "label2id": None}, "more than once"),
        ({"id2label": {"0": "a", "1": ""}, "label2id": None}, "blank"),
        ({"label2id": {"entailment": 0, "contradiction": 1}}, r"label2id=.* and id2label=.*joy"),
        ({"label2id": {"anger": 0, "joy": 1}}, r"label2id=.* and id2label=.*contradict each other"),
        ({"id2label": NLI_CLASSES, "label2id": None}, "an NLI model"),
        ({"id2label": NLI_CLASSES, "label2id": {"LABEL_0": 0, "LABEL_1": 1}}, "an NLI model"),
    ],
)
def test_folders_that_are_refused(bert, tmp_path, values, message):
    with pytest.raises(ValueError, match=message):
        read_classifier(change_config(bert, tmp_path / "changed", **values))


def test_models_that_are_refused(bert, starter, tmp_path):
    with pytest.raises(ValueError, match=r"an NLI model, .*'entailment'.* use classify\(\)"):
        classifier_of("starter")
    with pytest.raises(ValueError, match=r"adapter='x': .*task\(\)"):
        classifier_of(ModelSpec(str(bert), adapter="x"))
    with pytest.raises(TypeError, match="model=None"):
        classifier_of(None)
    with pytest.raises(ModelNotFoundError, match=r"no config\.json"):
        classifier_of(tmp_path)


def test_weights_without_a_classifier_are_refused(bert, tmp_path):
    target = tmp_path / "encoder"
    shutil.copytree(bert, target)
    model = transformers.AutoModel.from_pretrained(bert)
    model.save_pretrained(target)
    with pytest.raises(ValueError, match="BertModel, no sequence classifier"):
        read_classifier(target)
    shutil.copyfile(bert / "config.json", target / "config.json")
    with pytest.raises(ValueError, match=r"weights lack \['classifier"):
        load_scorer(target)


def test_other_tasks_are_refused(bert):
    scorer = load_scorer(bert)
    with pytest.raises(ValueError, match="names no entailment class"):
        scorer.score(ZeroShot(["a"]), [pa.array(["the fox"])])
    with pytest.raises(ValueError, match="names no entailment class"):
        scorer.score(NLI(), [pa.array(["the fox"]), pa.array(["a"])])
    with pytest.raises(ValueError, match="the model's classes are"):
        scorer.score(Classifier(["a", "b"]), [pa.array(["the fox"])])
    with pytest.raises(TypeError, match=r"model of its own; use predict\(\)"):
        Annotation({"mood": Classifier(["a", "b"])})
