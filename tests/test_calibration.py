"""Biases of labels: the fit, the task that has them, and the pandas surface."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sparknlp_zs import ZeroShot, ZeroShotScores
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import ClassIds, RowLabels, task_from_json
from sparknlp_zs.tasks.base import softmax
from sparknlp_zs.tasks.calibration import (
    BIAS_SPREAD,
    check_calibration,
    fit_bias,
    fitted,
    scoring_task,
)

CLASSES = ClassIds(entailment=0, neutral=1, contradiction=2)
LABELS = ["travel", "cooking", "the quick brown fox"]
TEXTS = [f"My card {i} was stolen {'yesterday' * (i % 3)} fox {i * 7 % 11}" for i in range(40)]
MIXED = [None, "", *TEXTS, " \n"]


def engine_scores(task: ZeroShot, folder, texts=TEXTS) -> np.ndarray:
    """Scores [texts, labels] from the engine."""
    result = load_scorer(folder).score(scoring_task(task), [pa.array(texts)])
    return np.stack([column.to_numpy() for column in result.flatten()], axis=1)


def test_bias_of_two_labels_by_hand():
    """All texts alike: the bias has to close the gap of the log scores, but for the shrinkage."""
    scores = np.tile([0.8, 0.2], (10**4, 1))
    bias = fit_bias(scores, multi_label=False)
    np.testing.assert_allclose(bias, [-math.log(4) / 2, math.log(4) / 2], atol=1e-3)
    bias = fit_bias(scores, [0.8, 0.2], multi_label=False)
    np.testing.assert_allclose(bias, 0, atol=1e-9)
    alone = fit_bias(scores, [0.5, 0.5], multi_label=True)
    np.testing.assert_allclose(alone, [-math.log(4), math.log(4)], atol=1e-3)


@pytest.mark.parametrize("labels", [2, 5, 60])
@pytest.mark.parametrize("scale", [0.5, 4.0, 40.0])
def test_mean_scores_are_the_prior_but_for_the_shrinkage(labels, scale):
    """The gradient of the fit is zero, however sure the model is."""
    random = np.random.default_rng(labels)
    logits = scale * (random.normal(size=(50, labels)) + np.linspace(0, 2, labels))
    shares = random.dirichlet(np.ones(labels)) * 0.9 + 0.1 / labels
    bias = fit_bias(softmax(logits), shares, multi_label=False)
    shrunk = bias / (50 * BIAS_SPREAD**2)
    np.testing.assert_allclose(softmax(logits + bias).mean(axis=0) + shrunk, shares, atol=1e-8)


def test_mean_scores_by_themselves_are_the_prior_but_for_the_shrinkage():
    random = np.random.default_rng(0)
    logits, shares = 4 * random.normal(size=(50, 5)), random.uniform(size=5)
    alone = fit_bias(1 / (1 + np.exp(-logits)), shares, multi_label=True)
    mean = (1 / (1 + np.exp(-logits - alone))).mean(axis=0)
    np.testing.assert_allclose(mean + alone / (50 * BIAS_SPREAD**2), shares, atol=1e-8)


def test_few_texts_are_trusted_less():
    scores = np.tile([0.9, 0.1], (1000, 1))
    sizes = [fit_bias(scores[:rows], multi_label=False)[1] for rows in (1, 20, 1000)]
    assert 0 < sizes[0] < sizes[1] < sizes[2] < math.log(9) / 2


def test_scores_with_bias_by_hand():
    logits = np.array([[[2.0, 0.0, 1.0], [1.0, 5.0, 1.0]]], dtype=np.float32)
    single = ZeroShot(["a", "b"], label_bias=[-1, 0.5]).scores(logits, CLASSES)
    multi = ZeroShot(["a", "b"], multi_label=True, label_bias=[-1, 0.5]).scores(logits, CLASSES)
    np.testing.assert_allclose(single, [[1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(-0.5))]])
    np.testing.assert_allclose(multi, [[0.5, 1 / (1 + np.exp(-0.5))]])
    assert logits[0, 0, 0] == 2.0  # the engine's logits are not changed


def test_biased_labels_are_evened(tiny):
    task = ZeroShot(LABELS)
    before = engine_scores(task, tiny).mean(axis=0)
    assert np.abs(before - 1 / 3).max() > 1e-3
    fair = task.calibrated(MIXED, model=tiny, strength=1.0)
    series = pd.Series(TEXTS).zsc.annotate(t=ZeroShotScores(LABELS, label_bias=fair.label_bias),
                                           model=tiny)  # fmt: skip
    shrunk = np.array(fair.label_bias) / (len(TEXTS) * BIAS_SPREAD**2)
    np.testing.assert_allclose(series.mean().to_numpy() + shrunk, 1 / 3, atol=1e-6)
    prior = dict(zip(LABELS, (0.6, 0.3, 0.1), strict=True))
    known = task.calibrated(TEXTS, model=tiny, prior=prior)
    after = softmax(np.log(engine_scores(task, tiny)) + known.label_bias).mean(axis=0)
    shrunk = np.array(known.label_bias) / (len(TEXTS) * BIAS_SPREAD**2)
    np.testing.assert_allclose(after + shrunk, list(prior.values()), atol=1e-6)


def test_multi_label_is_matched_to_its_prior(tiny):
    task = ZeroShotScores({"a": "travel", "b": "cooking"}, "{}?", multi_label=True)
    fair = task.calibrated(TEXTS, model=tiny, prior={"b": 0.9, "a": 0.2})
    assert type(fair) is ZeroShotScores
    assert (fair.labels, fair.hypotheses) == (task.labels, task.hypotheses)
    result = load_scorer(tiny).score(fair, [pa.array(TEXTS)])
    mean = [np.mean(column.to_numpy()) for column in result.flatten()]
    shrunk = np.array(fair.label_bias) / (len(TEXTS) * BIAS_SPREAD**2)
    np.testing.assert_allclose(mean + shrunk, [0.2, 0.9], atol=1e-6)


def test_default_strengths():
    scores = np.random.default_rng(0).dirichlet([3, 1, 1], size=50)
    task, prior = ZeroShot(["a", "b", "c"]), {"a": 0.2, "b": 0.5, "c": 0.3}
    whole = np.array(fitted(task, scores, strength=1).label_bias)
    np.testing.assert_allclose(fitted(task, scores).label_bias, whole / 2)
    assert fitted(task, scores, prior) == fitted(task, scores, prior, 1.0)


def test_order_of_texts_and_earlier_biases_do_not_matter(tiny):
    task = ZeroShot(LABELS)
    fair = task.calibrated(TEXTS, model=tiny)
    for texts in (TEXTS[::-1], pd.Series(MIXED), pa.chunked_array([MIXED[:9], MIXED[9:]])):
        again = fair.calibrated(texts, model=tiny)
        np.testing.assert_allclose(again.label_bias, fair.label_bias, atol=1e-6)
    surface = pd.Series(MIXED, index=range(7, 50)).zsc.calibrate(task, model=tiny)
    np.testing.assert_allclose(surface.label_bias, fair.label_bias, atol=1e-6)


def test_pandas_draws_a_sample(tiny):
    task, series = ZeroShot(LABELS), pd.Series(MIXED)
    drawn = [
        series.zsc.calibrate(task, model=tiny, sample_rows=20, seed=seed) for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


@pytest.mark.parametrize("kind", [ZeroShot, ZeroShotScores])
def test_json_is_exact(kind):
    task = kind({"a": "x", "b": "y"}, "{}!", label_bias=(0.1 + 0.2, -1 / 3))
    again = task_from_json(task.to_json())
    assert again == task
    assert type(again) is kind
    old = '{"kind": "zero_shot", "labels": ["a"], "hypothesis_template": "{}", "multi_label": true}'
    assert task_from_json(old) == ZeroShot(["a"], "{}", True)


@pytest.mark.parametrize(
    ("bias", "error", "message"),
    [
        ([1.0], ValueError, "1 for 2 labels"),
        ([1.0, math.nan], ValueError, "nan; pass a finite number"),
        ([1.0, "2"], TypeError, "'2' is a str"),
        ({"a": 1.0, "b": 2.0}, TypeError, "one number per label"),
        (0.5, TypeError, "label_bias=0.5"),
    ],
)
def test_wrong_biases(bias, error, message):
    with pytest.raises(error, match=message):
        ZeroShot(["a", "b"], label_bias=bias)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"prior": {"a": 0.5}}, ValueError, r"no share for \['b'\]"),
        ({"prior": {"a": 0.5, "b": 0.4, "c": 0.1}}, ValueError, r"unknown labels \['c'\]"),
        ({"prior": {"a": 0.5, "b": 0.7}}, ValueError, "sum to 1.2"),
        ({"prior": {"a": 1.0, "b": 0.0}}, ValueError, "above 0"),
        ({"prior": {"a": "x", "b": 0.0}}, TypeError, "'x' is a str"),
        ({"prior": [0.5, 0.5]}, TypeError, "pass a dict"),
        ({"strength": 0}, ValueError, "strength=0"),
        ({"strength": 2}, ValueError, "strength=2"),
        ({"strength": "all"}, TypeError, "strength: 'all'"),
    ],
)
def test_wrong_arguments_fail_before_the_model_is_looked_for(options, error, message):
    with pytest.raises(error, match=message):
        ZeroShot(["a", "b"]).calibrated(TEXTS, model="no such model", **options)
    with pytest.raises(error, match=message):
        pd.Series(TEXTS).zsc.calibrate(ZeroShot(["a", "b"]), model="no such model", **options)


@pytest.mark.parametrize("task", [ZeroShot(["a", "b"], multi_label=True), ZeroShot(["a"])])
def test_labels_by_themselves_need_a_prior(task):
    with pytest.raises(ValueError, match="pass prior="):
        task.calibrated(TEXTS)


def test_wrong_tasks_and_samples(tiny):
    with pytest.raises(TypeError, match="only labels that all texts share"):
        check_calibration(RowLabels(), None, None)
    with pytest.raises(TypeError, match="pass a ZeroShot"):
        pd.Series(TEXTS).zsc.calibrate(["a", "b"])
    with pytest.raises(ValueError, match="sample_rows=5: pass at least 20"):
        pd.Series(TEXTS).zsc.calibrate(ZeroShot(["a", "b"]), sample_rows=5)
    task = ZeroShot(["a", "b"])
    with pytest.raises(ValueError, match="19 texts that are neither missing nor blank"):
        task.calibrated([*TEXTS[:19], None, "", "  "], model=tiny)
    for texts in ("one string", [1, 2], pd.Series([1.5]), pa.array([1]), 7, [b"x"] * 3 + [3]):
        with pytest.raises(TypeError, match="sample_texts: "):
            task.calibrated(texts, model=tiny)
