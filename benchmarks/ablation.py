"""What each step of the engine gains: ``python -m benchmarks.ablation --data FOLDER``.

Each row of the table is the whole engine with one step taken out, in one run, on the same texts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Step:
    """A step, and how to do without it."""

    name: str
    without: Callable[[Any], contextlib.AbstractContextManager[Any]]


def _padded(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    from sparknlp_zs.engine.batching import Padding

    return mock.patch.object(scorer._network, "padding", Padding(step=8, mixed=False))


def _small_groups(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    from sparknlp_zs.engine.batching import Padding

    return mock.patch.object(scorer._network, "padding", Padding(step=1, mixed=True))


def _fresh_memory(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    from sparknlp_zs.engine.networks.buffers import Buffers

    get = Buffers.get

    def fresh(self: Any, name: str, shape: tuple[int, ...]) -> Any:
        self._flat.pop(name, None)
        return get(self, name, shape)

    return mock.patch.object(Buffers, "get", fresh)


def _all_tokens(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    import numpy as np

    from sparknlp_zs.engine.networks import packing

    def unique(key: Any, **_: Any) -> Any:
        return key, np.arange(len(key)), np.arange(len(key))

    return mock.patch.object(packing.np, "unique", unique)


def _fused_attention(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    return mock.patch.object(scorer._network, "_fuses", return_value=True)


def _all_keys(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    """The last layer with the keys and values of all tokens, and no more of it."""
    network = scorer._network
    last = type(network)._last_layer

    def with_keys(hidden: Any, groups: Any) -> Any:
        from sparknlp_zs.engine.networks.layers import WIDE, linear

        layer = network._layers[-1]
        keys, values = network._buffers.get(WIDE, (2, len(hidden), layer.key.out_features))
        linear(layer.key, hidden, keys)
        linear(layer.value, hidden, values)
        return last(network, hidden, groups)

    return mock.patch.object(network, "_last_layer", with_keys)


def _whole_last_layer(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    """The last layer for all tokens, and then as it is: what other models do."""
    network = scorer._network
    last = type(network)._last_layer

    def whole(hidden: Any, groups: Any) -> Any:
        at = len(network._layers) - 2
        work = network._work(len(hidden), groups)
        network._project(-1, hidden, work.projected)
        network._layer(at, hidden.clone(), work)  # which a layer overwrites
        return last(network, hidden, groups)

    return mock.patch.object(network, "_last_layer", whole)


def _views_anew(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    """Every layer makes the views of its attention anew."""
    network = scorer._network
    work_of, layer = network._work, network._layer
    latest: list[Any] = []

    def remembered(tokens: int, groups: Any) -> Any:
        latest[:] = [groups]
        return work_of(tokens, groups)

    def anew(at: int, hidden: Any, work: Any) -> Any:
        return layer(at, hidden, work_of(len(hidden), latest[0]))

    return mock.patch.multiple(network, _work=remembered, _layer=anew)


def _rest_uncut(scorer: Any) -> contextlib.AbstractContextManager[Any]:
    budget = scorer._budget
    return mock.patch.object(budget, "of_remaining", return_value=budget.tokens)


STEPS_TAKEN = (
    Step("rows packed, not padded to the longest of a batch", _padded),
    Step("small groups of one length joined", _small_groups),
    Step("memory of intermediate results used again", _fresh_memory),
    Step("first layer's projections of distinct tokens only", _all_tokens),
    Step("short rows attend by plain products", _fused_attention),
    Step("views for attention made once for all layers", _views_anew),
    Step("last layer without keys and values", _all_keys),
    Step("last layer for the first token only", _whole_last_layer),
    Step("a rest of tokens cut where its size is slow", _rest_uncut),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with zeroshot_banking77.parquet")
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    chosen = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    from benchmarks.models import cache_folder

    os.environ.setdefault("SPARKNLP_ZS_CACHE", str(cache_folder() / "prepared"))
    if chosen.profile:
        for dtype in chosen.dtypes:
            _profile(chosen, dtype)
        return
    print(f"| without | {' | '.join(f'{dtype}, s | more' for dtype in chosen.dtypes)} |")
    print("|---|" + "---:|---:|" * len(chosen.dtypes))
    columns = [list(_measured(chosen, dtype)) for dtype in chosen.dtypes]
    whole = [column[0][1] for column in columns]
    for at, (name, _) in enumerate(columns[0]):
        cells = []
        for column, base in zip(columns, whole, strict=True):
            seconds = column[at][1]
            cells += [f"{seconds:.2f}", f"{100 * (seconds / base - 1):+.0f} %" if at else ""]
        print(f"| {name} | {' | '.join(cells)} |")


def _measured(chosen: argparse.Namespace, dtype: str) -> Iterator[tuple[str, float]]:
    """The median seconds of the whole engine, and of it without each step."""
    from benchmarks.measure import interleaved

    scorer, score = _settled(chosen, dtype)

    def job(step: Step | None) -> Callable[[], Any]:
        def run() -> Any:
            with step.without(scorer) if step else contextlib.nullcontext():
                return score()

        return run

    jobs = {"nothing: the whole engine": job(None)} | {x.name: job(x) for x in STEPS_TAKEN}
    timings, _ = interleaved(jobs, chosen.repeats, lambda _: None)
    for name, timing in timings.items():
        yield name, timing.median


def _settled(chosen: argparse.Namespace, dtype: str) -> tuple[Any, Callable[[], Any]]:
    """A scorer that has chosen its batch size, and the work."""
    import pyarrow as pa

    from benchmarks.data import workloads
    from benchmarks.models import DEBERTA, model_path
    from sparknlp_zs.engine.loading import load_scorer
    from sparknlp_zs.engine.prepared import prepared_folder
    from sparknlp_zs.tasks import ZeroShotScores

    work = next(x for x in workloads(chosen.data, chosen.texts, False) if len(x.labels) == 10)
    scorer = load_scorer(prepared_folder(model_path(DEBERTA), dtype), dtype)
    task, texts = ZeroShotScores(work.labels), pa.array(work.texts)
    while not scorer._budget.settled:
        scorer.score(task, [texts])
    return scorer, lambda: scorer.score(task, [texts])


def _profile(chosen: argparse.Namespace, dtype: str) -> None:
    from torch.profiler import ProfilerActivity, profile

    _, score = _settled(chosen, dtype)
    with profile(activities=[ProfilerActivity.CPU]) as found:
        score()
    rows = sorted(found.key_averages(), key=lambda row: -row.self_cpu_time_total)
    total = sum(row.self_cpu_time_total for row in rows)
    print(f"\n{dtype}: {total / 1e6:.2f} s\n\n| operation | calls | share |\n|---|---:|---:|")
    for row in rows[:10]:
        name, share = row.key.removeprefix("aten::"), row.self_cpu_time_total / total
        print(f"| {name} | {row.count} | {100 * share:.0f} % |")


if __name__ == "__main__":
    main()
