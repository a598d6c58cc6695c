"""How many tokens a forward pass takes: chosen by measuring, halved when memory runs out."""

from __future__ import annotations

from collections.abc import Sequence

# Candidates by device: about what the caches of a CPU hold, and far more on a GPU.
CANDIDATES: dict[str, tuple[int, ...]] = {"cpu": (512, 1024, 2048), "cuda": (8192, 32768, 131072)}

_ROUNDS = 4  # the first one, which builds kernels, does not count
_CLEARLY = 1.1  # times as fast
_ALIKE = 1.03  # times as fast, and no reason to take more memory
_FULL = 0.7  # batches emptier than this say nothing about their budget


class TokenBudget:
    """Padded tokens per forward pass.

    Real batches are the measurement: the candidates take turns for a few rounds, and the one
    with most tokens per second stays, or the smallest of those that are about as fast. Taking
    turns makes them meet texts of like lengths.

    Parameters
    ----------
    candidates : sequence of int
        One candidate is taken without measuring.

    Examples
    --------
    >>> budget = TokenBudget([512, 1024])
    >>> while not budget.settled:
    ...     budget.record(budget.tokens, 1.0)  # twice the tokens in the same time
    >>> budget.tokens
    1024
    """

    def __init__(self, candidates: Sequence[int]) -> None:
        if not candidates or min(candidates) < 1:
            raise ValueError(f"token budget {list(candidates)}: give positive numbers of tokens")
        self._candidates = sorted(candidates)
        self._best: int | None = None
        self._limit: int | None = None
        self._start_measuring()

    @property
    def candidates(self) -> tuple[int, ...]:
        """What it chooses from, ascending."""
        return tuple(self._candidates)

    @property
    def settled(self) -> bool:
        """Whether measuring is over."""
        return self._best is not None

    @property
    def tokens(self) -> int:
        """The budget of the next full batch."""
        if self._best is not None:
            return self._best
        return self._candidates[self._turns % len(self._candidates)]

    def of_remaining(self, tokens: int) -> int:
        """The budget of the next batch if so many tokens remain.

        A rest that does not fill a batch is one batch; but if a candidate near its size was slow,
        as products of some sizes are, it is cut into batches of a faster one.
        """
        fitting = [x for x in self._candidates if x <= tokens]
        if self._best is None or tokens >= self._best or not fitting:
            return self.tokens
        above = min(x for x in self._candidates if x > tokens)
        near = min(self._rate(fitting[-1]), self._rate(above))
        fastest = max(fitting, key=self._rate)
        return fastest if self._rate(fastest) > _CLEARLY * near else self.tokens

    def record(self, tokens: int, seconds: float) -> None:
        """Note the time of a forward pass over so many padded tokens."""
        budget = self.tokens
        if self.settled or tokens < _FULL * budget:
            return
        if self._turns >= len(self._candidates):
            self._tokens[budget] += tokens
            self._seconds[budget] += seconds
        self._turns += 1
        if self._turns == _ROUNDS * len(self._candidates):
            enough = max(map(self._rate, self._candidates)) / _ALIKE
            self._best = next(x for x in self._candidates if self._rate(x) >= enough)

    def shrink(self, tokens: int) -> None:
        """Memory did not suffice for so many tokens: at most half of them from now on."""
        self._limit = half = max(1, tokens // 2)
        self._candidates = [x for x in self._candidates if x <= half] or [half]
        self._start_measuring()

    def fits(self, tokens: int) -> bool:
        """Whether memory is not known to fail for so many tokens."""
        return self._limit is None or tokens <= self._limit

    def _start_measuring(self) -> None:
        self._turns = 0
        self._best = self._candidates[0] if len(self._candidates) == 1 else None
        self._tokens = dict.fromkeys(self._candidates, 0)
        self._seconds = dict.fromkeys(self._candidates, 0.0)

    def _rate(self, budget: int) -> float:
        return self._tokens[budget] / max(self._seconds[budget], 1e-9)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch failed for want of memory, on a GPU or on the CPU."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    message = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in message or "can't allocate memory" in message
    )


def budget_for(device_type: str, tokens: int | None = None, threads: int = 2) -> TokenBudget:
    """The budget of a device: of so many tokens, or measured among its candidates.

    A CPU with one thread, as each of several workers has, tries no more than 1,024 tokens: beyond
    that it gains no more than 2 %, and each worker's memory grows with them.

    Examples
    --------
    >>> budget_for("cpu", threads=1).candidates
    (512, 1024)
    >>> budget_for("cpu", 300).tokens
    300
    """
    if tokens:
        return TokenBudget([tokens])
    candidates = CANDIDATES.get(device_type, CANDIDATES["cpu"])
    if device_type == "cpu" and threads == 1:
        candidates = candidates[:-1]
    return TokenBudget(candidates)
