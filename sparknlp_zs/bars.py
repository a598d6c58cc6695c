"""Progress bars on stderr."""

from __future__ import annotations

import sys
import warnings
from typing import Any


def bar(total: int | None, unit: str, **options: Any) -> Any:
    """A tqdm bar, a widget in notebooks."""
    with warnings.catch_warnings():
        # tqdm warns where a notebook has no widgets, and then shows a plain bar.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    return tqdm(total=total, unit=unit, file=sys.stderr, **options)
