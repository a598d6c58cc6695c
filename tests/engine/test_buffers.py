"""Buffers are used again, and follow what batches need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from sparknlp_zs.engine.memory import OF_A_PROCESS, OF_A_WORKER, bound_kernel_caches
from sparknlp_zs.engine.networks.buffers import Buffers
from sparknlp_zs.models import STARTER_PATH


def held(buffers):
    return sum(flat.numel() for flat in buffers._flat.values())


def test_memory_of_a_large_batch_is_freed_after_small_ones():
    buffers = Buffers(torch.float32, torch.device("cpu"))
    buffers.get("a", (1000, 10))
    buffers.get("b", (100,))
    for _ in range(17):
        place = buffers.get("a", (100, 10)).data_ptr()
        buffers.batch_done()
    assert held(buffers) == 1000  # and what no batch asked for is gone
    assert buffers.get("a", (100, 10)).data_ptr() == place


def test_memory_stays_while_sizes_vary():
    buffers = Buffers(torch.float32, torch.device("cpu"))
    buffers.get("a", (1000,))
    for size in (900, 200, 1000, 300) * 16:
        buffers.get("a", (size,))
        buffers.batch_done()
        assert held(buffers) == 1000


def test_a_view_stays_one_when_its_memory_grows():
    buffers = Buffers(torch.float32, torch.device("cpu"))
    first = buffers.get("a", (2, 3))
    second = buffers.get("a", (100, 100))
    second.fill_(7.0)
    assert first.data_ptr() == second.data_ptr()
    assert (first == 7.0).all()


@pytest.mark.parametrize("role", [OF_A_WORKER, OF_A_PROCESS])
def test_kernel_caches_are_bounded_unless_the_user_says(role, monkeypatch):
    first, second = role
    environ = {first: "7"}
    monkeypatch.setattr("sparknlp_zs.engine.memory.os.environ", environ)
    bound_kernel_caches(role)
    assert environ == {first: "7", second: role[second]}


def test_a_worker_does_not_inherit_the_bounds_of_the_driver(monkeypatch):
    environ = {}
    monkeypatch.setattr("sparknlp_zs.engine.memory.os.environ", environ)
    bound_kernel_caches(OF_A_PROCESS)
    bound_kernel_caches(OF_A_WORKER)
    assert environ == OF_A_WORKER
    bound_kernel_caches(OF_A_PROCESS)
    assert environ == OF_A_WORKER


@pytest.mark.parametrize(("dtype", "bounded"), [("bfloat16", True), ("float32", False)])
def test_half_precision_bounds_kernels_when_a_model_is_loaded(dtype, bounded):
    """In a process of its own: the variables stay."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from sparknlp_zs.engine.loading import load_scorer\n"
        "from sparknlp_zs.engine.memory import OF_A_PROCESS\n"
        "load_scorer(Path(sys.argv[1]), sys.argv[2])\n"
        "print(OF_A_PROCESS.items() <= os.environ.items())"
    )
    variables = {k: v for k, v in os.environ.items() if k not in OF_A_PROCESS}
    command = [sys.executable, "-c", code, STARTER_PATH, dtype]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(bounded)]
