"""The result of choosing among labels: the best one, and all of them by score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sparknlp_zs.tasks.base import Scores

RANKED = pa.struct(
    [
        ("label", pa.string()),
        ("score", pa.float64()),
        ("labels", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float64())),
    ]
)


def ranked(labels: Sequence[str], scores: Scores) -> pa.StructArray:
    """Structs of ``RANKED`` from scores [rows, labels].

    Examples
    --------
    >>> ranked(["a", "b"], np.array([[0.25, 0.75]])).to_pylist()
    [{'label': 'b', 'score': 0.75, 'labels': ['b', 'a'], 'scores': [0.75, 0.25]}]
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    values = np.take_along_axis(scores, order, axis=1)
    names = pa.array(labels, pa.string())
    offsets = pa.array(np.arange(len(scores) + 1, dtype=np.int32) * len(labels))
    columns = [
        names.take(pa.array(order[:, 0])),
        pa.array(values[:, 0]),
        pa.ListArray.from_arrays(offsets, names.take(pa.array(order.ravel()))),
        pa.ListArray.from_arrays(offsets, pa.array(values.ravel())),
    ]
    return pa.StructArray.from_arrays(columns, fields=list(RANKED))
