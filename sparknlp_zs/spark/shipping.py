"""The way of a model from the driver to the workers."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sparknlp_zs.embedders import EMBEDDER_REMEDY
from sparknlp_zs.engine.cache import folder_stamp
from sparknlp_zs.engine.combined import with_adapter, with_embedder
from sparknlp_zs.engine.described import description_files
from sparknlp_zs.engine.encoding import check_max_length
from sparknlp_zs.engine.precision import compute_dtype
from sparknlp_zs.engine.prepared import (
    CACHE_VARIABLE,
    cache_folder,
    hash_of,
    make_folder,
    prepared_folder,
    publish,
)
from sparknlp_zs.model_files import check_tokenizer, needed_files
from sparknlp_zs.models import (
    EMBEDDER,
    EMBEDDING,
    ModelSpec,
    model_folder,
    read_class_ids,
    read_config,
)
from sparknlp_zs.spark.session import (
    add_archive,
    add_broadcast,
    is_connect,
    is_local,
    sending,
    session_setting,
    workers_see,
)
from sparknlp_zs.tasks import Task, needs_embedder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHIPPING = "spark.sparknlp_zs.shipping"
WAYS = ("auto", "path", "archive", "broadcast")


@dataclass(frozen=True)
class ShippedModel:
    """What a UDF carries in place of the model: where a worker finds it, and how to run it.

    Just one of ``path``, ``archive`` and ``broadcast`` is set.
    """

    content: str
    dtype: str
    device: str | None
    max_length: int | None
    path: str | None = None
    archive: str | None = None
    broadcast: Any = None
    embeds: bool = False
    stamp: str | None = None  # of the folder at ``path``, when its content was hashed

    def task_json(self, task: Task) -> str:
        """What tells the workers the task.

        Raises
        ------
        ValueError
            If the task needs an embedder, and none is sent with the model.
        """
        if needs_embedder(task) and not self.embeds:
            raise ValueError(f"prefilter: no embedder was sent with the model; {EMBEDDER_REMEDY}")
        return task.to_json()

    def folder(self) -> Path:
        """The model's folder, on a worker.

        Raises
        ------
        FileNotFoundError
            If it is not there; the message says what to do.
        """
        if self.broadcast is not None:
            from sparknlp_zs.spark.spill import spilled

            return spilled(self.content, self.broadcast)
        if self.path is not None:
            return _existing(
                Path(self.path),
                "it was removed since the column was made, or the workers do not see the driver's "
                f"folders: make the column again, or set {SHIPPING}=archive",
            )
        from pyspark import SparkFiles

        assert self.archive is not None
        return _existing(
            unpacked(Path(SparkFiles.getRootDirectory()), self.archive),
            "it was sent to another session; make the column within "
            "zs.use_session(df.sparkSession)",
        )

    def check_content(self) -> None:
        """Make sure that a folder which is read in place holds what the driver saw.

        Raises
        ------
        ValueError
            If it was written anew since.
        """
        if self.path is None or folder_stamp(Path(self.path)) == self.stamp:
            return
        # Another host may see other times of the same files.
        if hash_of(Path(self.path)) != self.content:
            raise ValueError(
                f"the model in {self.path!r} is another than when the column was made: make the "
                "column again, and save other models to other folders"
            )


def unpacked(root: Path, archive: str) -> Path:
    """Where Spark unpacked an archive, below its folder of files.

    A streaming query on Connect has its files in a session's folder below ``root``, of which
    Spark 4 tells only batch queries. Equal names are equal content, and the oldest is complete:
    Spark unpacks one archive at a time, before the tasks that need it. With isolated artifacts
    (``spark.sql.artifact.isolation.enabled``) classic Spark tells of a session's folder as well,
    but unpacks beside it.
    """
    for place in (root / archive, root.parent / archive):
        if place.exists():
            return place
    found = sorted(root.glob(f"*/{archive}"), key=lambda path: path.stat().st_ctime)
    return found[0] if found else root / archive


def ship(
    session: SparkSession, spec: ModelSpec, check: Callable[[Path], object] = read_class_ids
) -> ShippedModel:
    """Make a model available to the session's workers, once.

    A hub id is resolved, and weights are converted to the compute dtype, here on the driver. The
    setting ``spark.sparknlp_zs.shipping`` of the session says how the model travels:

    ``auto`` (default)
        ``path`` where it is sure that workers see the folder (a local master; below /Volumes or
        /dbfs on Databricks), else ``archive``.
    ``path``
        Workers read the folder in place: it is on a file system that all hosts share.
    ``archive``
        A zip named by the model's content, through ``addArtifacts``; classic and Connect.
    ``broadcast``
        Spark's broadcast of the zip, unpacked once per host; classic Spark only.

    ``check`` gets the model's folder, and raises if it lacks the classes that are asked for.

    Raises
    ------
    ModelNotFoundError, ValueError
        If there is no such model, the check fails, it has no tokenizer, or the setting is wrong or
        impossible here: on the driver, before any job.
    """
    way = _chosen_way(session)
    source = model_folder(spec)
    check(source)
    check_tokenizer(source)
    _check_length(source, spec)
    dtype = compute_dtype(spec.dtype, spec.device)
    folder = with_adapter(prepared_folder(source, dtype), spec)
    folder = with_embedder(folder, spec, dtype)
    stamp, content = folder_stamp(folder), hash_of(folder)
    if way == "auto":
        way = "path" if workers_see(session, folder) else "archive"
    elif way == "path":
        _check_shared(session, source, folder, dtype)
    path = archive = broadcast = None
    if way == "path":
        path = str(folder)
    else:
        with sending(session):
            packed = _zipped(folder, content)
            if way == "archive":
                add_archive(session, packed, packed.stem)
                archive = packed.stem
            else:
                broadcast = add_broadcast(session, packed, f"broadcast of {packed.stem}")
    return ShippedModel(
        content,
        dtype,
        spec.device,
        spec.max_length,
        path,
        archive,
        broadcast,
        embeds=spec.embedder is not None,
        stamp=stamp if path else None,
    )


def _check_length(folder: Path, spec: ModelSpec) -> None:
    if spec.max_length is not None:
        config = read_config(folder)
        check_max_length(SimpleNamespace(**{"model_type": "", **config}), spec.max_length)


def _chosen_way(session: SparkSession) -> str:
    way = session_setting(session, SHIPPING, "auto").strip().lower()
    if way not in WAYS:
        raise ValueError(f"{SHIPPING}={way!r}: use one of {list(WAYS)}")
    if way == "broadcast" and is_connect(session):
        raise ValueError(
            f"{SHIPPING}='broadcast' needs classic Spark, and this is a Spark Connect session; "
            "use 'archive', or 'path' for a folder that every worker sees"
        )
    return way


def _check_shared(session: SparkSession, source: Path, folder: Path, dtype: str) -> None:
    """Refuse weights in place where they were converted to a cache that is the driver's own."""
    if folder == source or os.environ.get(CACHE_VARIABLE) or is_local(session):
        return
    raise ValueError(
        f"{SHIPPING}='path', but the weights of {str(source)!r} are not stored as {dtype} in one "
        "model.safetensors, or an adapter or embedder is added to them: they were put into "
        f"{str(folder)!r}, which is on the driver. Save the model in {dtype}, or set the "
        f"environment variable {CACHE_VARIABLE} to a folder that every worker sees, or use another "
        "shipping"
    )


