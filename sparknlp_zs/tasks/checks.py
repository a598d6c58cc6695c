"""What users may give as labels, templates, hypotheses and thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

DEFAULT_TEMPLATE = "This example is {}."

Labels: TypeAlias = Iterable[str] | Mapping[str, str]  # a mapping: label to description
Templates: TypeAlias = str | Sequence[str]
Sentences: TypeAlias = tuple[str, ...]
OwnHypotheses: TypeAlias = tuple[tuple[str, Sentences], ...]  # label, its hypotheses
Threshold: TypeAlias = float | Mapping[str, float]
Thresholds: TypeAlias = float | tuple[tuple[str, float], ...]


def checked_labels(labels: Iterable[str], name: str = "labels") -> tuple[str, ...]:
    """The labels, or what else the argument ``name`` lists: strings, none blank, none twice."""
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise TypeError(
            f"{name}={labels!r}: pass a list of strings, such as ['travel', 'cooking'], or a dict "
            "from labels to descriptions"
        )
    checked = tuple(checked_text(label, name, "label") for label in _iterated(labels, name))
    if not checked:
        raise ValueError(f"{name}=[]: pass at least one candidate label")
    refuse_duplicates(checked, name)
    return checked


def _iterated(labels: Iterable[str], name: str) -> Iterator[str]:
    dimensions = getattr(labels, "ndim", 1)
    if isinstance(dimensions, int) and dimensions != 1:
        raise TypeError(
            f"{name}: a {type(labels).__name__} of {dimensions} dimensions; pass a list of "
            "strings, or one column"
        )
    try:
        return iter(labels)
    except (TypeError, NotImplementedError) as error:  # Spark's Columns and Series have an __iter__
        raise TypeError(
            f"{name}: a {type(labels).__name__} holds labels of its own for each row, which only "
            "classify in pandas, zs.classify and the SQL functions take; pass a list of strings"
        ) from error


class Descriptions(tuple[str, ...]):
    """One per label, which know their labels: ``dataclasses.replace`` may give these anew."""

    labels: tuple[str, ...] = ()


def checked_descriptions(
    descriptions: Iterable[str] | None, labels: tuple[str, ...]
) -> tuple[str, ...]:
    """One description per label, or none where they are the labels: other labels may follow."""
    if descriptions is None or (isinstance(descriptions, Sized) and not len(descriptions)):
        return ()
    if isinstance(descriptions, Descriptions):
        descriptions = _of_labels(descriptions, labels)
    said = Descriptions(checked_labels(descriptions, "descriptions"))
    if len(said) != len(labels):
        raise ValueError(f"descriptions: {len(said)} for {len(labels)} labels; pass as many")
    said.labels = labels
    return () if said == labels else said


def _of_labels(descriptions: Descriptions, labels: tuple[str, ...]) -> list[str]:
    known = dict(zip(descriptions.labels, descriptions, strict=True))
    unknown = [label for label in labels if label not in known]
    if unknown:
        raise ValueError(
            f"descriptions: those of {list(known)[:20]}, and {unknown[:20]} have none; give the "
            "labels with their descriptions as a dict, or descriptions=() beside them"
        )
    return [known[label] for label in labels]


def checked_text(text: str, name: str, what: str) -> str:
    """A string that says something."""
    if not isinstance(text, str):
        raise TypeError(f"{name}: {text!r} is a {type(text).__name__}; pass strings")
    if not text.strip():
        raise ValueError(f"{name}: {text!r} is blank; give every {what} a text")
    if not is_unicode(text):
        raise half_character(f"{name}: {text!r}")
    return str.__str__(text)  # numpy's strings are no JSON; an enum's str is its name


# What mends a column of them.
REPLACE_HALVES = "replace such with .str.encode('utf-8', 'replace').str.decode('utf-8')"


def is_unicode(text: str) -> bool:
    """Whether it can be encoded: half of a pair of surrogates, as of a cut emoji, cannot.

    Examples
    --------
    >>> is_unicode("half an emoji"), is_unicode(chr(0xD83D))
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def half_character(place: str, remedy: str = "remove it") -> ValueError:
    """The error of a text that ``is_unicode`` denies."""
    return ValueError(f"{place} holds half a character, a lone surrogate; {remedy}")


def refuse_duplicates(texts: Sequence[str], name: str) -> None:
    """Raise if a text is given twice."""
    twice = sorted(text for text, count in Counter(texts).items() if count > 1)
    if twice:
        raise ValueError(f"{name}: {twice} given more than once; remove the duplicates")


