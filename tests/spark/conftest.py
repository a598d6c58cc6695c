"""Every Spark test runs on classic Spark and on Spark Connect."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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
