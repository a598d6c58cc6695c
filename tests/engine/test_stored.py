"""Models with a fast network are loaded without transformers' code for models, or by it alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from random_classifiers import BERT, CPU, DEBERTA, LENGTHS, NAMES, bert, deberta, make_inputs
from safetensors.torch import load_file, save_file

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.networks import build_network
from sparknlp_zs.engine.networks.huggingface import load_config, load_model
from sparknlp_zs.engine.networks.modules import class_name
from sparknlp_zs.engine.networks.pooling import build_encoder
from sparknlp_zs.engine.networks.stored import stored_model
from sparknlp_zs.tasks import ZeroShot

MODELS = {f"deberta, {name}": changes for name, changes in DEBERTA.items()} | {x: x for x in BERT}
COVERED = [name for name in MODELS if name != "deberta, other activations"]
TASK = ZeroShot(["travel", "money"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Saved models by name."""
    found = {}
    for name, given in MODELS.items():
        found[name] = tmp_path_factory.mktemp("stored") / "model"
        model = bert(given) if isinstance(given, str) else deberta(**given)
        model.save_pretrained(found[name])
    return found


def stored(folder, dtype="float32", outputs=3):
    return stored_model(folder, load_config(folder), dtype, CPU, outputs)


def same_logits(model, other, names=NAMES):
    for length in LENGTHS:
        inputs = [make_inputs(length, padded=True)]
        expected = build_network(other, CPU, names).logits(inputs)
        np.testing.assert_array_equal(build_network(model, CPU, names).logits(inputs), expected)


@pytest.mark.parametrize("name", COVERED)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_logits_are_those_of_transformers_model(folders, name, dtype):
    model, other = stored(folders[name], dtype), load_model(folders[name], dtype, CPU)
    assert class_name(model) == type(other).__name__
    same_logits(model, other)
    same_logits(model, other, ["input_ids"])  # no token types


def test_other_activations_are_left_to_transformers(folders):
    assert stored(folders["deberta, other activations"]) is None


def test_weights_are_mapped(folders):
    """Loaded in the dtype that they are stored in, weights take no memory of the process."""
    weights = folders["bert"] / "model.safetensors"
    model = stored(folders["bert"])
    assert str(weights.resolve()) in Path("/proc/self/maps").read_text()
    del model


@pytest.mark.parametrize("architecture", [x for x in BERT if x != "bert-relu"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_encoders(architecture, pooling, tmp_path):
    model = bert(architecture).base_model
    model.save_pretrained(tmp_path)
    found = stored(tmp_path, outputs=None)
    assert class_name(found) == type(model).__name__
    inputs = [make_inputs(17, padded=True)]
    expected = build_encoder(model, CPU, NAMES, pooling).logits(inputs)
    vectors = build_encoder(found, CPU, NAMES, pooling).logits(inputs)
    np.testing.assert_array_equal(vectors, expected)


def rewrite(folder, change):
    weights = load_file(folder / "model.safetensors")
    save_file(change(weights), folder / "model.safetensors", {"format": "pt"})


def without_bias(weights):
    return {name: x for name, x in weights.items() if name != "classifier.bias"}


def larger(weights):
    return {
        name: torch.cat([x, x]) if name == "classifier.bias" else x for name, x in weights.items()
    }


def twice(weights):
    return {**weights, "bert.encoder.layer.0.output.LayerNorm.gamma": torch.ones(32)}


def without_and_with_prefix(weights):
    name = "bert.encoder.layer.0.output.dense.bias"
    return {**weights, name.removeprefix("bert."): weights[name].clone()}


def old_names(weights):
    return {name.replace("LayerNorm.weight", "LayerNorm.gamma"): x for name, x in weights.items()}


@pytest.mark.parametrize(
    "change", [without_bias, larger, old_names, twice, without_and_with_prefix]
)
def test_other_weights_are_left_to_transformers(change, tmp_path):
    bert("bert").save_pretrained(tmp_path)
    rewrite(tmp_path, change)
    assert stored(tmp_path) is None


CONFIGS = {
    "quantized": ("bert", {"quantization_config": {"quant_method": "x"}}),
    "other weights": ("bert", {"transformers_weights": "other.safetensors"}),
    "heads": ("bert", {"num_attention_heads": 5}),
    "no padding": ("roberta", {"pad_token_id": None}),
    "padding beyond the words": ("bert", {"pad_token_id": 1000}),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_other_configs_are_left_to_transformers(case, tmp_path):
    architecture, change = CONFIGS[case]
    bert(architecture).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert stored(tmp_path) is None


@pytest.mark.parametrize("kind", ["shards", "adapter"])
def test_other_folders_are_left_to_transformers(kind, tmp_path):
    model = bert("bert")
    model.save_pretrained(tmp_path, max_shard_size="20kB" if kind == "shards" else "1GB")
    if kind == "adapter":
        (tmp_path / "adapter_config.json").write_text("{}")
    assert stored(tmp_path) is None


def test_other_model_types_are_left_to_transformers(tmp_path):
    config = transformers.ElectraConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    assert stored(tmp_path, outputs=2) is None


def test_unused_weights_do_not_matter(folders, tmp_path):
    """Such as the positions that older versions of transformers saved."""
    model = bert("bert")
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, lambda x: {**x, "bert.embeddings.position_ids": torch.arange(68)[None]})
    same_logits(stored(tmp_path), model)


def test_weights_under_old_names(tiny, tmp_path):
    """What is left to transformers scores as before."""
    for path in tiny.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    rewrite(tmp_path, old_names)
    texts = [pa.array(["my card was stolen"])]
    assert load_scorer(tmp_path).score(TASK, texts).equals(load_scorer(tiny).score(TASK, texts))
