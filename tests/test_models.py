"""Names, folders, class ids, hashes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from huggingface_hub.errors import IncompleteSnapshotError

import sparknlp_zs  # noqa: F401  the accessor
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.prepared import hash_of, prepared_folder
from sparknlp_zs.models import (
    SEED_MODEL,
    ModelNotFoundError,
    ModelSpec,
    class_ids,
    label_ids,
    model_folder,
    model_spec,
    read_class_ids,
)
from sparknlp_zs.tasks import NLI, ClassIds


def test_default_model(monkeypatch):
    monkeypatch.delenv("SPARKNLP_ZS_MODEL", raising=False)
    assert model_spec(None).model == SEED_MODEL
    monkeypatch.setenv("SPARKNLP_ZS_MODEL", "starter")
    assert model_spec(None).model == "starter"


def test_missing_model_says_what_to_do():
    with pytest.raises(ModelNotFoundError, match=r"model='no/such'.*model='starter'.*no download"):
        model_folder(ModelSpec("no/such"))


def test_path_that_is_no_hub_id():
    with pytest.raises(ModelNotFoundError, match=r"/no/such/folder'?: no such folder, and no hub"):
        model_folder(ModelSpec("/no/such/folder"))


def test_a_path_is_a_model(tmp_path):
    assert ModelSpec(tmp_path) == ModelSpec(str(tmp_path)) == model_spec(tmp_path)


def test_folder_without_config(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"config\.json"):
        model_folder(ModelSpec(str(tmp_path)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"id2label": {"0": "ent', r"config\.json is damaged \(.*\); fetch"),
        (b"version https://git-lfs", r"config\.json is damaged"),
        (b'{"x": "\xe9"}', r"config\.json is damaged"),
        (b"[1]", r"config\.json is no JSON object"),
        (b'{"id2label": ["entailment"]}', r"id2label or label2id .* no map"),
        (b'{"label2id": {"entailment": "zero"}}', r"id2label or label2id .* no map"),
        (b'{"label2id": {"entailment": null}}', r"id2label or label2id .* no map"),
    ],
)
def test_damaged_configs_are_named(tmp_path, content, message):
    (tmp_path / "config.json").write_bytes(content)
    for use in (
        lambda texts: texts.zsc.classify(["a", "b"], model=str(tmp_path)),
        lambda texts: texts.zsc.predict(model=str(tmp_path)),
    ):
        with pytest.raises(ValueError, match=f"{tmp_path.name}.*{message}"):
            use(pd.Series(["a text"]))


def test_hub_cache_is_used_offline(tiny, tmp_path, monkeypatch):
    """A snapshot that was downloaded before is found by its hub id."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    snapshot = cache / "models--some--nli" / "snapshots" / "abc"
    shutil.copytree(tiny, snapshot)
    (cache / "models--some--nli" / "refs").mkdir()
    (cache / "models--some--nli" / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    assert model_folder(ModelSpec("some/nli")).samefile(snapshot)
    # Part of a model is none: the hub is asked, which there is not.
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelNotFoundError, match="not in the local cache"):
        model_folder(ModelSpec("some/nli"))


def test_a_cache_without_files_that_are_not_needed(tiny, tmp_path, monkeypatch):
    def incomplete(*args, local_files_only, **kwargs):
        assert local_files_only, "the hub was asked"
        raise IncompleteSnapshotError("README.md is missing", str(tiny))

    monkeypatch.setattr("huggingface_hub.snapshot_download", incomplete)
    assert model_folder(ModelSpec("some/nli")) == tiny


