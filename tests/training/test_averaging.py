"""The mean of models' weights is a model."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from sparknlp_zs.training.averaging import average, main


@pytest.fixture
def shifted(tiny, tmp_path):
    """A model whose weights are all larger by one."""
    folder = shutil.copytree(tiny, tmp_path / "shifted")
    weights = load_file(folder / "model.safetensors")
    moved = {name: weight + 1 for name, weight in weights.items()}
    save_file(moved, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "checkpoints").mkdir()
    return folder


def test_weights_are_means_and_the_rest_is_the_firsts(tiny, shifted, tmp_path):
    main([str(tmp_path / "mean"), *map(str, (shifted, tiny, tiny, tiny))])
    before, after = (
        load_file(tiny / "model.safetensors"),
        load_file(tmp_path / "mean/model.safetensors"),
    )
    assert before.keys() == after.keys()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight + 0.25)
    assert not (tmp_path / "mean/checkpoints").exists()
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "mean")
    assert model.dtype == torch.float32
    assert len(AutoTokenizer.from_pretrained(tmp_path / "mean"))


def test_types_of_weights_stay(tiny, tmp_path):
    half = shutil.copytree(tiny, tmp_path / "half")
    weights = load_file(tiny / "model.safetensors")
    save_file({name: x.half() for name, x in weights.items()}, half / "model.safetensors")
    average([half, tiny], tmp_path / "mean")
    for name, weight in load_file(tmp_path / "mean/model.safetensors").items():
        assert weight.dtype == torch.float16
        torch.testing.assert_close(weight.float(), weights[name], rtol=1e-3, atol=1e-5)


def test_wrong_folders(tiny, tiny_models, shifted, tmp_path):
    output = tmp_path / "mean"
    with pytest.raises(ValueError, match="at least two"):
        average([tiny], output)
    with pytest.raises(ValueError, match="other weights"):
        average([tiny, tiny_models["roberta"]], output)
    with pytest.raises(FileNotFoundError, match=r"no model\.safetensors"):
        average([tiny, tmp_path], output)
    config = json.loads((shifted / "config.json").read_text())
    config["id2label"] = {"0": "neutral", "1": "entailment", "2": "contradiction"}
    config["label2id"] = None
    (shifted / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="classes"):
        average([tiny, shifted], output)
    assert not output.exists()
    with pytest.raises(FileExistsError, match="exists"):
        average([tiny, tiny], tiny)
