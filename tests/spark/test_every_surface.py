"""Every surface gives the engine's results, row for row, in every kind of Spark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import surfaces
from surfaces import SURFACES, WITHOUT_SPARK, assert_same


@pytest.fixture(scope="module")
def expected(tiny):
    """The engine's values by surface."""
    names = [*SURFACES, *WITHOUT_SPARK]
    return {name: surfaces.expected(name, tiny) for name in names}


@pytest.fixture(scope="module")
def cluster(tiny, tmp_path_factory):
    """What each surface gave with two executors, in a process of its own."""
    output = tmp_path_factory.mktemp("cluster") / "found.json"
    command = [sys.executable, surfaces.__file__, str(tiny), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=output.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(Path(output).read_text())


def test_rows_have_something_to_score_and_nulls(expected):
    for values in expected.values():
        missing = [value is None or value[0] is None for value in values if type(value) is not dict]
        assert len(values) == 200
        assert 10 < sum(missing) < 190


@pytest.mark.parametrize("name", SURFACES)
def test_classic_and_connect(spark, tiny, expected, name):
    assert_same(SURFACES[name](spark, tiny), expected[name])


@pytest.mark.parametrize("name", SURFACES)
def test_local_cluster(cluster, expected, name):
    assert_same(cluster[name], expected[name])


@pytest.mark.parametrize("name", WITHOUT_SPARK)
def test_without_spark(tiny, expected, name):
    assert_same(WITHOUT_SPARK[name](tiny), expected[name])
