"""Nested labels: parents, their children, and the names of the leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any, TypeAlias

from sparknlp_zs.tasks.checks import checked_labels, checked_text, refuse_duplicates

SEPARATOR = " > "  # between the labels of a path

NestedLabels: TypeAlias = Mapping[str, Any]  # labels to their children, or to a description


@dataclass(frozen=True)
class Node:
    """A label: what its hypothesis says in its place, and its children; a leaf has none."""

    label: str
    said: str
    children: tuple[Node, ...] = ()


def is_nested(labels: Any) -> bool:
    """Whether labels have children.

    Examples
    --------
    >>> is_nested({"billing": ["refund", "fee"], "other": "about anything else"})
    True
    >>> is_nested({"refund": "a description"}), is_nested(["refund"])
    (False, False)
    """
    if not isinstance(labels, Mapping):
        return False
    return any(isinstance(x, Iterable) and not isinstance(x, str | bytes) for x in labels.values())


def label_tree(labels: Any, place: str = "labels") -> tuple[Node, ...]:
    """The nodes of nested labels, in the order given.

    Raises
    ------
    TypeError, ValueError
        If labels are no strings, blank, given twice among siblings, or hold the separator; the
        message names their place, such as ``labels['billing']``.

    Examples
    --------
    >>> [(node.label, node.said) for node in label_tree({"fee": "about a fee", "other": []})]
    [('fee', 'about a fee'), ('other', 'other')]
    """
    names = checked_labels(labels, place)
    for name in names:
        if SEPARATOR in f" {name} ":
            raise ValueError(
                f"{place}: {name!r} holds {SEPARATOR!r}, which joins the labels of a path; name "
                "the label otherwise"
            )
    if not isinstance(labels, Mapping):
        return tuple(Node(name, name) for name in names)
    values = zip(names, labels.values(), strict=True)
    nodes = tuple(_node(name, value, f"{place}[{name!r}]") for name, value in values)
    refuse_duplicates([node.said for node in nodes], f"{place}, descriptions")
    return nodes


def _node(label: str, value: Any, place: str) -> Node:
    if isinstance(value, str):
        return Node(label, checked_text(value, place, "description"))
    if isinstance(value, Sized) and not isinstance(value, bytes) and not len(value):
        return Node(label, label)
    return Node(label, label, label_tree(value, place))


def nested(nodes: Iterable[Node]) -> dict[str, Any]:
    """What ``label_tree`` makes the same nodes of.

    Examples
    --------
    >>> nested(label_tree({"billing": ["fee", "refund"], "other": []}))
    {'billing': {'fee': 'fee', 'refund': 'refund'}, 'other': 'other'}
    """
    return {node.label: nested(node.children) if node.children else node.said for node in nodes}


def paths(nodes: Iterable[Node], above: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its path, parents before their children.

    Examples
    --------
    >>> [path for path, _ in paths(label_tree({"billing": ["fee", "refund"], "other": []}))]
    ['billing', 'billing > fee', 'billing > refund', 'other']
    """
    for node in nodes:
        yield above + node.label, node
        yield from paths(node.children, above + node.label + SEPARATOR)
