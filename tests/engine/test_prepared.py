"""Which files make a model, their hash, and folders converted to the compute dtype."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.networks.huggingface import load_model
from sparknlp_zs.engine.prepared import convert, hash_of, prepared_folder
from sparknlp_zs.model_files import WEIGHTS, content_hash, needed_files, weight_files
from sparknlp_zs.tasks import ZeroShot

TASK, TEXTS = ZeroShot(["x", "y"]), [pa.array(["the fox", "my card"])]


@pytest.fixture
def folder(tiny, tmp_path):
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def names(folder):
    return [path.name for path in needed_files(folder)]


def test_files_that_are_not_needed_change_nothing(folder, tiny):
    expected = content_hash(tiny)
    for name in (
        "README.md",
        "notes.txt",
        "trainer_state.json",
        "optimizer.pt",
        "training_args.bin",
        "pytorch_model.bin",
        "model.onnx",
        ".gitattributes",
    ):
        (folder / name).write_bytes(b"anything")
    (folder / "checkpoint-1").mkdir()
    assert content_hash(folder) == expected
    assert names(folder) == names(tiny)


def test_files_that_are_needed_change_the_hash(folder):
    for path in needed_files(folder):
        before = hash_of(folder)
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert hash_of(folder) != before, path.name
        path.write_bytes(content)
        assert content_hash(folder) == before
    before = hash_of(folder)
    (folder / "added_tokens.json").write_text("{}")
    assert hash_of(folder) != before


def test_needed_files_are_enough(tiny_models, tmp_path):
    """A copy of the needed files alone gives the same scores, for every kind of tokenizer."""
    for name, folder in tiny_models.items():
        copy = tmp_path / name
        copy.mkdir()
        for path in needed_files(folder):
            shutil.copyfile(path, copy / path.name)
        expected = load_scorer(folder).score(TASK, TEXTS)
        assert load_scorer(copy).score(TASK, TEXTS).equals(expected)


def test_vocabulary_of_an_unknown_name(folder):
    """Without tokenizer.json the tokenizer's class decides on the names: all are taken."""
    (folder / "tokenizer.json").rename(folder / "words.json")
    (folder / "dict.txt").write_text("a")
    assert {"words.json", "dict.txt"} <= set(names(folder))


def test_sharded_weights(folder, tiny):
    model = load_model(tiny, "float32", torch.device("cpu"))
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20kB")
    shards = {path.name for path in folder.glob("model-*.safetensors")}
    assert len(shards) > 1
    assert {x.name for x in weight_files(folder)} == shards | {"model.safetensors.index.json"}
    prepared = prepared_folder(folder, "float32")
    assert names(prepared) == names(tiny)
    assert not list(prepared.glob("model-*"))
    assert load_scorer(prepared).score(TASK, TEXTS).equals(load_scorer(tiny).score(TASK, TEXTS))


def test_index_that_names_files_elsewhere(folder):
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "../../secret"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert all(path.parent == folder for path in weight_files(folder))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_models_with_a_fast_network_are_converted_without_transformers(
    tiny_models, dtype, monkeypatch, tmp_path
):
    """The same weights in the same dtype as transformers writes, and every other file as it is."""
    from sparknlp_zs.engine.networks import huggingface

    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / "cache"))
    for name, folder in tiny_models.items():
        model = load_model(folder, dtype, torch.device("cpu"))
        with monkeypatch.context() as patch:
            patch.setattr(huggingface, "loaded", None)
            prepared = prepared_folder(folder, dtype)
        expected = model.state_dict()
        found = load_file(prepared / "model.safetensors")
        assert found.keys() == expected.keys(), name
        assert all(found[key].equal(x) for key, x in expected.items())
        for path in needed_files(folder):
            if path.suffix == ".json":
                assert (prepared / path.name).read_bytes() == path.read_bytes()


def test_converted_once(folder, monkeypatch, tmp_path):
    from sparknlp_zs.engine import prepared

    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / "cache"))
    converted = []
    convert = prepared.convert
    monkeypatch.setattr(prepared, "convert", lambda *x: converted.append(x[1]) or convert(*x))
    first = prepared_folder(folder, "bfloat16")
    (folder / "README.md").write_text("another card")
    assert prepared_folder(folder, "bfloat16") == first
    assert converted == ["bfloat16"]
    stored = {x.dtype for x in load_file(first / "model.safetensors").values()}
    assert torch.float32 not in stored
    assert [x.name for x in first.parent.iterdir()] == [first.name]


def test_conversion_to_a_new_folder(tiny, tmp_path):
    convert(tiny, "bfloat16", tmp_path / "new" / "folder")
    assert prepared_folder(tmp_path / "new" / "folder", "bfloat16") == tmp_path / "new" / "folder"


def test_other_weights_of_equal_size_and_time(tiny, tmp_path):
    """As archives unpack them whose files all have one time."""
    hashes = set()
    for scale in (1.0, 3.0):
        folder = shutil.copytree(tiny, tmp_path / f"{scale}")
        weights = {name: x * scale for name, x in load_file(folder / WEIGHTS).items()}
        save_file(weights, folder / WEIGHTS, {"format": "pt"})
        for path in [folder, *folder.iterdir()]:
            os.utime(path, (1e9, 1e9))
        shutil.rmtree(tmp_path / "model", ignore_errors=True)
        folder.rename(tmp_path / "model")
        hashes.add(hash_of(tmp_path / "model"))
    assert len(hashes) == 2
