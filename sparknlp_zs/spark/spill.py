"""A broadcast model on a worker's disk: unpacked once per host, to be memory-mapped."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from sparknlp_zs.engine.prepared import CACHE_VARIABLE

_CONTENTS = ".contents"  # the names in the zip


def spilled(content: str, broadcast: Any) -> Path:
    """The folder of a broadcast model on this host.

    The first worker of a host unpacks the zip, under a lock that dies with it; the others find the
    folder. So one worker holds the bytes for a moment, and all share the mapped file.

    Parameters
    ----------
    content : str
        Hash that names the folder.
    broadcast : pyspark.Broadcast of bytes
        The zip.
    """
    root = spill_folder()
    target = root / content
    if _is_complete(target):
        return target
    with (root / f"{content}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_complete(target):
            shutil.rmtree(target, ignore_errors=True)  # a cleaner of old files was there
            partial = root / f"{content}.partial"
            shutil.rmtree(partial, ignore_errors=True)  # of a worker that was killed
            with zipfile.ZipFile(io.BytesIO(broadcast.value)) as archive:
                archive.extractall(partial)
                (partial / _CONTENTS).write_text(json.dumps(archive.namelist()))
            partial.rename(target)
            _forget(broadcast)
    return target


def _is_complete(folder: Path) -> bool:
    """Whether all is there: what cleans temporary folders may take some files of one."""
    try:
        names = json.loads((folder / _CONTENTS).read_text())
    except (OSError, ValueError):
        return False
    return all((folder / name).is_file() for name in names)


def spill_folder() -> Path:
    """Where this host keeps broadcast models: ``SPARKNLP_ZS_CACHE``, else a temporary folder.

    Raises
    ------
    PermissionError
        If someone else could write to the temporary folder: its models must not be trusted.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        root = Path(chosen) / "spilled"
        root.mkdir(parents=True, exist_ok=True)
        return root
    root = Path(tempfile.gettempdir()) / f"sparknlp_zs-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    state = root.lstat()
    private = stat.S_ISDIR(state.st_mode) and not state.st_mode & 0o022
    if not private or state.st_uid != os.getuid():
        raise PermissionError(
            f"{str(root)!r} can be written to by another user; remove it, or set the workers' "
            f"environment variable {CACHE_VARIABLE}"
        )
    return root


def _forget(broadcast: Any) -> None:
    """Free the bytes; Spark reads them again from its file if they are asked for."""
    if getattr(broadcast, "_path", None):
        vars(broadcast).pop("_value", None)
