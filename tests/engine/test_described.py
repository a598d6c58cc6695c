"""Configuration and tokenizer of a folder: as transformers makes them, but without its import."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ARCHITECTURES, CORPUS, OTHERS, make_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from sparknlp_zs.engine.described import described
from sparknlp_zs.engine.encoding import pair_layout, single_layout
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.stored_tokenizer import StoredTokenizer
from sparknlp_zs.models import EMBEDDING, STARTER_PATH
from sparknlp_zs.tasks import NLI

TEXTS = st.lists(st.text(max_size=30) | st.sampled_from([*CORPUS, "[SEP]", "</s> <s>"]), min_size=1)


@pytest.fixture(scope="module")
def folders(tiny_models, tmp_path_factory):
    others = {x: make_model(x, tmp_path_factory.mktemp("others") / x) for x in OTHERS}
    return {**tiny_models, **others, "starter": STARTER_PATH}


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "described"


@pytest.mark.parametrize("name", [*ARCHITECTURES, *OTHERS, "starter"])
def test_tokens(folders, name):
    tokenizer = AutoTokenizer.from_pretrained(folders[name])
    stored = StoredTokenizer.of(tokenizer)
    for fact in ("pad_token_id", "truncation_side", "model_max_length", "model_input_names"):
        assert getattr(stored, fact) == getattr(tokenizer, fact)
    assert pair_layout(stored) == pair_layout(tokenizer)
    assert single_layout(stored) == single_layout(tokenizer)

    @settings(deadline=None, max_examples=50)
    @given(TEXTS)
    def check(texts):
        settings = {"add_special_tokens": False, "return_token_type_ids": False}
        expected = tokenizer(texts, **settings)["input_ids"]
        assert stored(texts, **settings) == {"input_ids": expected}

    check()


def test_tokenizers_that_are_more_than_their_backend(tiny):
    """They stay what they are: only transformers encodes as they do."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    assert StoredTokenizer.of(tokenizer) is not None

    class Lowering(type(tokenizer)):
        def _encode_plus(self, text, *args, **settings):
            lowered = text.upper() if isinstance(text, str) else [x.upper() for x in text]
            return super()._encode_plus(lowered, *args, **settings)

    assert StoredTokenizer.of(Lowering.from_pretrained(tiny)) is None
    assert (
        StoredTokenizer.of(AutoTokenizer.from_pretrained(tiny, split_special_tokens=True)) is None
    )

    class Slow:
        is_fast = False

    assert StoredTokenizer.of(Slow()) is None


def test_splitting_special_tokens_of_ones_own(tiny):
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    tokenizer.add_special_tokens({"extra_special_tokens": ["<own>"]})
    assert StoredTokenizer.of(tokenizer) is not None
    tokenizer.split_special_tokens = True
    assert StoredTokenizer.of(tokenizer) is None


def test_tokenizer_without_an_unknown_token():
    """It refuses the probes, but not the texts that it was made for."""
    words = Tokenizer(models.WordPiece({"travel": 0, "[PAD]": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words)
    assert tokenizer("travel")["input_ids"] == [0]
    assert StoredTokenizer.of(tokenizer) is None


def test_labels_of_an_embedder(tiny, cache, tmp_path):
    """Its outputs have no names, so none that contradict each other."""
    folder = shutil.copytree(tiny, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    labels = {"id2label": {"0": "a", "1": "b"}, "label2id": {"x": 0, "y": 1}}
    (folder / "config.json").write_text(json.dumps({**config, **labels}))
    with pytest.raises(ValueError, match="contradict"):
        described(folder)
    (folder / EMBEDDING).write_text("{}")
    assert described(folder).config.hidden_size == config["hidden_size"]


DAMAGES = {"empty": b"", "binary": b"\xff\x00\x80", "no fact": b"{}", "no object": b"[]"}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "facts.json"])
def test_damaged_cache(tiny, cache, name, damage, caplog):
    described(tiny)
    kept = next(cache.glob(f"*/{name}"))
    good = kept.read_bytes()
    kept.write_bytes(DAMAGES[damage])
    assert type(described(tiny).tokenizer) is not StoredTokenizer
    assert "is made anew" in caplog.text
    assert kept.read_bytes() == good
    assert type(described(tiny).tokenizer) is StoredTokenizer


def test_kept_for_other_users(tiny, cache):
    before = os.umask(0o077)
    try:
        described(tiny)
    finally:
        os.umask(before)
    assert {x.stat().st_mode & 0o777 for x in cache.glob("*/*")} == {0o644}


def test_no_new_warnings(tiny, cache, tmp_path, capfd):
    """A tokenizer warns of texts that are too long; the probes are not the user's texts."""
    folder = shutil.copytree(tiny, tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 16}))
    described(folder)
    assert "longer than" not in capfd.readouterr().err


