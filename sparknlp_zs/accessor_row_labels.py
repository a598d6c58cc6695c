"""Labels that differ by row in the pandas accessor ``.zsc``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
import pyarrow as pa

from sparknlp_zs.accessor_scoring import as_frame, scored, text_array
from sparknlp_zs.models import Model
from sparknlp_zs.tasks.row_labels import DESCRIBED, RowLabels

LISTS = (list, tuple, np.ndarray, pd.api.extensions.ExtensionArray, pd.Series, pd.Index)


def is_row_labels(labels: Any) -> TypeGuard[pd.Series]:
    """Whether labels are a Series with labels for each row, not one of names for all rows.

    Examples
    --------
    >>> is_row_labels(pd.Series([["travel"], None])), is_row_labels(pd.Series(["travel"]))
    (True, False)
    """
    if not isinstance(labels, pd.Series):
        return False
    strings = [x for x in labels if isinstance(x, str)]
    if strings and any(map(pd.api.types.is_list_like, labels)):
        raise TypeError(
            f"labels: {strings[0]!r} is the value of a row, where others have lists; pass "
            f"[{strings[0]!r}]"
        )
    return not strings


def classified_rows(
    texts: pd.Series,
    labels: pd.Series,
    task: RowLabels,
    multi_label: bool,
    model: Model,
    progress: bool,
) -> pd.DataFrame:
    """The best of each row's labels and its score, with the texts' index.

    Raises
    ------
    TypeError
        If labels are neither lists nor dicts of strings.
    ValueError
        If the labels have another index than the texts, or a row has blanks or duplicates.
    """
    if not labels.index.equals(texts.index):
        raise ValueError(
            f"labels: a Series of {len(labels)} rows whose index is not that of the {len(texts)} "
            "texts; take both from one DataFrame, or align it: labels.reindex(texts.index)"
        )
    rows = [_items(value) for value in labels]
    described = any(isinstance(x, tuple) for row in rows for x in row or ())
    if described:
        rows = [row and [x if isinstance(x, tuple) else (x, x) for x in row] for row in rows]
    for labels_of_row in {tuple(row) for row in rows if row}:
        task.admits("labels", labels_of_row)  # before any row is scored, or given to Arrow
    kind = DESCRIBED if described else pa.list_(pa.string())
    columns = [
        text_array(texts),
        pa.array(rows, kind),
        pa.array([multi_label] * len(rows), pa.bool_()),
    ]
    pairs = sum(len(row or ()) for row in rows)
    result = scored(task, columns, pairs, model, progress)
    return as_frame(result, ["label", "score"], texts.index)


def _items(labels: Any) -> list[Any] | None:
    """A row's labels, or pairs of labels and descriptions; None where there are none."""
    if isinstance(labels, Mapping):
        items: list[Any] = list(labels.items())
        strings = [text for item in items for text in item]
    elif isinstance(labels, LISTS):
        items = strings = list(labels)
        if items and all(isinstance(x, tuple) and len(x) == 2 for x in items):
            strings = [text for item in items for text in item]  # an Arrow map
    elif pd.api.types.is_scalar(labels) and pd.isna(labels):
        return None
    else:
        raise TypeError(
            f"labels: {labels!r} is the value of a row; pass lists of strings, or dicts from label "
            "to description"
        )
    for text in strings:
        if not isinstance(text, str):
            raise TypeError(
                f"labels: {text!r} in {labels!r} of a row is a {type(text).__name__}; pass strings"
            )
    return items
