"""Zero-shot classification with labels in a tree: parents first, then children of the best."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparknlp_zs.tasks.base import ClassIds, Logits, Pair, Row, Scores, TextTask, by_row
from sparknlp_zs.tasks.checks import (
    DEFAULT_TEMPLATE,
    OwnHypotheses,
    Templates,
    Threshold,
    Thresholds,
    checked_hypotheses,
    checked_templates,
    checked_threshold,
)
from sparknlp_zs.tasks.label_tree import SEPARATOR, NestedLabels, Node, label_tree, nested, paths
from sparknlp_zs.tasks.ranked import RANKED, field_each, fields_of, ranked
from sparknlp_zs.tasks.zero_shot import ZeroShot

Mask: TypeAlias = npt.NDArray[np.bool_]

DEFAULT_BEAM = 2


@dataclass(frozen=True)
class _Family:
    """Siblings, of which one is chosen: an only child surely, without a look at the text."""

    choice: ZeroShot
    depth: int
    leaves: tuple[int | None, ...]  # each sibling's place among the leaves
    families: tuple[int | None, ...]  # the place of its children among the families
    pairs: slice  # places of the hypotheses among all families'

    def scores(self, logits: Logits, classes: ClassIds) -> Scores:
        """Probabilities [rows, siblings] from logits [rows, the siblings' hypotheses, classes]."""
        if len(self.leaves) == 1:
            return np.ones((len(logits), 1))
        return self.choice.scores(logits, classes)


@dataclass(frozen=True)
class Hierarchy(TextTask):
    """Zero-shot classification with labels in a tree.

    The labels at the top are scored first, as by ``ZeroShot``; then for each text the children of
    its ``beam`` best parents, and so on. A leaf's score is the product of the probabilities on the
    way to it, each a softmax over siblings; an only child has its parent's. With 10 parents of 10
    children each, a text takes 10 + 2 x 10 pairs in place of 100, and siblings are compared with
    siblings alone. Scores of a row sum to 1 or, as children of other parents are not scored, to
    less.

    A leaf is named by its path, such as "billing > refund", or "other" at the top, so that names
    tell the parents and do not change when labels are added elsewhere.

    Parameters
    ----------
    labels : mapping
        Labels to their children: a list of labels, or a mapping again. A string is a description,
        which the hypothesis says in the label's place; an empty list makes a leaf, too.
    hypothesis_template : str, or sequence of str
        As for ``ZeroShot``.
    beam : int
        How many parents' children are scored for a text, at each level: at least 1. More cost
        more, and find a best leaf whose parent is not among the best.
    hypotheses : mapping of str to str or sequence of str, optional
        As for ``ZeroShot``; labels by their paths, parents too.
    threshold : float, or mapping of str to float
        As for ``ZeroShot``; leaves by their paths.
    tree, own_hypotheses
        The fields that ``labels`` and ``hypotheses`` become, so that ``dataclasses.replace`` works.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; for labels the message names the place in the tree.

    Examples
    --------
    >>> task = Hierarchy({"billing": ["refund", "fee"], "travel": {"rail": "trains"}, "other": []})
    >>> task.labels
    ('billing > refund', 'billing > fee', 'travel > rail', 'other')
    >>> from sparknlp_zs.tasks import task_from_json
    >>> task_from_json(task.to_json()) == task
    True
    """

    tree: tuple[Node, ...]
    hypothesis_template: Templates = DEFAULT_TEMPLATE
    beam: int = DEFAULT_BEAM
    own_hypotheses: OwnHypotheses = ()
    threshold: Thresholds = 0.0

    kind: ClassVar[str] = "hierarchy"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        labels: NestedLabels | None = None,
        hypothesis_template: Templates = DEFAULT_TEMPLATE,
        beam: int = DEFAULT_BEAM,
        *,
        hypotheses: Mapping[str, str | Iterable[str]] | None = None,
        threshold: Threshold = 0.0,
        tree: tuple[Node, ...] = (),
        own_hypotheses: OwnHypotheses = (),
    ) -> None:
        given = nested(tree) if labels is None and tree else labels
        own = own_hypotheses if hypotheses is None else hypotheses
        object.__setattr__(self, "tree", _checked_tree(given))
        object.__setattr__(self, "hypothesis_template", checked_templates(hypothesis_template))
        object.__setattr__(self, "beam", _checked_beam(beam))
        known = [path for path, _ in paths(self.tree)]
        object.__setattr__(self, "own_hypotheses", checked_hypotheses(own, known))
        object.__setattr__(self, "threshold", checked_threshold(threshold, self.labels))
        _ = self._families  # siblings with the same hypotheses fail here

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The paths of the leaves, in the order given."""
        return tuple(path for path, node in paths(self.tree) if not node.children)

    @cached_property
    def _families(self) -> tuple[_Family, ...]:
        """The families, level by level."""
        leaves = {path: at for at, path in enumerate(self.labels)}
        waiting, found, start = [("", self.tree, 0)], [], 0
        for above, nodes, depth in waiting:  # grows meanwhile
            family_of: list[int | None] = []
            for node in nodes:
                family_of.append(len(waiting) if node.children else None)
                if node.children:
                    waiting.append((above + node.label + SEPARATOR, node.children, depth + 1))
            leaf_of = tuple(leaves.get(above + node.label) for node in nodes)
            choice = self._choice(above, nodes)
            end = start + (choice.pairs_per_row if len(nodes) > 1 else 0)
            found.append(_Family(choice, depth, leaf_of, tuple(family_of), slice(start, end)))
            start = end
        return tuple(found)

    def _choice(self, above: str, nodes: tuple[Node, ...]) -> ZeroShot:
        own = dict(self.own_hypotheses)
        return ZeroShot(
            {node.label: node.said for node in nodes},
            self.hypothesis_template,
            hypotheses={x.label: own[above + x.label] for x in nodes if above + x.label in own},
        )

    @property
    def pairs_per_row(self) -> int:
        """The pairs of a row if all families were scored."""
        return len(self._hypotheses)

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``; the lists have the leaves that were scored."""
        return RANKED

    def pairs(self, row: Row) -> list[Pair]:
        """(premise, hypothesis) of all families."""
        return [(row[0], hypothesis) for hypothesis in self._hypotheses]

    @cached_property  # asked for every row
    def _hypotheses(self) -> tuple[str, ...]:
        scored = (family for family in self._families if len(family.leaves) > 1)
        return tuple(text for family in scored for text in family.choice.hypotheses)

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """What ``steps`` returns, from logits of all families [rows x hypotheses, classes]."""
        every = by_row(logits, len(rows), self.pairs_per_row)
        walk = self._walk(len(rows), classes)
        asked = next(walk)
        try:
            while True:
                asked = walk.send(every[asked])
        except StopIteration as ended:
            return self._answer(ended.value)

    def steps(
        self, rows: Sequence[Row], classes: ClassIds
    ) -> Generator[list[list[Pair]], Logits, pa.StructArray]:
        """Asks for a level's logits at a time; see ``StepwiseTask``."""
        walk = self._walk(len(rows), classes)
        asked = next(walk)
        try:
            while True:
                logits = yield [
                    [(text, self._hypotheses[at]) for at in np.flatnonzero(flags)]
                    for (text,), flags in zip(rows, asked, strict=True)
                ]
                asked = walk.send(logits)
        except StopIteration as ended:
            return self._answer(ended.value)

    def _walk(self, rows: int, classes: ClassIds) -> Generator[Mask, Logits, Scores]:
        """The leaves' scores [rows, leaves], nan if not scored.

        Yields
        ------
        bool array [rows, hypotheses of all families]
            What is to be scored next; the answer is its logits, row by row.
        """
        families = self._families
        scores = np.full((rows, len(self.labels)), np.nan)
        reached = np.full((rows, len(families)), np.nan)  # probabilities of the parents
        reached[:, 0] = 1.0
        for depth in range(families[-1].depth + 1):
            level = [at for at, family in enumerate(families) if family.depth == depth]
            opened = _best(reached[:, level], self.beam)
            asked = np.zeros((rows, self.pairs_per_row), dtype=bool)
            for at, members in zip(level, opened.T, strict=True):
                asked[members, families[at].pairs] = True
            logits = yield asked
            every = np.zeros((*asked.shape, logits.shape[-1]), dtype=logits.dtype)
            every[asked] = logits
            for at, members in zip(level, opened.T, strict=True):
                family = families[at]
                found = family.scores(every[members, family.pairs], classes)
                found = np.nan_to_num(found) * reached[members, at, None]  # nan: not scored
                for column, leaf, below in zip(
                    found.T, family.leaves, family.families, strict=True
                ):
                    if leaf is not None:
                        scores[members, leaf] = column
                    if below is not None:
                        reached[members, below] = column
        return scores

    def _answer(self, scores: Scores) -> pa.StructArray:
        return ranked(self.labels, scores, self.threshold, ~np.isnan(scores))

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        return json.dumps({"kind": self.kind, **self.arguments()})

    def arguments(self) -> dict[str, Any]:
        """All options by name, for another task with the same."""
        return {
            "labels": nested(self.tree),
            "hypothesis_template": self.hypothesis_template,
            "beam": self.beam,
            "hypotheses": self.own_hypotheses,
            "threshold": self.threshold,
        }


