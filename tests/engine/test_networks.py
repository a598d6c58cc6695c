"""The fast networks give the logits of the stock models."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
import transformers
from random_classifiers import (
    BERT,
    CPU,
    DEBERTA,
    LENGTHS,
    NAMES,
    SIZE,
    V3,
    bert,
    deberta,
    make,
    make_inputs,
)
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from sparknlp_zs.engine.networks import build_network, positions
from sparknlp_zs.engine.networks.bert import BertNetwork
from sparknlp_zs.engine.networks.deberta import DebertaNetwork
from sparknlp_zs.engine.networks.huggingface import HuggingFaceNetwork


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Threads would wait for each other longer than these small models compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def scores(network, inputs):
    logits = network.logits([inputs])
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    return torch.from_numpy(logits).double().softmax(-1).numpy()


def check(model, network, lengths):
    stock = HuggingFaceNetwork(model, CPU, NAMES)
    found, expected = [], []
    for length in lengths:
        for padded in (False, True):
            inputs = make_inputs(length, padded)
            found.append(scores(network, inputs))
            expected.append(scores(stock, inputs))
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), rtol=0, atol=1e-5)
    # A model that cannot tell texts apart would prove nothing.
    assert np.std(np.concatenate(expected), axis=0).max() > 0.02


@pytest.mark.parametrize("changes", DEBERTA.values(), ids=DEBERTA.keys())
def test_deberta(changes):
    model = deberta(**changes)
    network = build_network(model, CPU, NAMES)
    assert type(network) is DebertaNetwork
    check(model, network, LENGTHS)


def test_deberta_of_real_length():
    model = deberta(position_buckets=256, max_position_embeddings=512)
    check(model, build_network(model, CPU, NAMES), (64, 128, 129, 130, 131, 300, 511, 512))


@pytest.mark.parametrize("farthest", [20, 66, 512, 1000])
@pytest.mark.parametrize("buckets", [4, 7, 16, 32, 256, 320])
def test_buckets_are_the_stock_ones(buckets, farthest):
    offsets = torch.arange(-1500, 1501)
    stock = make_log_bucket_position(offsets, buckets, farthest).long()
    assert positions.log_buckets(offsets, buckets, farthest).equal(stock)


@pytest.mark.parametrize("changes", DEBERTA.values(), ids=DEBERTA.keys())
def test_position_tables_are_mapped(changes, monkeypatch, tmp_path):
    """Processes after the first find the tables in a file, those of equal weights alone."""
    monkeypatch.setattr(positions, "_SHARED_BYTES", 0)
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path))
    check(deberta(**changes), build_network(deberta(**changes), CPU, NAMES), LENGTHS)
    made = list((tmp_path / "tensors").iterdir())
    assert made

    def refuse(*_):
        raise AssertionError("made anew")

    monkeypatch.setattr(positions.PositionTables, "_made", refuse)
    check(deberta(**changes), build_network(deberta(**changes), CPU, NAMES), LENGTHS)
    config = transformers.DebertaV2Config(**{**V3, **changes})
    for other in (make(config, seed=8), deberta(**changes).bfloat16()):
        with pytest.raises(AssertionError, match="made anew"):
            build_network(other, CPU, NAMES).logits([make_inputs(8, padded=False)])
    assert list((tmp_path / "tensors").iterdir()) == made


def test_position_tables_without_a_cache(monkeypatch, tmp_path, caplog):
    """Where no file can be written, a process has tables of its own."""
    monkeypatch.setattr(positions, "_SHARED_BYTES", 0)
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.INFO):
        check(deberta(), build_network(deberta(), CPU, NAMES), LENGTHS)
    assert "in this process's memory" in caplog.text


@pytest.mark.parametrize("architecture", BERT)
def test_bert(architecture):
    model = bert(architecture)
    network = build_network(model, CPU, NAMES)
    assert type(network) is BERT[architecture][1]
    check(model, network, LENGTHS)


@pytest.mark.parametrize("kind", [DebertaNetwork, BertNetwork])
def test_inputs(kind):
    """The mask and token types may be missing."""
    model = deberta() if kind is DebertaNetwork else make(transformers.BertConfig(**SIZE))
    inputs = make_inputs(17, padded=False)
    for names in (["input_ids"], ["input_ids", "attention_mask"]):
        expected = scores(HuggingFaceNetwork(model, CPU, names), inputs)
        np.testing.assert_allclose(scores(kind(model, CPU, names), inputs), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", ["deberta", "bert"])
def test_half_precision(architecture, dtype):
    """Scores are about as close to those in float32 as the stock model's, and always finite.

    The errors of a single model come to 0.8 to 1.35 times those of the stock model, by chance.
    """
    config = transformers.DebertaV2Config(**V3) if architecture == "deberta" else None
    inputs = [make_inputs(length, padded=True, rows=16) for length in (9, 24, 66)]
    fast, stock = [], []
    for seed in range(6):
        model = make(config or transformers.BertConfig(**SIZE), seed)
        exact = _all_scores(HuggingFaceNetwork(model, CPU, NAMES), inputs)
        model = model.to(dtype)
        stock.append(_all_scores(HuggingFaceNetwork(model, CPU, NAMES), inputs) - exact)
        fast.append(_all_scores(build_network(model, CPU, NAMES), inputs) - exact)
    assert np.abs(fast).mean() < 1.25 * np.abs(stock).mean()


def _all_scores(network, inputs):
    return np.concatenate([scores(network, x) for x in inputs])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", ["deberta", "bert"])
def test_rows_are_independent(architecture, dtype):
    """A row scores alike alone, unpadded, and beside others, even one of padding alone."""
    model = deberta() if architecture == "deberta" else make(transformers.BertConfig(**SIZE))
    network = build_network(model.to(dtype), CPU, NAMES)
    inputs = make_inputs(24, padded=True)
    inputs["attention_mask"][2] = 0
    together = scores(network, inputs)
    tolerance = {torch.float32: 1e-6, torch.bfloat16: 0.1, torch.float16: 0.01}[dtype]
    for row in (0, 1, 3, 5):
        alone = {name: array[row : row + 1, : 24 - row] for name, array in inputs.items()}
        np.testing.assert_allclose(scores(network, alone)[0], together[row], atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("architecture", ["deberta", "bert"])
def test_groups_of_several_lengths(architecture, dtype):
    """Groups share a pass and their products, and nothing else."""
    model = deberta() if architecture == "deberta" else make(transformers.BertConfig(**SIZE))
    network = build_network(model.to(dtype), CPU, NAMES)
    batch = [make_inputs(length, padded) for length, padded in ((66, True), (24, False), (3, True))]
    together = torch.from_numpy(network.logits(batch)).double().softmax(-1).numpy()
    alone = np.concatenate([scores(network, inputs) for inputs in batch])
    np.testing.assert_allclose(together, alone, atol=1e-6 if dtype == torch.float32 else 0.1)


class Derived(transformers.BertForSequenceClassification):
    """May compute anything."""


FALLBACKS = {
    "conv_kernel_size 3": (transformers.DebertaV2Config(**V3, conv_kernel_size=3), None),
    "no relative attention": (
        transformers.DebertaV2Config(**{**V3, "relative_attention": False}),
        None,
    ),
    "pos_att_type": (transformers.DebertaV2Config(**{**V3, "pos_att_type": []}), None),
    "decoder": (transformers.BertConfig(**SIZE, is_decoder=True), None),
    "Derived": (transformers.BertConfig(**SIZE), Derived),
    "ElectraForSequenceClassification": (transformers.ElectraConfig(**SIZE), None),
}


@pytest.mark.parametrize("reason", FALLBACKS)
def test_fallback(reason, caplog):
    config, kind = FALLBACKS[reason]
    model = kind(config).eval() if kind else make(config)
    with caplog.at_level(logging.INFO, logger="sparknlp_zs"):
        network = build_network(model, CPU, NAMES)
    assert type(network) is HuggingFaceNetwork
    assert reason in caplog.text
    assert network.logits([make_inputs(10, padded=True)]).shape == (6, 3)
