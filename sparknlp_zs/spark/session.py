"""The differences between classic Spark and Spark Connect, in one place."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparknlp_zs.engine.prepared import link_or_copy
from sparknlp_zs.spark.versions import is_before_4

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DATABRICKS_SHARED = ("/Volumes/", "/dbfs/")
_chosen: ContextVar[SparkSession | None] = ContextVar("sparknlp_zs_session", default=None)


def active_session() -> SparkSession:
    """The session that columns are made for: that of ``use_session``, else Spark's active one.

    In a thread that has none, that is the default one, as in Spark itself.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    try:
        return _chosen.get() or SparkSession.active()
    except PySparkRuntimeError as error:
        raise RuntimeError(
            "No active Spark session: create one first, such as SparkSession.builder.getOrCreate()"
        ) from error


@contextlib.contextmanager
def use_session(session: SparkSession) -> Iterator[SparkSession]:
    """Make columns for this session, where Spark's active session is another one.

    A column does not know the DataFrame it will be used on, so its model goes to the workers of
    the active session. With a second Spark Connect session, whose workers do not see what the
    first one sent, say which one is meant.

    Parameters
    ----------
    session : SparkSession
        Often ``df.sparkSession``.

    Examples
    --------
    >>> from sparknlp_zs import spark as zs
    >>> df = spark.createDataFrame([("my card was stolen",)], "text string")
    >>> with zs.use_session(df.sparkSession):
    ...     topic = zs.classify("text", ["stolen card", "exchange rate"], model="starter")
    >>> df.select(topic["label"].alias("label")).collect()
    [Row(label='stolen card')]
    """
    token = _chosen.set(session)
    try:
        yield session
    finally:
        _chosen.reset(token)


@contextlib.contextmanager
def as_active(session: SparkSession) -> Iterator[None]:
    """Make a Connect session the active one of this thread, for parts of Spark that take that.

    Spark itself has no way to, and its active session is the first one made, perhaps on another
    server. Classic sessions have one context, and so the same executors.
    """
    held = getattr(type(session), "_active_session", None) if is_connect(session) else None
    if held is None:
        yield
        return
    before = getattr(held, "session", None)
    held.session = session
    try:
        yield
    finally:
        held.session = before


def is_connect(session: SparkSession) -> bool:
    """Whether the session is a Spark Connect client."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def column_key(session: SparkSession) -> Callable[[str], str]:
    """What of a column's name counts: the session may not tell apart what differs only in case."""
    sensitive = session_setting(session, "spark.sql.caseSensitive", "false").lower() == "true"
    return str if sensitive else str.lower


def refuse_twins(names: Sequence[str], session: SparkSession) -> None:
    """Raise if names of tasks differ in case only where the session does not tell them apart."""
    same = column_key(session)
    for at, name in enumerate(names):
        if same(name) in map(same, names[:at]):
            raise ValueError(f"{name}: differs from another task only in case; rename one")


def session_setting(session: SparkSession, key: str, default: str) -> str:
    """A value of the session's configuration.

    Databricks' serverless compute refuses to read settings that it does not know: the default.
    """
    from pyspark.errors import PySparkException

    try:
        return session.conf.get(key, default) or default
    except PySparkException:
        return default


def is_local(session: SparkSession) -> bool:
    """Whether workers run on the driver's host: classic Spark with a local master."""
    if is_connect(session):
        return False
    master = session.sparkContext.master
    return bool(master == "local" or master.startswith("local["))


def workers_see(session: SparkSession, folder: Path) -> bool:
    """Whether it is sure that workers see a folder of the driver under the same path.

    So it is with a local master, and on Databricks for Volumes and DBFS. Elsewhere the prefixes
    mean nothing: macOS mounts disks below /Volumes.
    """
    on_databricks = "DATABRICKS_RUNTIME_VERSION" in os.environ
    return is_local(session) or (on_databricks and str(folder).startswith(_DATABRICKS_SHARED))


def sent_before(session: SparkSession) -> dict[str, Any]:
    """What was sent to the session's workers, by name.

    Kept on the object that they keep it for: a classic context, or one Connect session.
    """
    owner = session if is_connect(session) else session.sparkContext
    found: dict[str, Any] = vars(owner).setdefault("_sparknlp_zs_sent", {})
    return found


def add_archive(session: SparkSession, path: Path, name: str) -> None:
    """Send a zip to the session's workers, once; it is unpacked in a folder ``name``."""
    sent = sent_before(session)
    if name not in sent:
        path = _plainly_placed(path)
        if is_before_4() and not is_connect(session):
            session.sparkContext.addArchive(f"{path}#{name}")
        else:
            session.addArtifacts(f"{path}#{name}", archive=True)
        sent[name] = True


def _plainly_placed(path: Path) -> Path:
    """The file, or a link to it, under a path without spaces and the like.

    Spark takes a path for a URI, and a context in which that fails runs no job any more.
    """
    if re.fullmatch(r"[\w./+@=,~-]+", str(path), re.ASCII):
        return path
    folder = Path(tempfile.mkdtemp(prefix="sparknlp_zs_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link_or_copy(path, folder / path.name)
    return folder / path.name


@contextlib.contextmanager
def sending(session: SparkSession) -> Iterator[None]:
    """One thread at a time packs models for the session, and sends them."""
    owner = session if is_connect(session) else session.sparkContext
    lock: threading.RLock = vars(owner).setdefault("_sparknlp_zs_lock", threading.RLock())
    with lock:
        yield


def add_broadcast(session: SparkSession, path: Path, name: str) -> Any:
    """Broadcast the bytes of a file to the workers of classic Spark, once."""
    sent = sent_before(session)
    if name not in sent:
        sent[name] = session.sparkContext.broadcast(path.read_bytes())
    return sent[name]
