"""Which device a task takes; with GPUs that exist for Spark only."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from run_job import run_job

from sparknlp_zs.spark.workers import choose_device, first_partition, worker_device


@pytest.mark.parametrize(
    ("explicit", "addresses", "partition", "visible", "mask", "expected"),
    [
        ("cuda:3", ["0"], 0, 1, None, "cuda:3"),
        ("cpu", ["0"], 0, 1, None, "cpu"),
        (None, ["2"], 0, 4, None, "cuda:2"),
        (None, ["2", "0"], 1, 4, None, "cuda:2"),
        (None, [], 3, 2, None, "cuda:1"),
        (None, [], 3, 0, None, "cpu"),
        (None, ["0"], 3, 0, None, "cpu"),
        (None, ["6"], 0, 2, "4,6", "cuda:1"),
        (None, ["1"], 0, 2, "4,6", "cuda:1"),
        (None, ["GPU-b"], 0, 2, "GPU-a, GPU-b", "cuda:1"),
    ],
)
def test_choice(explicit, addresses, partition, visible, mask, expected):
    assert choose_device(explicit, addresses, partition, visible, mask) == expected


@pytest.mark.parametrize(("address", "mask"), [("2", None), ("GPU-a", None), ("7", "4,6")])
def test_assigned_gpu_that_is_not_visible(address, mask):
    with pytest.raises(ValueError, match=rf"GPU '{address}'.*sees 2 GPUs"):
        choose_device(None, [address], 0, 2, mask)


def test_a_worker_stays_with_its_first_gpu(monkeypatch):
    """Where Spark assigns none, its later partitions do not send it to another."""
    partitions = iter([5, 2])
    context = SimpleNamespace(partitionId=lambda: next(partitions), resources=dict)
    monkeypatch.setattr("pyspark.TaskContext.get", lambda: context)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    first_partition.cache_clear()
    try:
        assert [worker_device(None), worker_device(None)] == ["cuda:1", "cuda:1"]
    finally:
        first_partition.cache_clear()


@pytest.fixture(scope="module")
def gpu_job(tiny_models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu")
    discovery = folder / "discovery.sh"
    # Neither 0 and 1 nor in order, so that no count of partitions gives them by chance.
    discovery.write_text('#!/bin/sh\necho \'{"name": "gpu", "addresses": ["5", "2"]}\'\n')
    discovery.chmod(0o755)
    return run_job("gpu", folder, model=str(tiny_models["bert"]), discovery=str(discovery))


def test_tasks_use_the_gpu_that_spark_assigned(gpu_job):
    tasks = gpu_job["tasks"]
    assert len(tasks) >= 12
    assert {task["address"] for task in tasks} == {"5", "2"}
    assert all(task["device"] == f"cuda:{task['address']}" for task in tasks)


def test_no_gpu_is_used_by_two_tasks_at_a_time(gpu_job):
    tasks = sorted(gpu_job["tasks"], key=lambda task: task["start"])
    together = [
        (a["device"], b["device"])
        for i, a in enumerate(tasks)
        for b in tasks[i + 1 :]
        if b["start"] < a["end"]
    ]
    assert together
    assert all(a != b for a, b in together)


def test_a_worker_holds_the_model_on_its_present_gpu_only(gpu_job):
    tasks = gpu_job["tasks"]
    assert all(task["held"] == task["device"] for task in tasks)
    by_worker: dict[int, set[str]] = {}
    for task in tasks:
        by_worker.setdefault(task["pid"], set()).add(task["device"])
    # Otherwise the check above says nothing.
    assert any(len(devices) > 1 for devices in by_worker.values())


def test_scores_where_spark_has_gpus_and_torch_has_none(gpu_job, engine_scores, tiny_models):
    engine_scores.check(gpu_job["scores"], tiny_models["bert"])
