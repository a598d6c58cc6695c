"""A tokenizer of transformers as its backend alone, which needs no import of transformers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

# Texts on which a backend has to agree with its tokenizer before it takes its place.
_PROBES = (
    "",
    "a",
    "My card was stolen yesterday; I can't pay {for} anything!",
    "  Größe, naïve café\t東京\n\nДа 😀 <s>[SEP] </s> 0123456789  ",  # noqa: RUF001
    "[CLS] [MASK] <pad> <unk> ▁x ##y @-@ ﬁ İ \u00a0\u200b e\u0301 " + 40 * "long ",
)


@dataclass(frozen=True)
class TokenizerFacts:
    """What the engine asks of a tokenizer beside token ids."""

    pad_token_id: int | None
    truncation_side: str
    model_max_length: int
    model_input_names: Sequence[str]

    @classmethod
    def of(cls, tokenizer: Any) -> TokenizerFacts:
        """Those of a tokenizer."""
        return cls(
            pad_token_id=tokenizer.pad_token_id,
            truncation_side=str(tokenizer.truncation_side),
            model_max_length=int(tokenizer.model_max_length),
            model_input_names=list(tokenizer.model_input_names),
        )


class StoredTokenizer:
    """Encodes as the tokenizer of transformers whose backend and facts it has.

    Parameters
    ----------
    backend : tokenizers.Tokenizer
    facts : TokenizerFacts

    Examples
    --------
    >>> from transformers import AutoTokenizer
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> stored = StoredTokenizer.of(AutoTokenizer.from_pretrained(STARTER_PATH))
    >>> stored("I like trains.", "travel")["input_ids"]
    [101, 1045, 2066, 4499, 1012, 102, 3604, 102]
    """

    def __init__(self, backend: Tokenizer, facts: TokenizerFacts) -> None:
        backend.no_padding()
        backend.no_truncation()
        self._backend = backend
        self.facts = facts
        self.pad_token_id = facts.pad_token_id
        self.truncation_side = facts.truncation_side
        self.model_max_length = facts.model_max_length
        self.model_input_names = list(facts.model_input_names)

    @classmethod
    def of(cls, tokenizer: Any) -> StoredTokenizer | None:
        """What can take a tokenizer's place; None if its backend alone encodes otherwise."""
        # A backend's JSON does not hold that it splits special tokens.
        if not getattr(tokenizer, "is_fast", False) or tokenizer.split_special_tokens:
            return None
        try:
            backend = tokenizer.backend_tokenizer.to_str()
            stored = cls.from_json(backend, asdict(TokenizerFacts.of(tokenizer)))
            return stored if stored._agrees_with(tokenizer) else None
        except Exception as error:  # tokenizers has no class of its own
            logger.info("%s is not stored: %s", type(tokenizer).__name__, error)
            return None

    @classmethod
    def from_json(cls, backend: str, facts: dict[str, Any]) -> StoredTokenizer:
        """From what ``backend_json`` and ``facts`` gave."""
        return cls(Tokenizer.from_str(backend), TokenizerFacts(**facts))

    @property
    def backend_json(self) -> str:
        """The backend, whole."""
        found: str = self._backend.to_str()
        return found

    def __call__(
        self,
        text: str | list[str],
        text_pair: str | None = None,
        *,
        add_special_tokens: bool = True,
        return_token_type_ids: bool = True,
        return_attention_mask: bool = False,
        verbose: bool = False,
    ) -> dict[str, Any]:
        """Token ids, and types unless not wanted, of a text, a pair or a list of texts.

        As transformers' tokenizers are called by the engine; a mask or warnings are not given.
        """
        if return_attention_mask or verbose:
            raise ValueError("return_attention_mask, verbose: a stored tokenizer gives neither")
        one = isinstance(text, str)
        given = [(text, text_pair)] if text_pair else [text] if one else text
        found = self._backend.encode_batch(given, add_special_tokens=add_special_tokens)
        parts = {"input_ids": [x.ids for x in found]}
        if return_token_type_ids:
            parts["token_type_ids"] = [x.type_ids for x in found]
        return {name: part[0] if one else part for name, part in parts.items()}

    def _agrees_with(self, tokenizer: Any) -> bool:
        added = [f"x {token} y" for token in tokenizer.added_tokens_decoder.values()]
        texts = [*_PROBES, *added]
        bare = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        if bare != self(texts, add_special_tokens=False)["input_ids"]:
            return False
        given = [(text, None) for text in _PROBES] + [(text, _PROBES[2]) for text in _PROBES[1:]]
        for first, second in given:
            theirs = tokenizer(first, second, return_token_type_ids=True, verbose=False)
            ours = self(first, second)
            if any(theirs[name] != ours[name] for name in ours):
                return False
        return True
