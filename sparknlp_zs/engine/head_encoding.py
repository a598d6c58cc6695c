"""Inputs of task heads: single texts or pairs, either of which may be cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparknlp_zs.engine.encoding import Ids, TextPairEncoder


class HeadEncoder(TextPairEncoder):
    """Encodes pairs as ``TextPairEncoder``, and single texts as pairs with an empty second text.

    With the layout of single texts a second text is always empty.
    """

    def tokenize(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each text, without special tokens and uncut; none for an empty text."""
        ids = iter(super().tokenize([text for text in texts if text]))
        return [next(ids) if text else np.empty(0, np.int32) for text in texts]
