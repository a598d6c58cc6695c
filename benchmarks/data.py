"""The texts and labels that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sparknlp_zs.samples import messages

LONG_TEXT = 8  # a review has about as many times the tokens of a message
SHORT_LABELS = (2, 10, 77)


@dataclass(frozen=True)
class Workload:
    """Distinct texts to be scored with the same labels."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]


def workloads(folder: Path | None, texts: int, quick: bool = False) -> list[Workload]:
    """The workloads: ``texts`` messages with 10 labels, others of about half as much work.

    Parameters
    ----------
    folder : Path or None
        Holds zeroshot_banking77.parquet and zeroshot_imdb_cad.parquet; None takes the bundled
        messages, which have 10 labels and no long texts.
    texts : int
    quick : bool
        Only messages with 10 labels and long texts.
    """
    found = []
    frame = _banking(folder)
    names = sorted(set(frame["label"]))
    source = "Banking77" if folder else "Banking77 sample"
    for count in (10,) if quick else SHORT_LABELS:
        if count <= len(names):
            labels = _spread(names, count)
            number = texts if count == 10 else round(texts * 5 / count)
            some = _some(frame["text"], max(2, number))
            found.append(Workload(f"{source}, {count} labels", some, labels))
    if folder is not None:
        reviews = _parquet(folder, "imdb_cad")
        some = _some(reviews["text"], max(2, round(texts * 2.5 / LONG_TEXT)))
        found.append(Workload("IMDb (long), 2 labels", some, tuple(sorted(set(reviews["label"])))))
    return found


def short_texts(folder: Path | None, rows: int) -> Workload:
    """Messages with 10 labels, as many as there are up to ``rows``."""
    frame = _banking(folder)
    labels = _spread(sorted(set(frame["label"])), 10)
    return Workload("Banking77, 10 labels", _some(frame["text"], rows), labels)


def labelled_messages() -> tuple[Workload, tuple[str, ...]]:
    """All bundled messages with their 10 labels, and the true label of each."""
    frame = messages().drop_duplicates("text")
    labels = tuple(sorted(set(frame["label"])))
    work = Workload("Banking77 sample, 10 labels", tuple(frame["text"]), labels)
    return work, tuple(frame["label"])


def _banking(folder: Path | None) -> pd.DataFrame:
    return messages() if folder is None else _parquet(folder, "banking77")


def _parquet(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"zeroshot_{name}.parquet", columns=["text", "label"])


def _some(texts: pd.Series, count: int) -> tuple[str, ...]:
    """Distinct texts, since the engine would score equal ones once; always the same ones."""
    distinct = texts.drop_duplicates()
    return tuple(distinct.sample(min(count, len(distinct)), random_state=7))


def _spread(names: list[str], count: int) -> tuple[str, ...]:
    places = np.linspace(0, len(names) - 1, count).round().astype(int)
    return tuple(names[at] for at in places)
