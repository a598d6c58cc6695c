"""Speed and accuracy of ``prefilter`` on Banking77: ``python -m benchmarks.prefilter FOLDER``.

Prints a table in markdown. Accuracy comes from the scores of all labels, computed once: the best
of the labels that are kept is the same whether the others are scored or not, which the timed runs
are checked to give. Speed is measured in one process, in rounds whose order is reversed in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

OFF = "off"


@dataclass(frozen=True)
class Work:
    """Messages, their labels, and all labels."""

    texts: list[str]
    truth: list[str]
    labels: list[str]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.prefilter", description=__doc__)
    parser.add_argument("folder", type=Path, help="with zeroshot_banking77.parquet")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--embedder", help="folder; default: the package of the extra prefilter")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--keep", type=int, nargs="+", default=[5, 10, 15, 20])
    parser.add_argument("--rows", type=int, default=1000, help="for accuracy; 0: none")
    parser.add_argument("--timed-rows", type=int, default=300, help="for speed; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--token-budget", type=int, help="of a batch; default: measured first")
    chosen = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"

    import torch

    from benchmarks.machine import describe

    machine = describe(torch.get_num_threads())
    scorer = _scorer(chosen)
    accuracy = _accuracies(scorer, chosen) if chosen.rows else {}
    speed = _speeds(scorer, chosen) if chosen.timed_rows else {}
    print(f"\n{_captions(chosen)}\n")
    print("\n".join(_table(chosen, accuracy, speed)))
    print()
    for name, value in machine.items():
        print(f"- {name}: {value.replace('-m benchmarks ', '-m benchmarks.prefilter ')}")


def _scorer(chosen: argparse.Namespace) -> Any:
    from sparknlp_zs.embedders import spec_for
    from sparknlp_zs.engine.combined import with_embedder
    from sparknlp_zs.engine.loading import load_scorer
    from sparknlp_zs.engine.prepared import prepared_folder
    from sparknlp_zs.models import ModelSpec, model_folder
    from sparknlp_zs.tasks import ZeroShot

    named = ModelSpec(chosen.model, dtype=chosen.dtype, embedder=chosen.embedder)
    spec = spec_for(ZeroShot(["a", "b"], prefilter=1), named)
    folder = prepared_folder(model_folder(spec), chosen.dtype)
    folder = with_embedder(folder, spec, chosen.dtype)
    return load_scorer(folder, chosen.dtype, "cpu", token_budget=chosen.token_budget)


def _work(folder: Path, rows: int) -> Work:
    """Distinct messages, always the same ones, with the labels of the whole set."""
    frame = pd.read_parquet(folder / "zeroshot_banking77.parquet", columns=["text", "label"])
    some = frame.drop_duplicates("text")
    some = some.sample(min(rows, len(some)), random_state=7)
    return Work(list(some["text"]), list(some["label"]), sorted(set(frame["label"])))


def _best(scorer: Any, work: Work, keep: list[int]) -> dict[str, list[str]]:
    """The best label of each message among those that are kept, from the scores of all."""
    import pyarrow as pa

    from sparknlp_zs.tasks import ZeroShotScores, prefilter

    found = scorer.score(ZeroShotScores(work.labels), [pa.array(work.texts)])
    scores = np.stack([column.to_numpy() for column in found.flatten()], axis=1)
    cosines = scorer._embedder.similarities(work.texts, tuple(work.labels))
    best = {OFF: [work.labels[at] for at in scores.argmax(axis=1)]}
    for count in [1, *keep]:
        kept = prefilter.nearest(cosines, count)
        at = np.take_along_axis(scores, kept, axis=1).argmax(axis=1)
        best[str(count)] = [work.labels[x] for x in kept[np.arange(len(kept)), at]]
    return best


def _accuracies(scorer: Any, chosen: argparse.Namespace) -> dict[str, float]:
    """Percent of messages whose best label is the true one."""
    work = _work(chosen.folder, chosen.rows)
    best = _best(scorer, work, chosen.keep)
    return {x: 100 * float(np.mean(np.array(y) == work.truth)) for x, y in best.items()}


@dataclass(frozen=True)
class Speed:
    """Seconds in each round, and how many pairs were scored."""

    seconds: tuple[float, ...]
    pairs: int


def _speeds(scorer: Any, chosen: argparse.Namespace) -> dict[str, Speed]:
    from benchmarks.measure import interleaved

    work = _work(chosen.folder, chosen.timed_rows)
    pairs: dict[str, int] = {}
    jobs = {name: _job(scorer, work, name, pairs) for name in _names(chosen)}
    while not scorer._budget.settled:
        jobs[OFF]()
    timings, results = interleaved(jobs, chosen.rounds, print)
    expected = _best(scorer, work, chosen.keep)
    for name, labels in results.items():
        same = np.mean(np.array(labels) == expected[name])
        assert same > 0.995, f"prefilter={name}: {same:.1%} of the labels are as expected"
    return {name: Speed(timings[name].repeats, pairs[name]) for name in jobs}


def _job(scorer: Any, work: Work, name: str, pairs: dict[str, int]) -> Callable[[], list[str]]:
    import pyarrow as pa

    from sparknlp_zs.tasks import ZeroShot

    task = ZeroShot(work.labels, prefilter=None if name == OFF else int(name))

    def run() -> list[str]:
        with _counted(scorer, name, pairs):
            # The labels are embedded anew each time: their cost is part of a call's.
            scorer._embedder._phrases.clear()
            found: list[str] = scorer.score(task, [pa.array(work.texts)]).field("label").to_pylist()
        return found

    return run


class _counted:  # noqa: N801 - a context manager
    """Counts the pairs that the network scores."""

    def __init__(self, scorer: Any, name: str, pairs: dict[str, int]) -> None:
        self._scorer, self._name, self._pairs = scorer, name, pairs

    def __enter__(self) -> None:
        self._network = network = self._scorer._network
        self._pairs[self._name] = 0

        class Counting:
            padding = network.padding

            def logits(_, batch: Any) -> Any:  # noqa: N805
                self._pairs[self._name] += sum(len(x["input_ids"]) for x in batch)
                return network.logits(batch)

        self._scorer._network = Counting()

    def __exit__(self, *_: object) -> None:
        self._scorer._network = self._network


def _names(chosen: argparse.Namespace) -> list[str]:
    return [*map(str, chosen.keep), OFF]


def _captions(chosen: argparse.Namespace) -> str:
    parts = [f"Banking77, 77 labels, model {Path(chosen.model).name!r}, {chosen.dtype}"]
    if chosen.rows:
        parts.append(f"accuracy on {chosen.rows} messages")
    if chosen.timed_rows:
        parts.append(
            f"seconds for {chosen.timed_rows} messages: median of {chosen.rounds} rounds, times as "
            "fast: median of the rounds' ratios, the least and the greatest"
        )
    return "; ".join(parts) + "."


def _table(
    chosen: argparse.Namespace, accuracy: dict[str, float], speed: dict[str, Speed]
) -> Iterator[str]:
    yield "| `prefilter` | accuracy, % | points | pairs scored | seconds | times as fast |"
    yield "|---|---:|---:|---:|---:|---:|"
    names = [OFF, *map(str, sorted(chosen.keep, reverse=True))]
    if accuracy:
        names.append("1")
    for name in names:
        cells = [name if name != "1" or name in map(str, chosen.keep) else "1 (not timed)"]
        found = accuracy.get(name)
        cells.append("" if found is None else f"{found:.1f}")
        cells.append("" if found is None or name == OFF else f"{found - accuracy[OFF]:+.1f}")
        cells += _timed(speed.get(name), speed.get(OFF), name)
        yield f"| {' | '.join(cells)} |"


def _timed(found: Speed | None, off: Speed | None, name: str) -> list[str]:
    if found is None or off is None:
        return ["", "", ""]
    ratios = [a / b for a, b in zip(off.seconds, found.seconds, strict=True)]
    spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    seconds = f"{statistics.median(found.seconds):.2f}"
    return [f"{found.pairs:,}", seconds, "" if name == OFF else spread]


if __name__ == "__main__":
    main()
