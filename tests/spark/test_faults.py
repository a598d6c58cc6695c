"""A worker that dies, or a task that fails, costs no row and doubles none."""

from __future__ import annotations

import pytest
from jobs.common import LABELS, TEXTS

ROWS = 20_000


@pytest.fixture(params=["local_job", "cluster_job"])
def job(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("fault", ["kill", "raise"])
def test_every_row_once_after_a_fault(job, engine_scores, tiny_models, fault):
    # It happened, and after the task had given out a window of rows.
    assert fault in job["marks"]
    assert (job[fault]["rows"], job[fault]["ids"]) == (ROWS, ROWS)
    engine_scores.check(job[fault], tiny_models["bert"])


def test_the_scores_that_faults_are_compared_with(engine_scores, tiny_models):
    """They vary by text, so that a row with another row's score would be seen."""
    scores = engine_scores.of(tiny_models["bert"])
    assert len(scores) == len(TEXTS)
    assert len({round(score, 6) for _, score in scores.values()}) > 20
    assert {label for label, _ in scores.values()} <= set(LABELS)
