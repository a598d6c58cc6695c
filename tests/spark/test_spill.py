"""A broadcast model on a worker's disk."""

from __future__ import annotations

import os
import tempfile
import zipfile

import pytest

from sparknlp_zs.spark.spill import spill_folder, spilled


class Bytes:
    """As much of a broadcast as is used; counts how often its value is read."""

    def __init__(self, value: bytes) -> None:
        self._bytes, self.reads = value, 0

    @property
    def value(self) -> bytes:
        self.reads += 1
        return self._bytes


FILES = ["config.json", "model.safetensors", "tokenizer.json"]


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in FILES:
            archive.writestr(name, f"content of {name}")
    return path.read_bytes()


def test_spilled_once(packed, tmp_path, monkeypatch):
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path))
    # Left by a worker that was killed while it unpacked.
    (tmp_path / "spilled" / "abc.partial").mkdir(parents=True)
    (tmp_path / "spilled" / "abc.partial" / "half").write_text("half")
    broadcast = Bytes(packed)
    folders = {spilled("abc", broadcast) for _ in range(3)}
    folder = folders.pop()
    found = {path.name for path in folder.iterdir()}
    assert {x for x in found if not x.startswith(".")} == set(FILES)
    assert broadcast.reads == 1


@pytest.mark.parametrize("lost", [["model.safetensors"], ["tokenizer.json"], FILES])
def test_spilled_again_where_a_cleaner_of_old_files_was(packed, tmp_path, monkeypatch, lost):
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path))
    folder = spilled("abc", Bytes(packed))
    for name in lost:
        (folder / name).unlink()
    assert spilled("abc", Bytes(packed)) == folder
    for name in FILES:
        assert (folder / name).read_text() == f"content of {name}"


def test_temporary_folder_that_another_user_could_write_to(tmp_path, monkeypatch):
    monkeypatch.delenv("SPARKNLP_ZS_CACHE")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = spill_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="SPARKNLP_ZS_CACHE"):
        spill_folder()
    folder.rmdir()
    os.symlink(tmp_path, folder)
    with pytest.raises(PermissionError, match="another user"):
        spill_folder()
