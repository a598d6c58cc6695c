"""Token ids for premise/hypothesis pairs, from each distinct string's ids tokenised once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int64]

_UNBOUNDED = 1_000_000  # tokenizers without a limit report 1e30 (transformers#13381)
_FALLBACK_MAX_LENGTH = 512
_PROBES = (("alpha beta", "gamma"), ("one", "two three four"))


def model_max_length(tokenizer: Any, config: Any, asked: int | None = None) -> int:
    """Longest pair in tokens: as asked, else what both tokenizer and position embeddings admit.

    Raises
    ------
    ValueError
        If more is asked than there are position embeddings.
    """
    if asked is not None:
        check_max_length(config, asked)
        return asked
    positions, is_bound = _positions(config)
    limit = int(tokenizer.model_max_length)
    if not 0 < limit < _UNBOUNDED:
        return positions or _FALLBACK_MAX_LENGTH
    return min(limit, positions) if is_bound and positions else limit


def check_max_length(config: Any, asked: int) -> None:
    """Refuse more tokens than a config has positions for.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_max_length(SimpleNamespace(model_type="bert", max_position_embeddings=512), 600)
    Traceback (most recent call last):
    ...
    ValueError: max_length=600: the model has positions for 512 tokens; give at most so many, or \
use long_text='chunk'
    """
    positions, is_bound = _positions(config)
    if is_bound and positions is not None and asked > positions:
        raise ValueError(
            f"max_length={asked}: the model has positions for {positions} tokens; give at most so "
            "many, or use long_text='chunk'"
        )


def _positions(config: Any) -> tuple[int | None, bool]:
    """The positions of a config, and whether no more are possible."""
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions <= 0:
        return None, False
    # DeBERTa-v3 has no table of positions, and its relative ones go on for ever.
    relative = getattr(config, "relative_attention", False)
    is_bound = not relative or getattr(config, "position_biased_input", True)
    # RoBERTa counts positions from padding_idx + 1.
    return positions - (2 if config.model_type in _OFFSET_POSITIONS else 0), is_bound


_OFFSET_TYPES = (
    "camembert data2vec-text esm ibert lilt longformer luke mpnet roberta roberta-prelayernorm "
    "xlm-roberta xlm-roberta-xl xmod"
)
_OFFSET_POSITIONS = frozenset(_OFFSET_TYPES.split())


@dataclass(frozen=True)
class PairLayout:
    """The special tokens that a tokenizer puts around a pair, and the type ids of each part.

    ``types`` are those of prefix, first, middle, second and suffix: one for a text, one for each
    special token.
    """

    prefix: tuple[int, ...]
    middle: tuple[int, ...]
    suffix: tuple[int, ...]
    types: tuple[tuple[int, ...], ...]

    @property
    def special_tokens(self) -> int:
        return len(self.prefix) + len(self.middle) + len(self.suffix)


def pair_layout(tokenizer: Any) -> PairLayout:
    """Read the pair layout off the tokenizer itself, by encoding two probe pairs.

    Raises
    ------
    ValueError
        If the tokenizer does not encode a pair as prefix + first + middle + second + suffix.
    """
    layouts = {_probe(tokenizer, first, second) for first, second in _PROBES}
    if len(layouts) != 1:
        raise ValueError(
            f"The tokenizer {type(tokenizer).__name__} does not encode a pair as two independent "
            "texts with fixed special tokens; use a model with a standard fast tokenizer."
        )
    return layouts.pop()


def _probe(tokenizer: Any, first: str, second: str) -> PairLayout:
    a = tokenizer(first, add_special_tokens=False)["input_ids"]
    b = tokenizer(second, add_special_tokens=False)["input_ids"]
    pair = tokenizer(first, second, return_token_type_ids=True)
    ids, types = pair["input_ids"], pair.get("token_type_ids") or [0] * len(pair["input_ids"])
    start_a = _find(ids, a, 0)
    start_b = _find(ids, b, start_a + len(a))
    end_a, end_b = start_a + len(a), start_b + len(b)

    return PairLayout(
        prefix=tuple(ids[:start_a]),
        middle=tuple(ids[end_a:start_b]),
        suffix=tuple(ids[end_b:]),
        types=(
            tuple(types[:start_a]),
            (int(types[start_a]),),
            tuple(types[end_a:start_b]),
            (int(types[start_b]),),
            tuple(types[end_b:]),
        ),
    )


def _find(ids: list[int], part: list[int], start: int) -> int:
    for at in range(start, len(ids) - len(part) + 1):
        if ids[at : at + len(part)] == part:
            return at
    raise ValueError(
        "The tokenizer changes a text's ids inside a pair; use a model with a fast tokenizer."
    )


class PairEncoder:
    """Tokenises texts apart from each other, and knows how a model joins two of them.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        Any tokenizer that encodes the two texts of a pair independently.
    max_length : int
        Longest pair in tokens; only the first text is cut to fit (``truncation="only_first"``).
    layout : PairLayout or None
        None reads the tokenizer's for pairs.

    Examples
    --------
    >>> from transformers import AutoTokenizer
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> encoder = PairEncoder(AutoTokenizer.from_pretrained(STARTER_PATH), max_length=16)
    >>> [ids.tolist() for ids in encoder.tokenize(["I like trains.", "travel"])]
    [[1045, 2066, 4499, 1012], [3604]]
    >>> encoder.special
    (array([101], dtype=int32), array([102], dtype=int32), array([102], dtype=int32))
    """

    def __init__(self, tokenizer: Any, max_length: int, layout: PairLayout | None = None) -> None:
        self._tokenizer = tokenizer
        self.layout = layout or pair_layout(tokenizer)
        around = (self.layout.prefix, self.layout.middle, self.layout.suffix)
        self.special: tuple[Ids, ...] = tuple(np.asarray(part, dtype=np.int32) for part in around)
        self.max_length = max_length
        self.pad_id = int(tokenizer.pad_token_id or 0)
        self.cuts_left = bool(tokenizer.truncation_side == "left")

    def tokenize(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each text, without special tokens and uncut."""
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return [np.asarray(ids, dtype=np.int32) for ids in encoded["input_ids"]]

    def room(self, second_length: int) -> int:
        """Tokens left for the first text beside a second text of this length."""
        return self.max_length - self.layout.special_tokens - second_length

    def kept(self, first: Sizes, second: Sizes) -> tuple[Sizes, Sizes]:
        """How many tokens of each pair's texts fit, from those that they have, int [pairs]."""
        room = self.max_length - self.layout.special_tokens - second
        return np.minimum(first, np.maximum(room, 0)), second

    def kept_of_spans(self, first: Sizes, second: Sizes) -> tuple[Sizes, Sizes]:
        """As ``kept``, where parts of the first texts are scored that ``room`` admitted."""
        return self.kept(first, second)