class HierarchyScores(Hierarchy):
    """As ``Hierarchy``, with one float64 field per leaf, in given order; 0.0 if not scored.

    Examples
    --------
    >>> [field.name for field in HierarchyScores({"billing": ["refund", "fee"]}).result_type]
    ['billing > refund', 'billing > fee']
    """

    kind: ClassVar[str] = "hierarchy_scores"

    @property
    def result_type(self) -> pa.StructType:
        return field_each(self.labels)

    def _answer(self, scores: Scores) -> pa.StructArray:
        return fields_of(self.labels, np.nan_to_num(scores))


def _best(reached: Scores, beam: int) -> Mask:
    """Whether a family [rows, families of a level] is among the row's best; nan never is."""
    order = np.argsort(-reached, axis=1, kind="stable")  # nan last
    best = np.zeros(reached.shape, dtype=bool)
    np.put_along_axis(best, order[:, :beam], True, axis=1)
    return best & ~np.isnan(reached)


def _checked_tree(labels: NestedLabels | None) -> tuple[Node, ...]:
    if not isinstance(labels, Mapping):
        raise TypeError(
            f"labels={labels!r}: pass a dict from labels to their children, such as "
            "{'billing': ['refund', 'fee'], 'other': []}"
        )
    tree = label_tree(labels)
    if sum(not node.children for _, node in paths(tree)) < 2:
        raise ValueError(f"labels={labels!r}: a hierarchy needs two labels that have no children")
    return tree


def _checked_beam(beam: int) -> int:
    if isinstance(beam, bool) or not isinstance(beam, int | np.integer):
        raise TypeError(f"beam={beam!r}: pass a whole number, such as {DEFAULT_BEAM}")
    if beam < 1:
        raise ValueError(f"beam={beam}: pass at least 1, such as {DEFAULT_BEAM}")
    return int(beam)
