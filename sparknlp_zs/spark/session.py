"""The differences between classic Spark and Spark Connect, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SHIPPED = "sparknlp_zs.shipped."


def active_session() -> SparkSession:
    """The session that is in use.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        raise RuntimeError(
            "No active Spark session: create one first, such as SparkSession.builder.getOrCreate()"
        )
    return session


def is_connect(session: SparkSession) -> bool:
    """Whether the session is a Spark Connect client."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def case_sensitive(session: SparkSession) -> bool:
    """Whether the session tells columns apart that differ only in case."""
    return str(session.conf.get("spark.sql.caseSensitive", "false")).lower() == "true"


def workers_share_files(session: SparkSession) -> bool:
    """Whether workers see the driver's file system: classic Spark with a local master."""
    if is_connect(session):
        return False
    master = session.sparkContext.master
    return bool(master == "local" or master.startswith("local["))


def add_archive(session: SparkSession, path: str, name: str) -> None:
    """Send a zip to the session's workers, once; it is unpacked in a folder ``name``.

    The session's own configuration remembers what was sent: artifacts belong to one session.
    """
    key = _SHIPPED + name
    if session.conf.get(key, None) == "true":
        return
    session.addArtifacts(f"{path}#{name}", archive=True)
    session.conf.set(key, "true")
