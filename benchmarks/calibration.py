"""What calibration gains: ``python -m benchmarks.calibration FOLDER``.

Each ``zeroshot_*.parquet`` (text, label) of the folder is scored once; biases are fitted to some
of the texts, without their labels, and tested on the others. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

SIZES = (20, 50, 100, 200, 500)
SHARES = (0.5, 0.7, 0.9)
SKEWED_ROWS = 200  # of either half


@dataclass(frozen=True)
class ScoredSet:
    """Texts of a set with their scores, and the places of their true labels."""

    name: str
    task: Any
    scores: Values
    truth: Places

    @property
    def shares(self) -> dict[str, float]:
        counts = np.bincount(self.truth, minlength=len(self.task.labels))
        return dict(zip(self.task.labels, (counts / counts.sum()).tolist(), strict=True))

    def bias(self, rows: Places, **options: Any) -> Values:
        """Biases from these rows, as ``calibrated`` fits them."""
        from sparknlp_zs.tasks.calibration import fitted

        return np.array(fitted(self.task, self.scores[rows], **options).label_bias)

    def quality(self, rows: Places, bias: Values | float = 0.0) -> Values:
        """Accuracy and macro F1 in per cent."""
        found = (np.log(np.maximum(self.scores[rows], 1e-300)) + bias).argmax(axis=1)
        truth = self.truth[rows]
        f1 = []
        for label in np.unique(truth):
            hits = int(((found == label) & (truth == label)).sum())
            f1.append(2 * hits / int((found == label).sum() + (truth == label).sum()))
        return 100 * np.array([(found == truth).mean(), np.mean(f1)])


def scored_sets(chosen: argparse.Namespace) -> Iterator[ScoredSet]:
    """Every set of the folder, scored; long ones in part."""
    import pyarrow as pa

    from sparknlp_zs.engine.local import local_scorer
    from sparknlp_zs.models import ModelSpec
    from sparknlp_zs.tasks import ZeroShot
    from sparknlp_zs.tasks.calibration import scoring_task

    scorer = local_scorer(ModelSpec(chosen.model, dtype=chosen.dtype))
    for path in sorted(chosen.folder.glob("zeroshot_*.parquet")):
        frame = pd.read_parquet(path).drop_duplicates("text")
        frame = frame[frame["text"].str.strip() != ""]
        labels = sorted(frame["label"].unique())
        rows = min(len(frame), chosen.sample + chosen.test, chosen.pairs // len(labels))
        frame = frame.sample(rows, random_state=0)
        start = time.perf_counter()
        task = ZeroShot(labels)
        result = scorer.score(scoring_task(task), [pa.array(frame["text"].to_numpy(object))])
        scores = np.stack([column.to_numpy() for column in result.flatten()], axis=1)
        truth = frame["label"].map({label: at for at, label in enumerate(labels)}).to_numpy()
        name = path.stem.removeprefix("zeroshot_")
        print(f"{name}: {rows} rows, {time.perf_counter() - start:.0f} s", file=sys.stderr)
        yield ScoredSet(name, task, scores, truth)


def splits(found: ScoredSet, sample: int, seeds: int) -> Iterator[tuple[Places, Places]]:
    """Rows to fit on (at most half of all), and rows to test on."""
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(found.truth))
        cut = min(sample, len(order) // 2)
        yield order[:cut], order[cut:]


def gains(sets: list[ScoredSet], sample: int, seeds: int) -> Iterator[str]:
    """The table of all sets."""
    yield (
        "| set | labels | largest class | sample | tested | accuracy | calibrated | with `prior` "
        "| macro F1 | calibrated | with `prior` |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for found in sets:
        values = []
        for fit, test in splits(found, sample, seeds):
            values.append(
                [
                    found.quality(test),
                    found.quality(test, found.bias(fit)),
                    found.quality(test, found.bias(fit, prior=_positive(found.shares))),
                ]
            )
        mean, spread = np.mean(values, axis=0), np.std(values, axis=0)
        cells = [f"{m:.1f} ± {s:.1f}" for m, s in zip(mean.T.flat, spread.T.flat, strict=True)]
        largest = f"{100 * max(found.shares.values()):.0f} %"
        sizes = f"{len(fit)} | {len(test)}"
        yield (
            f"| {found.name} | {len(found.task.labels)} | {largest} | {sizes} | "
            f"{' | '.join(cells)} |"
        )


def by_size(sets: list[ScoredSet], seeds: int) -> Iterator[str]:
    """Accuracy by the number of sample texts, on the same test rows."""
    yield f"| set | none | {' | '.join(map(str, SIZES))} |"
    yield "|---|" + "---:|" * (len(SIZES) + 1)
    for found in sets:
        cells = []
        for size in (0, *SIZES):
            pairs = list(splits(found, max(SIZES), seeds))
            if size > len(pairs[0][0]):
                cells.append("")
                continue
            values = [
                found.quality(test, found.bias(fit[:size]) if size else 0.0)[0]
                for fit, test in pairs
            ]
            cells.append(f"{np.mean(values):.1f}")
        yield f"| {found.name} | {' | '.join(cells)} |"


def by_share(sets: list[ScoredSet], seeds: int) -> Iterator[str]:
    """Accuracy on texts of which one of two classes is the larger, in the sample and the test."""
    ways: dict[str, Callable[[dict[str, float]], dict[str, Any] | None]] = {
        "not calibrated": lambda _: None,
        "calibrated": lambda _: {},
        "`strength=1`": lambda _: {"strength": 1.0},
        "with `prior`": lambda prior: {"prior": prior},
    }
    yield f"| set | larger class | {' | '.join(ways)} |"
    yield "|---|---|" + "---:|" * len(ways)
    for found in sets:
        first, second = found.task.labels
        for share in sorted({1 - share for share in SHARES} | set(SHARES)):
            prior = {first: share, second: 1 - share}
            halves = [_skewed(found, share, seed) for seed in range(seeds)]
            cells = []
            for way in ways.values():
                options = way(prior)
                values = [
                    found.quality(test, 0.0 if options is None else found.bias(fit, **options))[0]
                    for fit, test in halves
                ]
                cells.append(f"{np.mean(values):.1f}")
            larger = max(prior, key=lambda label: prior[label])
            name = "equal" if share == 0.5 else f"{larger}, {100 * max(prior.values()):.0f} %"
            yield f"| {found.name} | {name} | {' | '.join(cells)} |"


def _skewed(found: ScoredSet, share: float, seed: int) -> tuple[Places, Places]:
    """Two disjoint draws with this share of the first class."""
    random = np.random.default_rng(seed)
    wanted = (share, 1 - share)
    places = [random.permutation(np.flatnonzero(found.truth == label)) for label in (0, 1)]
    most = min(len(place) / 2 / part for place, part in zip(places, wanted, strict=True))
    sizes = [int(min(most, SKEWED_ROWS) * part) for part in wanted]
    fit = [place[:size] for place, size in zip(places, sizes, strict=True)]
    test = [place[size : 2 * size] for place, size in zip(places, sizes, strict=True)]
    return np.concatenate(fit), np.concatenate(test)


def _positive(shares: dict[str, float]) -> dict[str, float]:
    """Shares without zeros: a class may lack in the rows that were scored."""
    total = sum(max(share, 1e-3) for share in shares.values())
    return {label: max(share, 1e-3) / total for label, share in shares.items()}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--sample", type=int, default=500, help="texts to fit on")
    parser.add_argument("--test", type=int, default=1000, help="texts to test on, at most")
    parser.add_argument(
        "--pairs", type=int, default=30_000, help="texts x labels of a set, at most"
    )
    parser.add_argument("--seeds", type=int, default=10, help="draws of the sample")
    chosen = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    from benchmarks import machine

    facts = machine.describe(os.cpu_count() or 1)
    sets = list(scored_sets(chosen))
    if not sets:
        parser.error(f"{chosen.folder.name!r} has no zeroshot_*.parquet")
    print(f"{facts['date']}, {facts['processor']}, {facts['packages']}; model {chosen.model},")
    print(f"{chosen.dtype}, {chosen.seeds} draws.\n")
    print("\n".join(gains(sets, chosen.sample, chosen.seeds)), "\n")
    print("\n".join(by_size(sets, chosen.seeds)), "\n")
    two = [found for found in sets if len(found.task.labels) == 2]
    print("\n".join(by_share(two, chosen.seeds)))


if __name__ == "__main__":
    main()
