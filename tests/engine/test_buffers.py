"""Buffers are used again, and follow what batches need."""

from __future__ import annotations

import torch

from sparknlp_zs.engine.memory import KERNEL_CACHES, bound_kernel_caches
from sparknlp_zs.engine.networks.buffers import Buffers


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


def test_kernel_caches_are_bounded_unless_the_user_says(monkeypatch):
    first, second = KERNEL_CACHES
    environ = {first: "7"}
    monkeypatch.setattr("sparknlp_zs.engine.memory.os.environ", environ)
    bound_kernel_caches()
    assert environ == {first: "7", second: KERNEL_CACHES[second]}