class TextPairEncoder(PairEncoder):
    """Encodes as ``tokenizer(text, text_pair, truncation=True)``: the longer text is cut first.

    Zero-shot classification never cuts the hypothesis; here both texts are data of any length.

    Examples
    --------
    >>> from transformers import AutoTokenizer
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> labels = PairEncoder(AutoTokenizer.from_pretrained(STARTER_PATH), max_length=16)
    >>> labels.room(12), TextPairEncoder.like(labels).room(12)
    (1, 7)
    """

    @classmethod
    def like(cls, encoder: PairEncoder) -> TextPairEncoder:
        """With another encoder's tokenizer, maximum and layout."""
        return cls(encoder._tokenizer, encoder.max_length, encoder.layout)

    def room(self, second_length: int) -> int:
        """Tokens for chunks of the first text: at least half of all, as the second is cut too."""
        whole = super().room(0)
        return whole - min(second_length, whole // 2)

    def kept(self, first: Sizes, second: Sizes) -> tuple[Sizes, Sizes]:
        """How many tokens of each pair's texts fit: the longer text is cut first."""
        return longest_first(first, second, super().room(0))

    def kept_of_spans(self, first: Sizes, second: Sizes) -> tuple[Sizes, Sizes]:
        """All of the first texts' parts, and as many tokens of the second as fit beside them."""
        return first, np.minimum(second, super().room(0) - first)


def longest_first(first: Sizes, second: Sizes, room: int) -> tuple[Sizes, Sizes]:
    """Lengths of pairs of texts cut to fit together, as by the tokenizers' ``longest_first``.

    Examples
    --------
    >>> first, second = longest_first(np.array([100, 100]), np.array([20, 60]), 81)
    >>> first.tolist(), second.tolist()
    ([61, 41], [20, 40])
    """
    fits = first + second <= room
    short = np.minimum(first, second)
    long = np.where(short > room, short, np.maximum(short, room - short))
    halved = short + long > room
    short = np.where(halved, room // 2, short)
    long = np.where(halved, room - short, long)
    swapped = first > second
    return (
        np.where(fits, first, np.where(swapped, long, short)),
        np.where(fits, second, np.where(swapped, short, long)),
    )


def single_layout(tokenizer: Any) -> PairLayout:
    """The special tokens around a single text: a pair's layout with nothing after the first text.

    Raises
    ------
    ValueError
        If the tokenizer does not encode a text as prefix + text + suffix.
    """
    layouts = {_probe_single(tokenizer, text) for text, _ in _PROBES}
    if len(layouts) != 1:
        raise ValueError(
            f"The tokenizer {type(tokenizer).__name__} does not put fixed special tokens around a "
            "text; use a model with a standard fast tokenizer."
        )
    return layouts.pop()


def _probe_single(tokenizer: Any, text: str) -> PairLayout:
    bare = tokenizer(text, add_special_tokens=False)["input_ids"]
    found = tokenizer(text, return_token_type_ids=True)
    ids = found["input_ids"]
    types = found.get("token_type_ids") or [0] * len(ids)
    start = _find(ids, bare, 0)
    end = start + len(bare)
    return PairLayout(
        prefix=tuple(ids[:start]),
        middle=(),
        suffix=tuple(ids[end:]),
        types=(tuple(types[:start]), (int(types[start]),), (), (0,), tuple(types[end:])),
    )
