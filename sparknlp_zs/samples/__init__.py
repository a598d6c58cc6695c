"""Real messages to try things on: a sample of Banking77 (CC BY 4.0, see README.md)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

BANKING77_PATH = str(Path(__file__).parent / "banking77.csv")


def messages() -> pd.DataFrame:
    """250 messages of bank customers, with the true label of each.

    Returns
    -------
    pandas.DataFrame
        ``text`` and ``label``, both str.

    Examples
    --------
    >>> messages().columns.tolist(), len(messages())
    (['text', 'label'], 250)
    """
    return pd.read_csv(BANKING77_PATH, dtype="str", keep_default_na=False)
