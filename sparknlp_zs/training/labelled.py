"""Labelled rows of a DataFrame: checked, in an order of their own, and split."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from sparknlp_zs.models import named_class_ids
from sparknlp_zs.tasks.checks import REPLACE_HALVES, checked_template, half_character, is_unicode
from sparknlp_zs.tasks.zero_shot import ZeroShot

logger = logging.getLogger(__name__)

Label: TypeAlias = str | int


@dataclass(frozen=True)
class LabelledRows:
    """Texts, and the position of each one's label among the labels.

    In the order of (label, text), so that a training does not depend on the frame's order: Spark
    gives none.
    """

    texts: tuple[str, ...]
    classes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class RawRows:
    """The (text, label) pairs of a frame that have both, and how many rows were dropped."""

    pairs: tuple[tuple[str, Label], ...]
    dropped: int

    def labels(self) -> set[Label]:
        """The labels that occur."""
        return {label for _, label in self.pairs}


def raw_rows(frame: pd.DataFrame, text: str, label: str, name: str = "frame") -> RawRows:
    """The rows with a text and a label; the others are counted.

    Raises
    ------
    TypeError
        If the frame is none, or values are neither texts nor labels.
    ValueError
        If a column is missing, several have its name, or texts and labels are one column.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{name}: a {type(frame).__name__}; pass a pandas DataFrame")
    for argument, column in (("text", text), ("label", label)):
        if column not in frame.columns:
            raise ValueError(
                f"{argument}={column!r}: {name} has no such column; it has {list(frame.columns)}"
            )
        count = list(frame.columns).count(column)
        if count > 1:
            raise ValueError(
                f"{argument}={column!r}: {name} has {count} columns of this name; rename them, or "
                "drop all but one"
            )
    if text == label:
        raise ValueError(f"label={label!r}: the column of the texts; name that of the labels")
    columns = zip(frame[text].astype(object), frame[label].astype(object), strict=True)
    found = [(_text(a, text), _label(b, label)) for a, b in columns]
    pairs = tuple((a, b) for a, b in found if a is not None and b is not None)
    dropped = len(found) - len(pairs)
    if dropped:
        logger.warning("%s: dropped %d rows without a text or a label", name, dropped)
    return RawRows(pairs, dropped)


def _text(value: Any, column: str) -> str | None:
    if _is_missing(value):
        return None
    if not isinstance(value, str):
        raise TypeError(f"text={column!r}: {type(value).__name__} found; pass a column of strings")
    return _unicode(value, f"text={column!r}") if value.strip() else None


def _unicode(value: str, place: str) -> str:
    if not is_unicode(value):
        raise half_character(f"{place}: {value[:40]!r}", REPLACE_HALVES)
    return str.__str__(value)


def _label(value: Any, column: str) -> Label | None:
    if _is_missing(value):
        return None
    if isinstance(value, str):
        return _unicode(value, f"label={column!r}") if value.strip() else None
    # pandas makes floats of integers where some are missing.
    integral = isinstance(value, (float, np.floating)) and float(value).is_integer()
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
    if integral and abs(float(value)) > 2**53:
        raise ValueError(
            f"label={column!r}: {value!r} is a float, which has lost digits of so large a number; "
            "read the column as integers ('Int64', which knows missing values) or strings"
        )
    if is_integer or integral:
        return int(value)
    raise TypeError(
        f"label={column!r}: {value!r} is a {type(value).__name__}; labels are strings or integers"
    )


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def head_labels(given: Iterable[Label] | None, found: set[Label]) -> tuple[Label, ...]:
    """The labels of a classifier in the order of its outputs: sorted, unless they are given."""
    if isinstance(given, (str, bytes, Mapping)):
        raise TypeError(f"labels={given!r}: pass a list of labels for style='head'")
    labels = _checked(given) if given is not None else _sorted(found)
    _check_labels(labels, found)
    if named_class_ids({str(label): at for at, label in enumerate(labels)}) is not None:
        raise ValueError(
            f"labels={list(labels)}: the classes of an NLI model, which predict() would not take "
            "for labels of texts; name them otherwise"
        )
    return labels


