"""Task heads give the outputs of the stock model with a hook and a linear layer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from tiny_adapters import make_adapter, stock_logits
from tiny_models import ARCHITECTURES, make_model

from sparknlp_zs.engine.adapters import read_adapter
from sparknlp_zs.engine.combined import with_adapter
from sparknlp_zs.engine.encoding import single_layout
from sparknlp_zs.engine.head_encoding import HeadEncoder
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.pairs import PairTokens
from sparknlp_zs.models import ModelSpec
from sparknlp_zs.tasks import (
    NLI,
    Annotation,
    ChoiceTask,
    HeadTask,
    PairHeadTask,
    RowTasks,
    TaskHead,
    ZeroShot,
    task_from_json,
)
from sparknlp_zs.tasks.heads import CHOICES, PAIR, TEXT, find_task

TEXTS = [
    "My card was stolen yesterday.",
    "the fox",
    "Größe, naïve café, 東京, Привет 😀",
    "a long text that must be truncated because it does not fit " * 20,
    "[CLS] special [SEP] tokens in the text {}",
]
SECONDS = [
    "I lost my card.",
    "a text longer than the first " * 30,
    "東京 😀",
    "cut too " * 40,
    "{}",
]


@pytest.fixture(scope="module")
def model(tiny_models):
    return tiny_models["deberta-v2"]


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    adapter = make_adapter(tmp_path_factory.mktemp("adapters") / "adapter")
    return with_adapter(model, ModelSpec(str(model), adapter=str(adapter)))


@pytest.fixture(scope="module")
def scorer(folder):
    return load_scorer(folder)


def resolved(scorer, name, columns=TEXT):
    return TaskHead(name, columns=columns).resolve(find_task(scorer.tasks, name))


def assert_class_scores(found, logits, labels, atol=1e-5):
    """Structs equal the softmax of the logits, ranked."""
    for row, expected in zip(found, logits.softmax(-1).double().numpy(), strict=True):
        by_label = dict(zip(row["labels"], row["scores"], strict=True))
        np.testing.assert_allclose([by_label[x] for x in labels], expected, atol=atol)
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert (row["label"], row["score"]) == (row["labels"][0], row["scores"][0])


@pytest.mark.parametrize("name", ["glue/sst2", "yelp_review_full"])
def test_single_texts(model, scorer, name):
    head = resolved(scorer, name)
    found = scorer.score(HeadTask(head), [pa.array(TEXTS)]).to_pylist()
    expected = stock_logits(model, name, TEXTS)
    assert_class_scores(found, expected, head.labels)
    assert expected.std(0).min() > 0.01  # a model that cannot tell texts apart proves nothing


@pytest.mark.parametrize("name", ["glue/mnli", "glue/rte", "glue/qnli"])
def test_pairs(model, scorer, name):
    """Both texts are cut, the longer one first; rte and qnli share a weight, not the bias."""
    head = resolved(scorer, name, PAIR)
    found = scorer.score(PairHeadTask(head), [pa.array(TEXTS), pa.array(SECONDS)]).to_pylist()
    assert_class_scores(found, stock_logits(model, name, TEXTS, SECONDS), head.labels)


def test_regression(model, scorer):
    task = PairHeadTask(resolved(scorer, "glue/stsb", PAIR))
    found = scorer.score(task, [pa.array(TEXTS), pa.array(SECONDS)]).to_pylist()
    expected = stock_logits(model, "glue/stsb", TEXTS, SECONDS)[:, 0]
    np.testing.assert_allclose([row["score"] for row in found], expected, atol=1e-5)
    assert {(row["label"], row["labels"], row["scores"]) for row in found} == {(None, None, None)}


def test_heads_share_a_batch(model, folder, scorer):
    """One forward pass over rows of several heads, of as many outputs."""
    names = ["glue/sst2", "yelp_review_full", "glue/stsb", "glue/sst2"]
    task = RowTasks()
    assert task_from_json(task.of(scorer.tasks).to_json()) == task.of(scorer.tasks)
    texts = ["the fox", "my card", "travel", "a dog"]
    mixed = load_scorer(folder, token_budget=4096)
    calls, network = [], mixed._network
    original = network.logits
    network.logits = lambda batch: calls.append(batch) or original(batch)
    found = mixed.score(task, [pa.array(texts), pa.array(names)]).to_pylist()
    heads = [sorted(np.concatenate([x["head_ids"] for x in batch]).tolist()) for batch in calls]
    assert heads == [[1, 1, 3, 5]]
    for row, name, text in zip(found, names, texts, strict=True):
        expected = stock_logits(model, name, [text])
        if name == "glue/stsb":
            assert row["score"] == pytest.approx(expected[0, 0].item(), abs=1e-5)
        else:
            assert_class_scores([row], expected, resolved(scorer, name).labels)


def test_tasks_by_row(model, scorer):
    names = ["glue/sst2", None, "glue/stsb", "yelp_review_full", "glue/sst2", " ", "glue/sst2"]
    texts = [*TEXTS, "the fox", None]
    found = scorer.score(RowTasks(), [pa.array(texts), pa.array(names)]).to_pylist()
    for row, name, text in zip(found, names, texts, strict=True):
        if not text or not (name or "").strip():
            assert row is None
        elif name == "glue/stsb":
            assert row["score"] == pytest.approx(
                stock_logits(model, name, [text])[0, 0].item(), abs=1e-5
            )
        else:
            labels = resolved(scorer, name).labels
            assert_class_scores([row], stock_logits(model, name, [text]), labels)
    with pytest.raises(ValueError, match="'glue/nope'"):
        scorer.score(RowTasks(), [pa.array(["a"]), pa.array(["glue/nope"])])
    with pytest.raises(ValueError, match="'swag/regular' is a multiple choice task: pass choices"):
        scorer.score(RowTasks(), [pa.array(["a"]), pa.array(["swag/regular"])])
    pairs = scorer.score(
        RowTasks(PAIR),
        [pa.array(["a", "b"]), pa.array(["x", None]), pa.array(["glue/rte", "glue/rte"])],
    )
    expected = scorer.score(
        PairHeadTask(resolved(scorer, "glue/rte", PAIR)), [pa.array(["a"]), pa.array(["x"])]
    )
    assert pairs.to_pylist() == [expected[0].as_py(), None]


def test_heads_and_zero_shot_in_one_annotation(folder):
    """Each task's own result; the heads share passes of the network, the rest others."""
    scorer = load_scorer(folder, token_budget=4096)
    tasks = {
        "five": HeadTask(resolved(scorer, "yelp_review_full")),
        "topic": ZeroShot(["x", "y"]),
        "value": HeadTask(resolved(scorer, "glue/stsb")),
        "two": HeadTask(resolved(scorer, "glue/sst2")),
    }
    task = Annotation(tasks)
    assert task_from_json(task.to_json()) == task
    texts = pa.array(["the fox", None, TEXTS[3], " ", "the fox", "my card"])
    calls, network = [], scorer._network
    original = network.logits
    network.logits = lambda batch: calls.append(batch) or original(batch)
    found = scorer.measure(task, [texts])
    heads = [x["head_ids"].tolist() for batch in calls for x in batch if "head_ids" in x]
    assert sorted(number for some in heads for number in some) == [1, 1, 1, 3, 3, 3, 5, 5, 5]
    assert found.result.type == task.result_type
    assert found.truncated.to_pylist() == [False, False, True, False, False, False]
    assert found.result.is_null().to_pylist() == [False, True, False, True, False, False]
    for name, part in tasks.items():
        expected = scorer.score(part, [texts]).to_pylist()
        for row, alone in zip(found.result.to_pylist(), expected, strict=True):
            assert (row is None) == (alone is None)
            for key, value in (alone or {}).items():
                numbers = key in ("score", "scores") and value is not None
                assert row[name][key] == (pytest.approx(value, abs=1e-5) if numbers else value)
    heads = {name: part for name, part in tasks.items() if name != "topic"}
    alone = scorer.score(Annotation(heads), [texts.slice(0, 0)])
    assert (len(alone), alone.type) == (0, Annotation(heads).result_type)