@pytest.mark.parametrize("name", [*ARCHITECTURES, *OTHERS])
def test_scores_from_the_cache(folders, name, cache):
    columns = [pa.array(CORPUS[:4]), pa.array(["fox", "travel", None, "x"])]
    first = load_scorer(folders[name]).score(NLI(), columns)
    assert len(list(cache.iterdir())) == 1
    assert type(described(folders[name]).tokenizer) is StoredTokenizer
    assert load_scorer(folders[name]).score(NLI(), columns).equals(first)


def test_kept_for_the_same_files_alone(tiny, cache, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "model")
    assert type(described(folder).tokenizer) is not StoredTokenizer
    shutil.copytree(tiny, tmp_path / "copy")
    assert type(described(tmp_path / "copy").tokenizer) is StoredTokenizer
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "truncation_side": "left"}))
    assert described(folder).tokenizer.truncation_side == "left"
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "layer_norm_eps": 0.5}))
    for _ in range(2):
        assert described(folder).config.layer_norm_eps == 0.5
    assert len(list(cache.iterdir())) == 3


def test_another_version_of_transformers(tiny, cache, monkeypatch):
    described(tiny)
    monkeypatch.setattr("sparknlp_zs.engine.described.version", lambda name: f"another {name}")
    assert type(described(tiny).tokenizer) is not StoredTokenizer
    assert len(list(cache.iterdir())) == 2


def test_tokenizer_that_cannot_be_kept(tiny, cache, monkeypatch):
    monkeypatch.setattr(StoredTokenizer, "of", lambda tokenizer: None)
    for _ in range(2):
        assert type(described(tiny).tokenizer) is not StoredTokenizer
    assert list(cache.iterdir()) == []


def test_without_a_cache(tiny, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        assert type(described(tiny).tokenizer) is not StoredTokenizer


def test_damaged_folder(tiny, cache, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "model")
    (folder / "tokenizer.json").write_text("{")
    for _ in range(2):
        with pytest.raises(json.JSONDecodeError):
            described(folder)
    assert not cache.exists()


CODE = """
import sys
from pathlib import Path
import pyarrow as pa
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.models import STARTER_PATH
from sparknlp_zs.tasks import ZeroShot
found = load_scorer(Path(STARTER_PATH)).score(ZeroShot(["travel", "money"]), [pa.array(["a card"])])
print(found.field("score").to_pylist(), sorted(set(sys.argv[1:]) & sys.modules.keys()))
"""


def test_nothing_is_imported_in_vain(cache):
    """transformers takes seconds and 150 MB, most of it for its code for models."""
    heavy = ["transformers.modeling_utils", "torch._dynamo", "sympy"]
    outputs = []
    for names in (heavy, [*heavy, "transformers"]):  # the second time, all is in the cache
        command = [sys.executable, "-c", CODE, *names]
        outputs.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert outputs[0].endswith("[]\n")
    assert outputs[0] == outputs[1]
