"""Adapters: where they are found, which file of weights is taken, what is refused."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_adapters import HIDDEN, NAMES, TASKS, make_adapter, make_weights, save_converted

from sparknlp_zs.engine.adapter_weights import (
    expected_shapes,
    load_weights,
    read_safetensors,
    save_safetensors,
)
from sparknlp_zs.engine.adapters import (
    adapter_folder,
    adapter_name,
    adapter_tasks,
    find_task,
    read_adapter,
)
from sparknlp_zs.engine.combined import with_adapter, with_embedder
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import ModelNotFoundError, ModelSpec

BOTH = ("pytorch_model.bin", "model.safetensors")


def loaded(folder):
    return load_weights(folder, expected_shapes(read_adapter(folder), HIDDEN, HIDDEN))


def assert_ours(weights):
    expected = make_weights()
    assert weights.keys() == expected.keys()
    for key, weight in expected.items():
        torch.testing.assert_close(weights[key], weight, rtol=0, atol=0)


@pytest.mark.parametrize("files", [BOTH[:1], BOTH[1:], BOTH])
def test_both_files(tmp_path, files):
    assert_ours(loaded(make_adapter(tmp_path / "a", files)))


def test_stale_safetensors_is_passed_over(tmp_path):
    """As published: an older safetensors with fewer tasks beside the right file."""
    folder = make_adapter(tmp_path / "a", BOTH)
    save_file(make_weights(seed=9, count=5), folder / "model.safetensors")
    assert_ours(loaded(folder))
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ValueError, match=r"Z has the shape \[5, 32\], not \[8, 32\].*no such file"):
        loaded(folder)


def test_old_sizes_are_pairs(tmp_path):
    pairs = [[outputs, HIDDEN] for _, outputs, _ in TASKS]
    folder = make_adapter(tmp_path / "a", classifiers_size=pairs)
    assert read_adapter(folder) == read_adapter(make_adapter(tmp_path / "b"))
    assert_ours(loaded(folder))


@pytest.mark.parametrize("missing", ["Z", "classifiers.3.bias", "classifiers.7.weight"])
@pytest.mark.parametrize("file", BOTH)
def test_missing_key_is_an_error(tmp_path, file, missing):
    folder = make_adapter(tmp_path / "a", (file,))
    weights = {key: value for key, value in make_weights().items() if key != missing}
    if file == BOTH[0]:
        torch.save(weights, folder / file)
    else:
        save_converted(weights, folder / file)
    with pytest.raises(ValueError, match=f"{file}: it lacks {missing}"):
        loaded(folder)


def test_dropped_key_that_no_metadata_names(tmp_path):
    folder = make_adapter(tmp_path / "a", BOTH[1:])
    weights = load_file(folder / BOTH[1])
    save_file(weights, folder / BOTH[1], {"format": "pt"})
    with pytest.raises(ValueError, match=r"it lacks classifiers\.6\.weight"):
        loaded(folder)


def test_pickled_code_is_never_run(tmp_path):
    folder, trace = make_adapter(tmp_path / "a"), tmp_path / "ran"

    class Harmful:
        def __reduce__(self):
            return Path.touch, (trace,)

    for save in (torch.save, lambda x, path: path.write_bytes(pickle.dumps(x))):
        save({"Z": Harmful()}, folder / BOTH[0])
        with pytest.raises(ValueError, match="no file of weights fits"):
            loaded(folder)
        assert not trace.exists()


def test_shared_weights_are_stored_once(tmp_path):
    save_safetensors(make_weights(), tmp_path / "x.safetensors")
    assert "classifiers.6.weight" not in load_file(tmp_path / "x.safetensors")
    assert_ours(read_safetensors(tmp_path / "x.safetensors"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": None}, "no lists tasks and classifiers_size"),
        ({"tasks": []}, "no lists tasks and classifiers_size"),
        ({"classifiers_size": None}, "no lists tasks and classifiers_size"),
        ({"classifiers_size": [3, 2]}, r"different lengths: \[8, 2, 8\]"),
        ({"labels_list": [[]]}, r"different lengths: \[8, 8, 1\]"),
        ({"classifiers_size": [0] * 8}, "classifiers_size of config.json has 0"),
        ({"classifiers_size": [[2, 3, 4]] * 8}, r"has \[2, 3, 4\]"),
    ],
)
def test_configs_that_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_adapter(make_adapter(tmp_path / "a", **changes))


def test_kinds_and_labels_from_the_config(tmp_path):
    tasks = {task.name: task for task in read_adapter(make_adapter(tmp_path / "a"))}
    assert [tasks[name].index for name in NAMES] == list(range(8))
    assert tasks["glue/sst2"].labels == ("negative", "positive")
    assert tasks["yelp_review_full"].labels == ("1", "2", "3", "4", "5")
    assert tasks["glue/stsb"].kind == "regression"
    assert tasks["swag/regular"].kind == "multiple_choice"
    assert tasks["conll2003/ner_tags"].kind == "token_classification"
    unnamed = read_adapter(make_adapter(tmp_path / "b", labels_list=None))
    assert unnamed[1].labels == ("LABEL_0", "LABEL_1")
    assert [task.kind for task in unnamed[3:5]] == [None, None]
    odd = [*[None] * 4, ["only"], *[None] * 3]
    assert read_adapter(make_adapter(tmp_path / "c", labels_list=odd))[4].kind is None


def test_search(tmp_path):
    make_adapter(tmp_path / "m-adapters")
    model = tmp_path / "m-nli"
    model.mkdir()
    (model / "config.json").write_text("{}")

    def found(search=None):
        return [task.name for task in adapter_tasks(model, search)]

    assert found() == NAMES
    assert found("GLUE entail") == ["glue/mnli", "glue/rte", "glue/qnli"]
    assert found("multiple_choice") == ["swag/regular"]
    assert found("nothing like it") == []


def test_unknown_and_doubled_names(tmp_path):
    tasks = read_adapter(make_adapter(tmp_path / "a"))
    with pytest.raises(ValueError, match=r"'glue/sst-2'.*similar names are \['glue/sst2'"):
        find_task(tasks, "glue/sst-2")
    with pytest.raises(ValueError, match="2 tasks of this name"):
        find_task([*tasks, tasks[1]], "glue/sst2")


@pytest.mark.parametrize(
    ("model", "adapter"),
    [
        ("tasksource/deberta-base-long-nli", "tasksource/deberta-base-long-adapters"),
        ("x-nli/model", "x-nli/model-adapters"),
        ("model-nli", "model-adapters"),
    ],
)
def test_name(model, adapter):
    assert adapter_name(model) == adapter


def test_sibling_folder(tiny_models, tmp_path, monkeypatch):
    home = tmp_path / "x-nli"
    shutil.copytree(tiny_models["deberta-v2"], home / "model-nli")
    spec = ModelSpec(str(home / "model-nli"))
    with pytest.raises(ModelNotFoundError, match=r"model-adapters.*ModelSpec\(model, adapter="):
        adapter_folder(spec)
    expected = make_adapter(home / "model-adapters")
    assert adapter_folder(spec).samefile(expected)
    assert adapter_folder(ModelSpec(str(home / "model-nli") + "/")).samefile(expected)
    monkeypatch.chdir(home / "model-nli")
    assert adapter_folder(ModelSpec(".")).samefile(expected)
    other = make_adapter(tmp_path / "other")
    assert adapter_folder(ModelSpec(spec.model, adapter=str(other))).samefile(other)
    (expected / "config.json").unlink()
    with pytest.raises(ModelNotFoundError, match=r"has no config\.json"):
        adapter_folder(spec)


@pytest.mark.parametrize("files", [BOTH[:1], BOTH[1:]])
def test_hub_cache_is_used_offline(tmp_path, monkeypatch, files):
    from huggingface_hub import constants

    cache = tmp_path / "models--some--deberta-adapters"
    snapshot = make_adapter(cache / "snapshots" / "abc", files)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert adapter_folder(ModelSpec("some/deberta-nli")).samefile(snapshot)
    assert adapter_folder(ModelSpec("x", adapter="some/deberta-adapters")).samefile(snapshot)


def test_a_model_that_has_an_embedder(tiny_models, tmp_path, monkeypatch):
    """Its files, which have the names of the model's, stay what and where they are."""
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / "cache"))
    encoder = tiny_models["distilbert"]
    combined = with_embedder(tiny_models["deberta-v2"], ModelSpec("x", embedder=str(encoder)))
    model = shutil.copytree(combined, tmp_path / "model")
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    adapter = make_adapter(tmp_path / "adapter")
    found = with_adapter(model, ModelSpec("x", adapter=str(adapter)))
    assert {path: path.read_bytes() for path in before} == before
    for path, content in before.items():
        assert (found / path.relative_to(model)).read_bytes() == content
    assert load_scorer(found) is not None