def _existing(folder: Path, remedy: str) -> Path:
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"no model in {str(folder)!r} on this worker: {remedy}")
    return folder


def _zipped(folder: Path, content: str) -> Path:
    """The folder's files in a zip, named by what it holds; its bytes follow from that alone."""
    files = {path.relative_to(folder).as_posix(): path for path in needed_files(folder)}
    described = _descriptions(folder)
    digest = hashlib.sha256()
    for name, path in described.items():
        digest.update(name.encode() + path.read_bytes())
    target = cache_folder() / "archives" / f"sparknlp_zs_{content}_{digest.hexdigest()[:8]}.zip"
    if target.is_file():
        return target
    make_folder(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        packed = Path(scratch) / target.name
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for name, path in sorted({**files, **described}.items()):
                _add(archive, path, name)
        publish(packed, target)
    return target


def _descriptions(folder: Path) -> dict[str, Path]:
    """What spares workers on a new host the import of transformers."""
    embedder = folder / EMBEDDER
    nested = description_files(embedder) if (embedder / EMBEDDING).is_file() else {}
    return {
        **description_files(folder),
        **{f"{EMBEDDER}/{name}": path for name, path in nested.items()},
    }


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    # Without the file's own time: Spark refuses other bytes under a name that it knows.
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    with path.open("rb") as file, archive.open(info, "w", force_zip64=True) as out:
        shutil.copyfileobj(file, out, 1 << 20)
