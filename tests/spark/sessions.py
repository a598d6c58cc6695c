"""A Spark Connect session beside the classic one: the server is a process of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
MODE_VARIABLE = "SPARK_CONNECT_MODE_ENABLED"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def connect_server(folder: Path, master: str = "local[2]", **config: str) -> Iterator[str]:
    """Start a Spark Connect server, of two worker threads if not told; yields its address."""
    import pyspark

    home = Path(pyspark.__file__).parent
    if not list((home / "jars").glob("spark-connect*")):
        pytest.skip(f"pyspark {pyspark.__version__} from pip has no Spark Connect server")
    port = free_port()
    command = [
        str(home / "bin" / "spark-submit"),
        "--class=org.apache.spark.sql.connect.service.SparkConnectServer",
        f"--master={master}",
        "--driver-memory=1g",
        f"--conf=spark.connect.grpc.binding.port={port}",
        "--conf=spark.connect.grpc.binding.address=127.0.0.1",
        "--conf=spark.ui.enabled=false",
        "--conf=spark.sql.shuffle.partitions=2",
        *(f"--conf={name}={value}" for name, value in config.items()),
        "spark-internal",
    ]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _listening(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "server.log").read_text()[-3000:])
                time.sleep(0.3)
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


@contextlib.contextmanager
def connect_cluster(folder: Path) -> Iterator[Any]:
    """A session on a server of its own, in local-cluster[2,1,1024]."""
    import pyspark

    work = Path(pyspark.__file__).parent / "work"
    config = {"spark.executorEnv.PYTHONPATH": str(ROOT)}
    with contextlib.ExitStack() as after:  # after the server, whose executors write there
        server = connect_server(folder, "local-cluster[2,1,1024]", **config)
        with server as address, connect_session(address) as session:
            application = session.conf.get("spark.app.id")
            after.callback(shutil.rmtree, work / application, ignore_errors=True)
            yield session


def _listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def connect_session(address: str) -> Iterator[Any]:
    """A new session; stopped before its server is, whose absence the client retries for long."""
    from pyspark.sql.connect.session import SparkSession

    with connect_mode():
        session = SparkSession.builder.remote(address).create()
    try:
        yield session
    finally:
        session.stop()


@contextlib.contextmanager
def connect_mode() -> Iterator[None]:
    """Let pyspark.sql hand out Connect columns, in a process that also has a classic session."""
    os.environ[MODE_VARIABLE] = "1"
    try:
        yield
    finally:
        os.environ.pop(MODE_VARIABLE)
