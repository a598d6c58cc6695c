"""Every Spark test runs on classic Spark and on Spark Connect."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from run_job import run_job
from sessions import connect_mode, connect_server, connect_session


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory):
    """The address of a Spark Connect server, started for these tests."""
    with connect_server(tmp_path_factory.mktemp("connect")) as address:
        yield address


@pytest.fixture(scope="session")
def connect(server: str):
    """A Spark Connect session."""
    with connect_session(server) as session:
        yield session


@pytest.fixture(params=["classic", "connect"])
def spark(request: pytest.FixtureRequest):
    """Each of the two kinds of session."""
    session = request.getfixturevalue(request.param)
    if request.param == "classic":
        yield session
        return
    with connect_mode():
        yield session


class EngineScores:
    """The engine's labels and scores of the jobs' texts, by model."""

    def __init__(self) -> None:
        self._known: dict[Path, dict[str, tuple[str, float]]] = {}

    def of(self, folder: Path) -> dict[str, tuple[str, float]]:
        import pyarrow as pa
        from jobs.common import LABELS, TEXTS

        from sparknlp_zs.engine.loading import load_scorer
        from sparknlp_zs.tasks import ZeroShot

        if folder not in self._known:
            rows = load_scorer(folder).score(ZeroShot(LABELS), [pa.array(TEXTS)]).to_pylist()
            found = [(row["label"], row["score"]) for row in rows]
            self._known[folder] = dict(zip(TEXTS, found, strict=True))
        return self._known[folder]

    def check(self, found: dict, folder: Path) -> None:
        """Each text has the engine's label and score, in all of its rows."""
        expected = self.of(folder)
        assert found["found"].keys() == expected.keys()
        assert found["rows"] == found["ids"]
        for text, values in found["found"].items():
            for label, score in values:
                assert label == expected[text][0]
                assert score == pytest.approx(expected[text][1], abs=1e-6)


@pytest.fixture(scope="session")
def engine_scores() -> EngineScores:
    return EngineScores()


@pytest.fixture(scope="session")
def local_job(tiny_models, tmp_path_factory: pytest.TempPathFactory):
    """What the job in local[2,4] reports."""
    cache, marks = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("marks")
    return run_job("local", cache, model=str(tiny_models["bert"]), marks=str(marks))


@pytest.fixture(scope="session")
def cluster_job(tiny_models, tmp_path_factory: pytest.TempPathFactory):
    """What the job in local-cluster[2,1,1024] reports."""
    cache, marks = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("marks")
    folder = tmp_path_factory.mktemp("replaced") / "model"
    models = [str(folder) for folder in tiny_models.values()]
    return run_job("cluster", cache, models=models, folder=str(folder), marks=str(marks))