CHOICE_ROWS = [
    ("the fox", ["jumps over", "cooks", "travel " * 50]),
    ("my card", ["was stolen", "dog"]),
    (None, ["a", "b"]),
    ("my card", None),
    ("my card", []),
    ("my card", ["a", None]),
    ("my card", ["a", "  "]),
    (" ", ["a"]),
    ("the fox", ["only one"]),
    ("the fox", ["twice", "twice"]),
]


def assert_same_choices(found, expected):
    """The same choices in the same order, with scores as near as other batches give them."""
    assert [row and row["labels"] for row in found] == [row and row["labels"] for row in expected]
    for row, other in zip(found, expected, strict=True):
        if row is not None:
            np.testing.assert_allclose(row["scores"], other["scores"], atol=1e-6)


def test_multiple_choice(model, scorer):
    head = resolved(scorer, "swag/regular", CHOICES)
    texts, choices = map(pa.array, zip(*CHOICE_ROWS, strict=True))
    found = scorer.score(ChoiceTask(head), [texts, choices]).to_pylist()
    for row, (text, options) in zip(found, CHOICE_ROWS, strict=True):
        if not (text or "").strip() or not options or not all((x or "").strip() for x in options):
            assert row is None
            continue
        logits = stock_logits(model, head.name, [text] * len(options), options)[:, 0]
        expected = logits.softmax(0).double().numpy()
        order = np.argsort(-expected, kind="stable")
        assert row["labels"] == [options[at] for at in order]
        np.testing.assert_allclose(row["scores"], expected[order], atol=1e-5)
        assert (row["label"], row["score"]) == (row["labels"][0], row["scores"][0])
    sliced = scorer.score(ChoiceTask(head), [texts.slice(1, 3), choices.slice(1, 3)]).to_pylist()
    assert [row and row["label"] for row in sliced] == [found[1]["label"], None, None]
    nothing = scorer.score(ChoiceTask(head), [texts.slice(0, 0), choices.slice(0, 0)])
    assert len(nothing) == 0
    names = pa.array([head.name] * (len(texts) - 1) + [None])
    by_row = scorer.score(RowTasks(CHOICES), [texts, choices, names]).to_pylist()
    assert_same_choices(by_row, [*found[:-1], None])


