"""Rates of plain products by type and number of tokens: ``python -m benchmarks.products``.

The engine's choices rest on these: which types have units in this processor, and for how many
tokens at once its products are fast.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

SHAPES = ((768, 768), (768, 2304), (768, 3072), (3072, 768))  # of a DeBERTa-v3-base: in, out
TOKENS = (256, 512, 640, 768, 1024, 1408, 1536, 2048, 4096)
REPEATS = 10


def main() -> None:
    """Print one table per type: GFLOP/s (or integer operations) by tokens and shape."""
    parser = argparse.ArgumentParser("python -m benchmarks.products", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    import torch

    torch.set_num_threads(chosen.threads)
    kinds: dict[str, Callable[[int, int, int], Callable[[], Any]]] = {
        "float32": lambda m, k, n: _floats(torch.float32, m, k, n),
        "float32 as three bfloat16 products": _split,
        "float16": lambda m, k, n: _floats(torch.float16, m, k, n),
        "bfloat16": lambda m, k, n: _floats(torch.bfloat16, m, k, n),
        "bfloat16, weights packed before": _packed,
        "int8, inputs quantised before": _integers,
        "int8 from bfloat16 and back": _quantised,
    }
    with torch.inference_mode():
        for name, make in kinds.items():
            print(f"\n{name}, giga-operations per second, {chosen.threads} threads\n")
            print("| tokens | " + " | ".join(f"{k} to {n}" for k, n in SHAPES) + " |")
            print("|---:|" + "---:|" * len(SHAPES))
            for tokens in TOKENS:
                rates = [2 * tokens * k * n / _fastest(make(tokens, k, n)) / 1e9 for k, n in SHAPES]
                print(f"| {tokens} | " + " | ".join(f"{rate:.0f}" for rate in rates) + " |")


def _fastest(job: Callable[[], Any]) -> float:
    """Seconds of the fastest of a few runs, after two that build kernels."""
    job()
    job()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _floats(dtype: Any, tokens: int, size: int, out: int) -> Callable[[], Any]:
    import torch

    x, weight = torch.randn(tokens, size).to(dtype), torch.randn(out, size).to(dtype)
    return lambda: x @ weight.t()


def _split(tokens: int, size: int, out: int) -> Callable[[], Any]:
    """Each number as the sum of two bfloat16 numbers; the product of the small parts left out."""
    import torch

    x, weight = torch.randn(tokens, size), torch.randn(out, size)
    high = weight.bfloat16()
    parts = torch.cat([high, (weight - high.float()).bfloat16(), high], dim=1)

    def run() -> Any:
        upper = x.bfloat16()
        lower = (x - upper.float()).bfloat16()
        # The sums should stay in float32, which this product cannot give: an upper bound.
        return torch.cat([upper, upper, lower], dim=1) @ parts.t()

    return run


def _packed(tokens: int, size: int, out: int) -> Callable[[], Any]:
    import torch

    x, weight = torch.randn(tokens, size).bfloat16(), torch.randn(out, size).bfloat16()
    bias = torch.zeros(out, dtype=torch.bfloat16)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, tokens)
    return lambda: torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def _integers(tokens: int, size: int, out: int) -> Callable[[], Any]:
    import torch

    x = torch.randint(-128, 127, (tokens, size), dtype=torch.int8)
    weight = torch.randint(-128, 127, (out, size), dtype=torch.int8)
    return lambda: torch._int_mm(x, weight.t())


def _quantised(tokens: int, size: int, out: int) -> Callable[[], Any]:
    """With what an int8 layer does around its product: a scale per token, and back."""
    import torch

    x = torch.randn(tokens, size).bfloat16()
    weight = torch.randint(-128, 127, (out, size), dtype=torch.int8)
    scales = torch.rand(out)

    def run() -> Any:
        scale = x.abs().amax(dim=1, keepdim=True).float() / 127
        rounded = (x / scale).round().to(torch.int8)
        return (torch._int_mm(rounded, weight.t()) * scale * scales).bfloat16()

    return run


if __name__ == "__main__":
    main()
