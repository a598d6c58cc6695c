"""Workers forked by the preloading daemon have the imports already, and give the same scores."""

from __future__ import annotations


def test_workers_come_from_the_daemon(local_job):
    origin = local_job["origin"]
    assert "sparknlp_zs.spark.preload" in origin["daemon"]
    assert origin["torch_in_daemon"]
    assert origin["imported"] == [True, True, True]
    assert not origin["cuda"]


def test_scores(local_job, engine_scores, tiny_models):
    assert local_job["plain"]["ids"] == 20_000
    engine_scores.check(local_job["plain"], tiny_models["bert"])
