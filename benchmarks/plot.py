"""The picture of a run: speed of every contender, one panel per workload."""

from __future__ import annotations

from pathlib import Path

from benchmarks.inprocess import ModelResult, WorkloadResult
from benchmarks.peers import ENGINE
from benchmarks.report import PLOT

OWN, OTHER = "#1f6f8b", "#b8bcc2"
COLUMNS = 2


def draw(models: list[ModelResult], folder: Path) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("Agg")  # there is no screen
    import matplotlib.pyplot as plt

    panels = [(model.model, work) for model in models for work in model.workloads]
    count = -(-len(panels) // COLUMNS)
    bars = max(len(work.rows) for _, work in panels)
    size = (6.5 * COLUMNS, (0.32 * bars + 1.2) * count)
    figure, axes = plt.subplots(count, COLUMNS, figsize=size, squeeze=False)
    for axis, (model, work) in zip(axes.flat, panels, strict=False):
        _panel(axis, model, work)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / PLOT, dpi=110)
    plt.close(figure)


def _panel(axis: object, model: str, work: WorkloadResult) -> None:
    rows = list(reversed(work.rows))
    best = work.best_pipeline.texts_per_s
    colors = [OWN if row.name.startswith(ENGINE) else OTHER for row in rows]
    bars = axis.barh([row.name for row in rows], [row.texts_per_s for row in rows], color=colors)
    labels = [f"{row.texts_per_s:.3g}  ({row.texts_per_s / best:.1f} x)" for row in rows]
    axis.bar_label(bars, labels, padding=3, fontsize=8)
    axis.margins(x=0.25)
    axis.set_title(f"{model}: {work.name}", fontsize=10)
    axis.set_xlabel("texts per second (times the pipeline's best)", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