def test_adapter_that_is_nowhere():
    with pytest.raises(ModelNotFoundError, match=r"model='a/b-nli': no adapter 'a/b-adapters'"):
        adapter_folder(ModelSpec("a/b-nli"))
    with pytest.raises(ModelNotFoundError, match="adapter='no/such'"):
        adapter_folder(ModelSpec("starter", adapter="no/such"))
    with pytest.raises(TypeError, match="adapter=' '"):
        ModelSpec("starter", adapter=" ")


def test_adapter_of_another_model_is_refused(tiny_models, tmp_path):
    adapter = make_adapter(tmp_path / "a")
    with pytest.raises(ValueError, match=r"need a DeBERTa-v2 or -v3 model.*model type bert"):
        with_adapter(tiny_models["bert"], ModelSpec("x", adapter=str(adapter)))
    weights = {key: value[..., :-1] for key, value in make_weights().items()}
    torch.save(weights, adapter / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"Z has the shape \[8, 31\], not \[8, 32\]"):
        with_adapter(tiny_models["deberta-v2"], ModelSpec("x", adapter=str(adapter)))


def test_combined_folder(tiny_models, tmp_path):
    """Made once, follows changes of either part, and loads without the adapter's own folder."""
    model = tiny_models["deberta-v2"]
    adapter = make_adapter(tmp_path / "a")
    spec = ModelSpec(str(model), adapter=str(adapter))
    assert with_adapter(model, ModelSpec(str(model))) == model
    folder = with_adapter(model, spec)
    assert with_adapter(model, spec) == folder
    assert (folder / "model.safetensors").samefile(model / "model.safetensors")
    config = json.loads((adapter / "config.json").read_text())
    config["labels_list"][1] = ["bad", "good"]
    (adapter / "config.json").write_text(json.dumps(config))
    changed = with_adapter(model, spec)
    assert changed != folder
    shutil.rmtree(adapter)
    assert load_scorer(changed).tasks[1].labels == ("bad", "good")
    assert load_scorer(folder).tasks[1].labels == ("negative", "positive")
