"""A small labelled set that a tiny model learns, and settings for it."""

from __future__ import annotations

import pandas as pd

WORDS = {
    "travel": ("the quick fox jumps over", "a lazy dog and the fox"),
    "cooking": ("my card was stolen", "I cannot pay for anything"),
    "politics": ("naïve café yesterday", "about more unicode"),
}
QUICK = {"learning_rate": 3e-3, "max_length": 32, "batch_size": 7}


def toy(rows: int = 24, labels: int = 3) -> pd.DataFrame:
    """So many rows per label."""
    names = list(WORDS)[:labels]
    pairs = [(f"{WORDS[name][at % 2]} {at}", name) for at in range(rows) for name in names]
    return pd.DataFrame(pairs, columns=["text", "label"])
