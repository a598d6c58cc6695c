"""The bar counts the tasks of the block's jobs, and is gone after it."""

from __future__ import annotations

import re

import pytest

from sparknlp_zs import spark as zs

TASKS = 6


def run(spark):
    """A job of six tasks that take a while; other stages may follow."""

    def slowly(batches):
        import time

        for batch in batches:
            time.sleep(0.4)
            yield batch

    df = spark.range(TASKS, numPartitions=TASKS)
    return df.mapInArrow(slowly, df.schema).collect()


def shown(capsys) -> list[tuple[int, int]]:
    """(tasks done, tasks) of each state of the bar."""
    found = re.findall(r"(\d+)/(\d+)", capsys.readouterr().err)
    return [(int(done), int(total)) for done, total in found]


@pytest.fixture
def reported(spark, request):
    """A Connect server reports every two seconds by itself."""
    if "connect" not in request.node.name:
        yield
        return
    spark.conf.set("spark.connect.progress.reportInterval", "200ms")
    yield
    spark.conf.unset("spark.connect.progress.reportInterval")


def test_bar(spark, reported, capsys):
    run(spark)
    assert shown(capsys) == []  # off by default
    with zs.progress(spark):
        assert len(run(spark)) == TASKS
    states = shown(capsys)
    assert (TASKS, TASKS) in states
    assert any(0 < done < TASKS for done, _ in states)
    run(spark)
    assert shown(capsys) == []


def test_errors_pass_through(spark, capsys):
    with pytest.raises(ZeroDivisionError), zs.progress():
        _ = 1 / 0
    run(spark)
    assert all(total == 0 for _, total in shown(capsys))