def test_what_is_downloaded(tiny, tmp_path, monkeypatch):
    """Pickled weights only where there are no others; vocabularies of every kind."""
    asked = []

    def snapshot(name, *, allow_patterns, local_files_only, **kwargs):
        if local_files_only:
            raise FileNotFoundError
        asked.append(allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    shutil.copytree(tiny, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    model_folder(ModelSpec("some/nli"))
    (tmp_path / "pytorch_model.bin").rename(tmp_path / "model.safetensors")
    model_folder(ModelSpec("some/nli"))
    assert ["*.bin" in patterns for patterns in asked] == [False, True, False]
    assert all({"*.codes", "*.model", "*.tiktoken"} <= set(patterns) for patterns in asked)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": ""}, "model=''"),
        ({"model": "a", "dtype": "int3"}, "dtype='int3'"),
        ({"model": "a", "max_length": 2}, "max_length=2"),
        ({"model": "a", "max_length": "128"}, "max_length='128': pass an int"),
        ({"model": "a", "max_length": 128.0}, r"max_length=128\.0: pass an int"),
        ({"model": "a", "device": "gpu"}, "device='gpu': use 'cpu', 'cuda', 'cuda:N'"),
        ({"model": "a", "device": "CPU"}, "device='CPU'"),
        ({"model": "a", "device": "cuda:"}, "device='cuda:'"),
        ({"model": "a", "device": "cuda:-1"}, "device='cuda:-1'"),
        ({"model": "a", "device": "cpu\n"}, "device='cpu"),
        ({"model": "a", "device": ""}, "device=''"),
        ({"model": "a", "device": 0}, "device=0"),
    ],
)
def test_wrong_spec(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ModelSpec(**arguments)


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:0", "cuda:11", "mps", None])
def test_devices(device):
    """Torch knows them all; whether they exist is not asked."""
    assert ModelSpec("a", device=device).device == device
    assert device is None or torch.device(device)


def test_automatic_device():
    assert ModelSpec("a", device="auto") == ModelSpec("a")


def test_class_ids_by_name():
    found = class_ids({"CONTRADICTION": 0, "Neutral": 1, "Entailment": 2})
    assert (found.entailment, found.neutral, found.contradiction) == (2, 1, 0)
    two = class_ids({"entailment": 0, "not_entailment": 1})
    assert (two.entailment, two.negative) == (0, 1)


@pytest.mark.parametrize(
    "label2id",
    [
        {},
        {"LABEL_0": 0, "LABEL_1": 1},
        {"entailment": 0, "neutral": 1},
        {"entailment": 0, "entails": 1, "contradiction": 2},
        {"positive": 0, "negative": 1},
    ],
)
def test_models_that_are_refused(label2id):
    with pytest.raises(ValueError, match="label2id="):
        class_ids(label2id)


NAMED = {"entailment": 0, "neutral": 1, "contradiction": 2}
UNNAMED = {f"LABEL_{at}": at for at in range(3)}


def maps(id2label=None, label2id=None):
    """The part of a config.json, from names and ids."""
    by_id = id2label and {str(at): name for name, at in id2label.items()}
    return {"id2label": by_id, "label2id": label2id}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (maps(NAMED, NAMED), NAMED),
        (maps(NAMED), NAMED),
        (maps(NAMED, {}), NAMED),
        (maps(NAMED, UNNAMED), NAMED),
        (maps(NAMED, {"LABEL_0": 0, "LABEL_1": 1}), NAMED),
        (maps(NAMED, {"Entailment": 0, "NEUTRAL": 1, "contradiction": 2}), NAMED),
        (maps(NAMED, {"entailment": 0}), NAMED),
        (maps(None, NAMED), NAMED),
        (maps(UNNAMED, NAMED), NAMED),
        (maps(UNNAMED, UNNAMED), UNNAMED),
        (maps(UNNAMED), UNNAMED),
        (maps(), {}),
        ({}, {}),
    ],
)
def test_label_ids(config, expected):
    assert label_ids(config) == expected


@pytest.mark.parametrize(
    "label2id",
    [
        {"contradiction": 0, "neutral": 1, "entailment": 2},
        {"entailment": 0, "neutral": 1, "contradiction": 2, "other": 3},
        {"entailment": 0, "contradiction": 1},
        {"joy": 0, "anger": 1, "fear": 2},
    ],
)
def test_maps_that_contradict_each_other(tiny, tmp_path, label2id):
    folder = with_maps(tiny, tmp_path / "wrong", **maps(NAMED, label2id))
    message = r"wrong: label2id={.*} and id2label={'0'.*} .*contradict each other; correct"
    for read in (read_class_ids, load_scorer):
        with pytest.raises(ValueError, match=message):
            read(folder)


