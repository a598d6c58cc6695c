"""What dtype="auto" stands for, and that every surface takes it."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from sparknlp_zs import ModelSpec
from sparknlp_zs.engine import precision
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.precision import compute_dtype, warn_if_emulated


@pytest.mark.parametrize(
    ("units", "expected"),
    [({"amx_bf16"}, "bfloat16"), ({"avx512_bf16"}, "bfloat16"), ({"avx2"}, "float32")],
)
def test_cpu(monkeypatch, units, expected):
    monkeypatch.setattr(precision, "_cpu_has", units.__contains__)
    assert compute_dtype("auto", "cpu") == expected
    assert compute_dtype("float16", "cpu") == "float16"


@pytest.mark.parametrize(
    ("units", "dtype", "warned"),
    [
        ({"avx2"}, "bfloat16", True),
        ({"avx2"}, "float16", True),
        ({"avx2"}, "float32", False),
        ({"avx512_bf16"}, "bfloat16", False),
        ({"avx512_bf16"}, "float16", True),
        ({"amx_fp16"}, "float16", False),
    ],
)
def test_emulated_types_are_warned_of(tiny, caplog, monkeypatch, units, dtype, warned):
    monkeypatch.setattr(precision, "_cpu_has", units.__contains__)
    monkeypatch.setattr(precision.platform, "machine", lambda: "x86_64")
    load_scorer(tiny, dtype)
    assert (f"no {dtype} units" in caplog.text) == warned
    assert ("dtype='auto'" in caplog.text) == warned


def test_other_devices_are_not_warned_of(caplog, monkeypatch):
    monkeypatch.setattr(precision, "_cpu_has", lambda unit: False)
    warn_if_emulated("bfloat16", "cuda")
    monkeypatch.setattr(precision.platform, "machine", lambda: "arm64")
    warn_if_emulated("bfloat16", "cpu")
    assert not caplog.text


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float16"), ((8, 0), "bfloat16")])
def test_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert compute_dtype("auto", "cuda:1") == expected


def test_scores_are_those_of_the_dtype_it_stands_for(tiny):
    texts, labels = pd.Series(["my card was stolen", "the rate is wrong"]), ["card", "rate"]
    chosen = compute_dtype("auto")
    found, expected = (
        texts.zsc.scores(labels, model=ModelSpec(str(tiny), dtype=dtype))
        for dtype in ("auto", chosen)
    )
    pd.testing.assert_frame_equal(found, expected)
