"""Several tasks in one: the results of each task by itself, for less work."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import (
    NLI,
    Annotation,
    RowLabels,
    TaskHead,
    ZeroShot,
    ZeroShotScores,
    merged_tasks,
    task_from_json,
)

TEXTS = pa.array(["the fox", None, " ", "My card was stolen!", "the fox", "東京 😀", "long " * 90])
TASKS = {
    "topic": ZeroShot(["travel", "cooking", "cards"]),
    "mood of it": ZeroShot(["glad", "sad"], "Ich bin {}.", multi_label=True),
    "scores": ZeroShotScores(["cooking", "travel"]),
}


@pytest.fixture(scope="module")
def scorer(tiny):
    return load_scorer(tiny)


def numbers(value):
    """The value with its floats to be compared within the tolerance."""
    if isinstance(value, dict):
        return {name: numbers(x) for name, x in value.items()}
    return pytest.approx(value, abs=1e-6) if isinstance(value, (float, list)) else value


def test_equals_each_task_by_itself(scorer):
    found = scorer.score(Annotation(TASKS), [TEXTS])
    assert found.type == Annotation(TASKS).result_type
    assert found.is_null().to_pylist() == [False, True, True, False, False, False, False]
    for name, task in TASKS.items():
        for a, b in zip(found.to_pylist(), scorer.score(task, [TEXTS]).to_pylist(), strict=True):
            assert (a is None) == (b is None)
            if b is not None:
                ranks = ("labels", "label")
                assert {x: a[name][x] for x in ranks if x in b} == {
                    x: b[x] for x in ranks if x in b
                }
                assert {x: v for x, v in a[name].items() if x not in ranks} == numbers(
                    {x: v for x, v in b.items() if x not in ranks}
                )


def test_texts_are_tokenised_once_and_common_pairs_scored_once(tiny):
    scorer = load_scorer(tiny)
    tokenised, scored = [], []
    tokenize, logits = scorer._encoder.tokenize, scorer._network.logits
    scorer._encoder.tokenize = lambda texts: tokenised.extend(texts) or tokenize(texts)
    scorer._network.logits = lambda inputs: scored.append(logits(inputs)) or scored[-1]
    scorer.score(Annotation(TASKS), [TEXTS])
    assert tokenised.count("the fox") == 1
    assert sum(map(len, scored)) == 4 * (3 + 2)  # the pairs of "scores" are among those of "topic"


def test_json_both_ways():
    task = Annotation(TASKS)
    again = task_from_json(task.to_json())
    assert again == task
    assert [type(part) for _, part in again.tasks] == [ZeroShot, ZeroShot, ZeroShotScores]


@pytest.mark.parametrize(
    ("tasks", "error", "message"),
    [
        ({}, ValueError, "none given"),
        ([ZeroShot(["a"])], TypeError, "mapping"),
        ({"x": NLI()}, TypeError, r"x=NLI\(.*\): takes premise, hypothesis"),
        ({"x": RowLabels()}, TypeError, "takes text, labels, multi_label"),
        ({"x": Annotation({"y": ZeroShot(["a"])})}, TypeError, "annotation in another"),
        ({"x": TaskHead("glue/sst2")}, TypeError, r"find it in the model's adapter"),
        ({"x": ["a", "b"]}, TypeError, r"x=\['a', 'b'\]: pass a task"),
        ({"x": ZeroShot}, TypeError, "pass a task"),
        ({" ": ZeroShot(["a"])}, ValueError, "blank"),
        ({1: ZeroShot(["a"])}, TypeError, "no string"),
    ],
)
def test_wrong_tasks(tasks, error, message):
    with pytest.raises(error, match=message):
        Annotation(tasks)


def test_names_from_a_mapping_and_arguments():
    a, b = ZeroShot(["a"]), ZeroShot(["b"])
    assert merged_tasks({"model": a}, {"b": b}) == {"model": a, "b": b}
    with pytest.raises(ValueError, match=r"\['b'\] given twice"):
        merged_tasks({"b": a}, {"b": b})