def with_maps(folder, target, **config):
    """A copy of a model's folder with other maps; None leaves one out."""
    shutil.copytree(folder, target)
    found = {**json.loads((target / "config.json").read_text()), **config}
    kept = {key: value for key, value in found.items() if value is not None}
    (target / "config.json").write_text(json.dumps(kept))
    return target


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "config",
    [maps(NAMED), maps(NAMED, UNNAMED), maps(UNNAMED, NAMED), maps(None, NAMED)],
    ids=["id2label", "label2id unnamed", "id2label unnamed", "label2id"],
)
def test_models_with_one_map_that_names_classes(tiny, tmp_path, config, dtype):
    import pyarrow as pa

    folder = with_maps(tiny, tmp_path / "one", **config, num_labels=3)
    assert read_class_ids(folder) == ClassIds(0, 1, 2)
    ready = prepared_folder(folder, dtype)
    assert (ready == folder) == (dtype == "float32")
    pair = [pa.array(["the fox"]), pa.array(["a fox"])]
    expected = load_scorer(tiny, dtype).score(NLI(), pair)
    assert load_scorer(ready, dtype).score(NLI(), pair).equals(expected)


def test_weights_without_classifier_are_refused(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "headless"
    shutil.copytree(tiny, folder)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if "classifier" not in k},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(ValueError, match=r"classifier.*random"):
        load_scorer(folder)


def cut(folder):
    """Half of the weights' bytes."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rename_classes(folder):
    """Two names for three outputs."""
    path = folder / "config.json"
    labels = {"id2label": {"0": "entailment", "1": "not_entailment"}}
    labels["label2id"] = {"entailment": 0, "not_entailment": 1}
    path.write_text(json.dumps({**json.loads(path.read_text()), **labels}))


def without_tokenizer(folder):
    """As if ``tokenizer.save_pretrained`` had been forgotten."""
    for path in [*folder.glob("token*"), *folder.glob("vocab*")]:
        path.unlink()


def without_vocabulary(folder):
    """The tokenizer's configuration alone."""
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "model.safetensors is damaged or not complete"),
        (rename_classes, "model: the weights are damaged, or not of the shapes that config.json"),
        (without_tokenizer, r"model: there is no tokenizer .*tokenizer\.save_pretrained"),
        (without_vocabulary, "model: the tokenizer knows no words"),
    ],
)
def test_damaged_folders_are_named(tiny, tmp_path, damage, message):
    """Without a vocabulary transformers takes every word for the unknown one."""
    folder = shutil.copytree(tiny, tmp_path / "model")
    damage(folder)
    with pytest.raises(ValueError, match=message):
        pd.Series(["the fox"]).zsc.classify(["travel", "money"], model=folder)


def test_device_that_is_not_there(tiny):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match=r"device='cuda:0': torch .* sees no such device"):
        load_scorer(tiny, device="cuda:0")


def test_prepared_folder_has_the_dtype_and_the_same_scores(tiny):
    import pyarrow as pa

    from sparknlp_zs.tasks import ZeroShot

    assert prepared_folder(tiny, "float32") == tiny
    half = prepared_folder(tiny, "bfloat16")
    assert half != tiny
    assert prepared_folder(half, "bfloat16") == half
    from safetensors.torch import load_file

    weights = load_file(half / "model.safetensors")
    assert {x.dtype for x in weights.values() if x.is_floating_point()} == {torch.bfloat16}
    texts = [pa.array(["the fox", "my card"])]
    a = load_scorer(tiny, "bfloat16").score(ZeroShot(["x", "y"]), texts)
    b = load_scorer(half, "bfloat16").score(ZeroShot(["x", "y"]), texts)
    assert a.equals(b)


def test_hash_follows_content(tiny, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny, folder)
    before = hash_of(folder)
    assert before == hash_of(Path(tiny))
    weights = folder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(bytes(changed))
    assert hash_of(folder) != before


def test_only_pickled_weights(tiny, tmp_path):
    """A folder with pytorch_model.bin alone loads, with weights_only."""
    from safetensors.torch import load_file

    folder = tmp_path / "bin"
    shutil.copytree(tiny, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert load_scorer(folder) is not None
    assert (prepared_folder(folder, "float32") / "model.safetensors").is_file()