def checked_template(template: str) -> str:
    """A sentence with a place for the label."""
    if not isinstance(template, str):
        raise TypeError(
            f"hypothesis_template={template!r}: pass a string such as {DEFAULT_TEMPLATE!r}"
        )
    if "{}" not in template:
        raise ValueError(
            f"hypothesis_template={template!r} has no {{}} for the label; "
            f"use something like {DEFAULT_TEMPLATE!r}"
        )
    if not is_unicode(template):
        raise half_character(f"hypothesis_template={template!r}")
    return template


def checked_templates(templates: Templates) -> Templates:
    """A template, or a tuple of several, each with a place for the label."""
    if isinstance(templates, str):
        return checked_template(templates)
    if isinstance(templates, bytes | Mapping) or not isinstance(templates, Iterable):
        raise TypeError(
            f"hypothesis_template={templates!r}: pass a string such as {DEFAULT_TEMPLATE!r}, or a "
            "list of several"
        )
    checked = tuple(checked_template(template) for template in templates)
    if not checked:
        raise ValueError(f"hypothesis_template=[]: pass at least one, such as {DEFAULT_TEMPLATE!r}")
    refuse_duplicates(checked, "hypothesis_template")
    return checked


def filled(templates: Templates, said: str) -> Sentences:
    """The templates with a label, or its description, in their place."""
    several = [templates] if isinstance(templates, str) else templates
    return tuple(template.replace("{}", said) for template in several)


def checked_hypotheses(
    hypotheses: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, Iterable[str]]] | None,
    labels: Sequence[str],
) -> OwnHypotheses:
    """Labels and their own hypotheses, in the order given."""
    if hypotheses is None:
        return ()
    pairs = _pairs(hypotheses)
    if pairs is None:
        raise TypeError(
            f"hypotheses={hypotheses!r}: pass a dict from labels to sentences, such as "
            "{'refund': 'The customer wants money back.'}"
        )
    return tuple((_known(label, "hypotheses", labels), _sentences(some)) for label, some in pairs)


def refuse_same_hypotheses(hypotheses: Mapping[str, Sentences]) -> None:
    """Raise if two labels could not be told apart."""
    labels: dict[frozenset[str], str] = {}
    for label, sentences in hypotheses.items():
        same = labels.setdefault(frozenset(sentences), label)
        if same != label:
            raise ValueError(
                f"hypotheses: {same!r} and {label!r} have the same, {list(sentences)}; give each "
                "label its own"
            )


def checked_threshold(
    threshold: Threshold | Iterable[tuple[str, float]], labels: Sequence[str] | None
) -> Thresholds:
    """A number from 0 to 1, or pairs of labels and their numbers; no ``labels``: any."""
    if isinstance(threshold, Real) and not isinstance(threshold, bool):
        return _checked_number(threshold, "threshold")
    pairs = _pairs(threshold)
    if pairs is None:
        raise TypeError(
            f"threshold={threshold!r}: pass a number from 0 to 1, or a dict from labels to numbers"
        )
    return tuple(
        (_known(label, "threshold", labels), _checked_number(value, f"threshold[{label!r}]"))
        for label, value in pairs
    )


def checked_flag(name: str, value: bool) -> bool:
    """A boolean."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r}: pass True or False")
    return bool(value)


def _sentences(given: str | Iterable[str]) -> Sentences:
    several = (given,) if isinstance(given, str) else given
    if not isinstance(several, Iterable):
        raise TypeError(f"hypotheses: {given!r} is a {type(given).__name__}; pass sentences")
    checked = tuple(checked_text(text, "hypotheses", "label") for text in several)
    if not checked:
        raise ValueError("hypotheses: [] given for a label; pass at least one sentence")
    refuse_duplicates(checked, "hypotheses")
    return checked


def _pairs(given: Any) -> list[tuple[Any, Any]] | None:
    """The items of a mapping, or those kept in their place; None for anything else."""
    if isinstance(given, Mapping):
        return list(given.items())
    if not isinstance(given, list | tuple):
        return None
    pairs = [(x[0], x[1]) for x in given if isinstance(x, list | tuple) and len(x) == 2]
    return pairs if len(pairs) == len(given) else None


def _known(label: str, name: str, labels: Sequence[str] | None) -> str:
    if labels is not None and label not in labels:
        raise ValueError(f"{name}: {label!r} is none of the labels {list(labels)[:20]}")
    return str.__str__(label) if isinstance(label, str) else label


def _checked_number(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r}: pass a number from 0 to 1")
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value!r}: scores are from 0 to 1; pass a number in between")
    return float(value)
