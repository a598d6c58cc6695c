"""What dtype="auto" stands for, and that every surface takes it."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from sparknlp_zs import ModelSpec
from sparknlp_zs.engine import precision
from sparknlp_zs.engine.precision import compute_dtype


@pytest.mark.parametrize(
    ("units", "expected"),
    [({"amx_bf16"}, "bfloat16"), ({"avx512_bf16"}, "bfloat16"), ({"avx2"}, "float32")],
)
def test_cpu(monkeypatch, units, expected):
    monkeypatch.setattr(precision, "_cpu_has", units.__contains__)
    assert compute_dtype("auto", "cpu") == expected
    assert compute_dtype("float16", "cpu") == "float16"


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
