"""What the cache keeps, drops and loads again."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sparknlp_zs.engine import cache, loading
from sparknlp_zs.engine.cache import (
    BYTES_VARIABLE,
    DEFAULT_BYTES,
    ScorerKey,
    cache_bytes,
    cached_keys,
    folder_stamp,
    scorer_for,
    weights_bytes,
)


@pytest.fixture
def loads(monkeypatch):
    """An empty cache, and what was loaded into it: by a stand-in that needs no GPU."""
    found = []

    def load(folder, dtype, device, max_length):
        found.append((folder, dtype, device, max_length))
        return object()

    monkeypatch.setattr(loading, "load_scorer", load)
    before = cache._loaded.copy()
    cache._loaded.clear()
    yield found
    cache._loaded.clear()
    cache._loaded.update(before)


@pytest.fixture
def key(tiny):
    return ScorerKey(tiny, "content", "float32", "cpu", None)


def test_loaded_once_per_content_dtype_device_and_length(loads, key, tiny_models):
    first = scorer_for(key)
    assert scorer_for(key) is first
    # The same content in another folder, as another session's workers see it.
    assert scorer_for(replace(key, folder=tiny_models["roberta"])) is first
    assert len(loads) == 1
    for change in (
        {"content": "other"},
        {"dtype": "bfloat16"},
        {"device": "cuda:1"},
        {"max_length": 9},
    ):
        assert scorer_for(replace(key, **change)) is not first
    assert len(loads) == 5


def test_bytes_are_the_bound(loads, key, monkeypatch):
    size = weights_bytes(key.folder, "float32")
    monkeypatch.setenv(BYTES_VARIABLE, str(3 * size))
    a, b, c, d = (replace(key, content=name) for name in "abcd")
    for each in (a, b, c, a, d):  # b was used least recently
        scorer_for(each)
    assert cached_keys() == [c, a, d]
    # Two in half the size fit where one does.
    scorer_for(replace(b, dtype="bfloat16"))
    scorer_for(replace(c, dtype="bfloat16"))
    assert len(cached_keys()) == 4


def test_model_larger_than_the_bound_is_kept_alone(loads, key, monkeypatch):
    small = replace(key, content="small")
    scorer_for(small)
    monkeypatch.setenv(BYTES_VARIABLE, "1k")
    scorer_for(key)
    assert cached_keys() == [key]
    scorer_for(key)
    assert len(loads) == 2


def test_size_is_that_of_the_loaded_weights(tiny, tmp_path):
    model = loading.load_model(tiny, "float32", torch.device("cpu"))
    expected = sum(x.nbytes for x in model.parameters())
    assert weights_bytes(tiny, "float32") == expected
    assert weights_bytes(tiny, "bfloat16") * 2 == expected
    shards = tmp_path / "shards"
    model.save_pretrained(shards, max_shard_size="20kB")
    assert len(list(shards.glob("*.safetensors"))) > 1
    assert weights_bytes(shards, "float32") == expected


def test_weights_that_were_not_fetched(tmp_path):
    """Git without LFS leaves a few lines of text."""
    pointer = tmp_path / "model.safetensors"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    with pytest.raises(ValueError, match=r"model\.safetensors: no safetensors file.*git lfs pull"):
        weights_bytes(tmp_path, "float32")


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, DEFAULT_BYTES), ("1000", 1000), ("2k", 2048), ("6g", 6 << 30), ("1GB", 1 << 30)],
)
def test_bound(given, expected, monkeypatch):
    monkeypatch.delenv(BYTES_VARIABLE, raising=False)
    if given:
        monkeypatch.setenv(BYTES_VARIABLE, given)
    assert cache_bytes() == expected


@pytest.mark.parametrize("given", ["lots", "1.5g", "-1", "g"])
def test_wrong_bound(given, monkeypatch):
    monkeypatch.setenv(BYTES_VARIABLE, given)
    with pytest.raises(ValueError, match=f"{BYTES_VARIABLE}='{given}'.*'6g'"):
        cache_bytes()


def test_another_gpu_replaces_the_former(loads, key, monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(len(cached_keys_now())))
    first, second = (replace(key, device=f"cuda:{i}") for i in range(2))
    scorer_for(key)
    scorer_for(first, one_gpu=True)
    scorer_for(second, one_gpu=True)
    assert cached_keys() == [key, second]
    # GPU memory was given back, before the model was loaded again.
    assert emptied == [1]
    # The caller who names devices may use several.
    scorer_for(first)
    assert cached_keys() == [key, second, first]


def cached_keys_now():
    return list(cache._loaded)


def test_stamp_tells_folders_and_changes_apart(tiny, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    shutil.copytree(tiny, one)
    shutil.copytree(one, other)
    assert {x.stat().st_mtime_ns for x in one.iterdir()} == {
        x.stat().st_mtime_ns for x in other.iterdir()
    }
    assert folder_stamp(one) != folder_stamp(other)
    before = folder_stamp(one)
    (one / "README.md").write_text("a card")
    assert folder_stamp(one) == before
    _touch(one / "config.json")
    assert folder_stamp(one) != before


def _touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))
