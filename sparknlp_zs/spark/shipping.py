"""The way of a model from the driver to the workers."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sparknlp_zs.engine.combined import with_adapter
from sparknlp_zs.engine.prepared import (
    cache_folder,
    hash_of,
    needed_files,
    prepared_folder,
    publish,
)
from sparknlp_zs.models import ModelSpec, model_folder, read_class_ids
from sparknlp_zs.spark.session import add_archive, workers_share_files

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class ShippedModel:
    """What a UDF carries in place of the model: where a worker finds it, and how to run it."""

    content: str
    dtype: str
    device: str | None
    max_length: int | None
    path: str | None = None
    archive: str | None = None

    def folder(self) -> Path:
        """The model's folder, on a worker."""
        if self.path is not None:
            return Path(self.path)
        from pyspark import SparkFiles

        assert self.archive is not None
        return Path(SparkFiles.get(self.archive))


def ship(session: SparkSession, spec: ModelSpec) -> ShippedModel:
    """Make a model available to the session's workers.

    Workers that share the driver's files read the folder where it is. Elsewhere it goes once,
    as an archive named by its content hash, through ``addArtifacts``.

    Raises
    ------
    ModelNotFoundError, ValueError
        If there is no such model, or it is no NLI model: here on the driver, before any job.
    """
    source = model_folder(spec)
    read_class_ids(source)
    folder = with_adapter(prepared_folder(source, spec.dtype), spec)
    content = hash_of(folder)
    path = archive = None
    if workers_share_files(session):
        path = str(folder)
    else:
        archive = f"sparknlp_zs_{content}"
        add_archive(session, str(_zipped(folder, archive)), archive)
    return ShippedModel(content, spec.dtype, spec.device, spec.max_length, path, archive)


def _zipped(folder: Path, name: str) -> Path:
    target = cache_folder() / "archives" / f"{name}.zip"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        packed = Path(scratch) / target.name
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for path in needed_files(folder):
                archive.write(path, path.name)
        publish(packed, target)
    return target
