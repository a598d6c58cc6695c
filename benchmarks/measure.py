"""Interleaved timing: every job once per round, so that a slow minute hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Seconds of a job: the first, which warms up, and those that count."""

    first: float
    repeats: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.repeats)

    @property
    def spread(self) -> float:
        """Slowest over fastest."""
        return max(self.repeats) / min(self.repeats)


def interleaved(
    jobs: Mapping[str, Callable[[], Any]], repeats: int, say: Callable[[str], None] = print
) -> tuple[dict[str, Timing], dict[str, Any]]:
    """Time jobs in rounds, the order reversed in every other round.

    Returns
    -------
    timings : dict of str to Timing
    results : dict
        What each job gave in the first round, which is not among the repeats.
    """
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    results: dict[str, Any] = {}
    for turn in range(repeats + 1):
        names = list(jobs) if turn % 2 == 0 else list(reversed(jobs))
        for name in names:
            start = time.perf_counter()
            result = jobs[name]()
            seconds[name].append(time.perf_counter() - start)
            results.setdefault(name, result)
        shown = ", ".join(f"{name} {seconds[name][-1]:.2f}" for name in jobs)
        say(f"  round {turn}/{repeats}, seconds: {shown}")
    return {name: Timing(all_[0], tuple(all_[1:])) for name, all_ in seconds.items()}, results