def _checked(given: Iterable[Label]) -> tuple[Label, ...]:
    read = [_label(label, "labels") for label in given]
    labels = tuple(label for label in read if label is not None)
    if len(labels) < len(read):
        raise ValueError("labels: one is missing or blank; give every label a name")
    if len({str(label) for label in labels}) != len(labels):
        raise ValueError("labels: some given more than once; remove the duplicates")
    return labels


def entailment_task(given: Any, found: set[Label], template: str) -> ZeroShot:
    """The zero-shot task over the labels: all that occur, or those given (at least these)."""
    numbers = sorted(label for label in found if not isinstance(label, str))
    if numbers:
        raise TypeError(
            f"label: {numbers[0]} is an integer, which says nothing in a hypothesis; map the "
            "labels to words, or use style='head'"
        )
    labels: Any = _sorted(found) if given is None else given
    if isinstance(labels, Iterable) and not isinstance(labels, (Mapping, str, bytes)):
        labels = list(labels)  # arrays and Series have no truth value
    task = ZeroShot(labels, checked_template(template)) if labels else None
    _check_labels(task.labels if task else (), found)
    assert task is not None
    return task


def _sorted(found: set[Label]) -> tuple[Label, ...]:
    if len({type(label) for label in found}) > 1:
        raise TypeError("label: both strings and integers; use labels of one type")
    return tuple(sorted(found))  # type: ignore[type-var]


def _check_labels(labels: Sequence[Label], found: set[Label]) -> None:
    if len(labels) < 2:
        raise ValueError(
            f"label: {len(labels)} different labels in rows with a text; give rows of at least two"
        )
    unknown = found - set(labels)
    if unknown:
        raise ValueError(
            f"labels: rows are labelled {sorted(map(str, unknown))[:5]}, which labels does not "
            "list; add these, or drop the rows"
        )


def in_classes(rows: RawRows, labels: Sequence[Label], name: str = "frame") -> LabelledRows:
    """The rows with the positions of their labels.

    Raises
    ------
    ValueError
        If there are no rows, or a label is not among the labels.
    """
    if not rows.pairs:
        raise ValueError(f"{name}: no row has both a text and a label")
    position = {label: at for at, label in enumerate(labels)}
    unknown = rows.labels() - position.keys()
    if unknown:
        raise ValueError(
            f"{name}: rows are labelled {sorted(map(str, unknown))[:5]}, which is not among the "
            "training labels; drop the rows, or name all labels with labels=[...]"
        )
    ordered = sorted((position[label], text) for text, label in rows.pairs)
    return LabelledRows(tuple(text for _, text in ordered), tuple(at for at, _ in ordered))


def split(rows: LabelledRows, part: float, seed: int) -> tuple[LabelledRows, LabelledRows]:
    """Training and validation rows: a part of each label's rows, all but one at most.

    Raises
    ------
    ValueError
        If the part is none, or gives no row.
    """
    if isinstance(part, bool) or not isinstance(part, Real) or not 0 < part < 1:
        raise ValueError(f"validation={part!r}: give a part between 0 and 1, or a DataFrame")
    rng = random.Random(seed)
    held: set[int] = set()
    for label in sorted(set(rows.classes)):
        members = [at for at, found in enumerate(rows.classes) if found == label]
        held.update(rng.sample(members, min(round(part * len(members)), len(members) - 1)))
    if not held:
        raise ValueError(
            f"validation={part!r} of {len(rows)} rows gives no row: each label keeps one for the "
            "training; give a larger part, more rows, or a DataFrame"
        )
    return _take(rows, [at for at in range(len(rows)) if at not in held]), _take(rows, sorted(held))


def _take(rows: LabelledRows, places: Sequence[int]) -> LabelledRows:
    texts = tuple(rows.texts[at] for at in places)
    return LabelledRows(texts, tuple(rows.classes[at] for at in places))
