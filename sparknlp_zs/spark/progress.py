"""A progress bar for Spark jobs, classic and Connect."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from sparknlp_zs.bars import bar
from sparknlp_zs.spark.session import active_session, is_connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

POLL_SECONDS = 0.3

Stage: TypeAlias = tuple[Any, int]  # the operation, the stage's id
Update: TypeAlias = Callable[[Stage, int, int], None]


@contextlib.contextmanager
def progress(spark: SparkSession | None = None) -> Iterator[None]:
    """A bar on stderr of the tasks of the jobs that run inside the ``with`` block.

    A task is the work on one partition: the bar moves when a partition is done, so a DataFrame of
    one partition shows no progress. Stages become known, and the total grows, as they start.

    Parameters
    ----------
    spark : SparkSession, optional
        Classic or Connect; the active session if not given. On a classic session jobs that other
        threads start meanwhile are counted too. On Connect the server reports every two seconds
        (``spark.connect.progress.reportInterval``).

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.range(100).selectExpr("concat('text ', id) AS text")
    >>> with zs.progress(spark):
    ...     scored = df.select(zs.classify("text", ["a", "b"], model="starter")["label"]).collect()
    >>> len(scored)
    100
    """
    session = spark if spark is not None else active_session()
    watch = _watch_connect if is_connect(session) else _watch_classic
    with bar(0, "task", desc="Spark") as shown:
        stages: dict[Stage, tuple[int, int]] = {}

        def update(stage: Stage, tasks: int, done: int) -> None:
            stages[stage] = (tasks, done)
            shown.total = sum(tasks for tasks, _ in stages.values())
            shown.n = sum(done for _, done in stages.values())
            shown.refresh()

        with watch(session, update):
            yield


@contextlib.contextmanager
def _watch_connect(session: Any, update: Update) -> Iterator[None]:
    sizes: dict[Stage, int] = {}

    def report(
        stages: Iterable[Any] | None, inflight_tasks: int, operation_id: str | None, done: bool
    ) -> None:
        for stage in stages or ():
            sizes[operation_id, stage.stage_id] = stage.num_tasks
            update((operation_id, stage.stage_id), stage.num_tasks, stage.num_completed_tasks)

    session.registerProgressHandler(report)
    try:
        yield
        # The server's last report is often older than the result.
        for stage, tasks in sizes.items():
            update(stage, tasks, tasks)
    finally:
        session.removeProgressHandler(report)


@contextlib.contextmanager
def _watch_classic(session: Any, update: Update) -> Iterator[None]:
    tracker = session.sparkContext.statusTracker()
    before = _jobs(tracker)
    stopped = threading.Event()
    seen: set[int] = set()

    def look() -> None:
        with contextlib.suppress(Exception):  # a session stopped meanwhile ends the bar only
            seen.update(_jobs(tracker) - before)
            for stage in _started_stages(tracker, seen):
                update((None, stage.stageId), stage.numTasks, stage.numCompletedTasks)

    def poll() -> None:
        while not stopped.wait(POLL_SECONDS):
            look()

    thread = threading.Thread(target=poll, name="sparknlp_zs progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        look()  # what finished since the last poll


def _jobs(tracker: Any) -> set[int]:
    """Running jobs, and those without a job group, also if finished."""
    return {*tracker.getActiveJobsIds(), *tracker.getJobIdsForGroup(None)}


def _started_stages(tracker: Any, jobs: set[int]) -> Iterator[Any]:
    """The jobs' stages, without those that Spark skips because their output exists."""
    ids = {i for job in map(tracker.getJobInfo, jobs) if job is not None for i in job.stageIds}
    for stage in map(tracker.getStageInfo, sorted(ids)):
        if stage is not None and (stage.numActiveTasks or stage.numCompletedTasks):
            yield stage
