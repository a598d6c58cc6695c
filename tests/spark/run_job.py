"""Run a script of ``jobs`` in a process, and so in a Spark application, of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyspark

JOBS = Path(__file__).parent / "jobs"
ROOT = Path(__file__).parents[2]
MARK = "RESULT "
JOB_SECONDS = 150


def run_job(name: str, cache: Path, **arguments: Any) -> dict[str, Any]:
    """The dictionary that the job reports."""
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(JOBS)]),
        "SPARKNLP_ZS_CACHE": str(cache),
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
    }
    environment.pop("SPARK_CONNECT_MODE_ENABLED", None)
    command = [sys.executable, str(JOBS / f"{name}.py"), json.dumps(arguments)]
    # Its own process group: the JVM must not outlive a job that hangs.
    job = subprocess.Popen(
        command,
        env=environment,
        cwd=cache,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = job.communicate(timeout=JOB_SECONDS)
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
    lines = [line for line in out.splitlines() if line.startswith(MARK)]
    assert job.returncode == 0, err[-3000:]
    assert lines, err[-3000:]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
    return found