def test_nli_is_unchanged_by_heads(model, folder):
    """Before, between and after heads, as from the model without an adapter."""
    pairs, texts = [pa.array(TEXTS[:3]), pa.array(["a", "b", "c"])], [pa.array(TEXTS)]
    plain, scorer = load_scorer(model), load_scorer(folder)
    task = HeadTask(resolved(scorer, "glue/sst2"))
    table = scorer._network._embeddings.word_embeddings.weight.clone()
    expected, first = plain.score(NLI(), pairs), scorer.score(task, texts)
    for _ in range(2):
        assert scorer.score(NLI(), pairs).equals(expected)
        assert scorer.score(task, texts).equals(first)
    zero_shot = ZeroShot(["x", "y"])
    assert scorer.score(zero_shot, texts).equals(plain.score(zero_shot, texts))
    assert scorer._network._embeddings.word_embeddings.weight.equal(table)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(model, folder, dtype):
    """About as close to float32 as the stock model in the same dtype."""
    scorer = load_scorer(folder, dtype)
    head = resolved(scorer, "glue/sst2")
    found = scorer.score(HeadTask(head), [pa.array(TEXTS)]).to_pylist()
    negative = [row["scores"][row["labels"].index("negative")] for row in found]
    exact, stock = (
        stock_logits(model, head.name, TEXTS, dtype=x).softmax(-1)[:, 0].numpy()
        for x in ("float32", dtype)
    )
    assert np.abs(negative - exact).mean() < 3 * np.abs(stock - exact).mean() + 1e-3


def test_small_word_embeddings(tmp_path):
    """The task's vector has the size of the word embeddings."""
    from tiny_adapters import HIDDEN, make_weights

    folder = make_model("deberta-v2", tmp_path / "m")
    config = transformers.AutoConfig.from_pretrained(folder)
    config.embedding_size = 20
    torch.manual_seed(1)
    stock = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    stock.save_pretrained(folder)
    adapter = make_adapter(tmp_path / "a")
    weights = make_weights()
    weights["Z"] = weights["Z"][:, :20].clone()
    torch.save(weights, adapter / "pytorch_model.bin")
    scorer = load_scorer(with_adapter(folder, ModelSpec("x", adapter=str(adapter))))
    task = HeadTask(resolved(scorer, "glue/sst2"))
    found = scorer.score(task, [pa.array(["the fox"])])[0].as_py()

    def shifted(module, inputs, output):
        output = output.clone()
        output[:, 0] += weights["Z"][1]
        return output

    stock.deberta.embeddings.word_embeddings.register_forward_hook(shifted)
    tokens = transformers.AutoTokenizer.from_pretrained(folder)("the fox", return_tensors="pt")
    with torch.no_grad():
        pooled = stock.pooler(stock.deberta(**tokens).last_hidden_state)
    assert pooled.shape == (1, HIDDEN)
    logits = pooled @ weights["classifiers.1.weight"].T + weights["classifiers.1.bias"]
    assert_class_scores([found], logits, task.head.labels)


@pytest.mark.parametrize(
    ("changes", "head", "message"),
    [
        ({"labels_list": None}, TaskHead("glue/stsb"), "pass kind='regression' or"),
        ({}, TaskHead("glue/stsb", "multiple_choice", CHOICES), "kind 'regression' in the adapter"),
        ({}, TaskHead("glue/sst2", "regression"), "has 2 outputs"),
        ({"labels_list": None}, TaskHead("swag/regular", "classification"), "has 1 outputs"),
        ({}, TaskHead("swag/regular"), "is a multiple choice task: pass choices"),
        ({}, TaskHead("glue/sst2", columns=CHOICES), "is a classification task: leave choices out"),
        ({}, TaskHead("conll2003/ner_tags"), "labels tokens"),
        ({"labels_list": [["one"]] * 8}, TaskHead("glue/sst2"), "names 1 classes for 2 outputs"),
        ({"labels_list": [None] * 8}, TaskHead("glue/sst2"), "names 0 classes for 2 outputs"),
        ({"labels_list": [["x"]] * 8}, TaskHead("glue/stsb"), "does not tell"),
    ],
)
def test_heads_that_are_refused(tmp_path, changes, head, message):
    tasks = read_adapter(make_adapter(tmp_path / "a", **changes))
    with pytest.raises(ValueError, match=message):
        head.resolve(find_task(tasks, head.name))


def test_caller_decides_what_one_output_is(tmp_path):
    tasks = read_adapter(make_adapter(tmp_path / "a", labels_list=None))
    found = find_task(tasks, "glue/stsb")
    assert TaskHead("glue/stsb", "regression").resolve(found).kind == "regression"
    choice = TaskHead("glue/stsb", "multiple_choice", CHOICES)
    assert choice.resolve(found).kind == "multiple_choice"
    # With a column of tasks the other columns decide.
    for columns, row in ((TEXT, ("a",)), (PAIR, ("a", "b")), (CHOICES, ("a", ("b", "c")))):
        assert RowTasks(columns, tasks).pairs((*row, "glue/stsb"))[0][-1] == found.index


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": " "}, TypeError, "task=' '"),
        ({"name": 3}, TypeError, "task=3"),
        ({"name": "a", "kind": "x"}, ValueError, "kind='x'"),
        ({"name": "a", "columns": ("choices",)}, ValueError, "columns="),
    ],
)
def test_wrong_head(arguments, error, message):
    with pytest.raises(error, match=message):
        TaskHead(**arguments)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "starter"])
def test_inputs_equal_the_tokenizers(tiny_models, starter, architecture, side):
    """Single texts and pairs, cut as by ``truncation=True``."""
    place = starter if architecture == "starter" else tiny_models[architecture]
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    tokenizer.truncation_side = side
    for max_length in (16, 17, 64):
        single = HeadEncoder(tokenizer, max_length, single_layout(tokenizer))
        double = HeadEncoder(tokenizer, max_length)
        limit = {"truncation": True, "max_length": max_length}
        for first, second in zip(TEXTS[:4], SECONDS[:4], strict=True):
            a, b, none = single.tokenize([first, second, ""])
            one = inputs_of(single, a, none)
            assert_same_inputs(one, tokenizer(first, return_token_type_ids=True, **limit))
            two = inputs_of(double, a, b)
            assert_same_inputs(two, tokenizer(first, second, return_token_type_ids=True, **limit))


def inputs_of(encoder, first, second):
    """Two rows of one pair, of two heads."""
    both = np.zeros(2, np.int64)
    tokens = PairTokens(encoder, [first], both, [second], both, np.array([4, 7]))
    assert (len(first) + len(second) > encoder.room(0)) == tokens.cut.all() == tokens.cut.any()
    inputs = tokens.inputs(np.array([1, 0]), encoder.max_length)
    assert inputs["head_ids"].tolist() == [7, 4]
    return inputs


def assert_same_inputs(found, expected):
    length = len(expected["input_ids"])
    assert found["input_ids"][0, :length].tolist() == expected["input_ids"]
    assert found["token_type_ids"][0, :length].tolist() == expected["token_type_ids"]
    assert found["attention_mask"].sum(1).tolist() == [length] * len(found["input_ids"])


def test_rows_that_were_cut(scorer):
    """Either text counts."""
    task = PairHeadTask(resolved(scorer, "glue/rte", PAIR))
    short, long = "the fox", "cut " * 600
    columns = [pa.array([short, long, short, None]), pa.array([short, short, long, long])]
    assert scorer.measure(task, columns).truncated.to_pylist() == [False, True, True, False]
