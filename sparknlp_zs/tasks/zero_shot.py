"""Zero-shot classification by entailment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa

from sparknlp_zs.tasks.base import (
    ClassIds,
    Logits,
    Pair,
    Row,
    Scores,
    Steps,
    TextTask,
    by_row,
    label_scores,
    mean_logits,
)
from sparknlp_zs.tasks.calibration import calibrated, checked_bias, with_bias
from sparknlp_zs.tasks.checks import (
    DEFAULT_TEMPLATE,
    Descriptions,
    Labels,
    OwnHypotheses,
    Sentences,
    Templates,
    Threshold,
    Thresholds,
    checked_descriptions,
    checked_flag,
    checked_hypotheses,
    checked_labels,
    checked_templates,
    checked_threshold,
    filled,
    refuse_same_hypotheses,
)
from sparknlp_zs.tasks.long_text import (
    TRUNCATE,
    LongText,
    checked_long_text,
    long_text_fields,
    paired,
)
from sparknlp_zs.tasks.prefilter import checked_prefilter, prefiltered
from sparknlp_zs.tasks.ranked import RANKED, Known, field_each, fields_of, ranked

if TYPE_CHECKING:
    from sparknlp_zs.models import Model


@dataclass(frozen=True)
class ZeroShot(TextTask):
    """Zero-shot classification by entailment (Yin et al. 2019, arXiv:1909.00161).

    Each label becomes a hypothesis; the entailment logits of a text's hypotheses give its scores.
    A label with several hypotheses has their mean logits, from which scores are computed as from
    one's: PET's way to combine prompts (Schick and Schuetze 2021, arXiv:2001.07676, section 3.2).
    Labels stay comparable that way if one has more hypotheses than another; a mean of
    probabilities would need as many of each, to have a softmax for every template.

    Parameters
    ----------
    labels : iterable of str, or mapping of str to str
        Candidate labels: at least one, none blank, none twice. A mapping gives each label a
        description, which the hypothesis says in its place.
    hypothesis_template : str, or sequence of str
        Sentence with ``{}`` where the label, or its description, goes (filled by replacement, so
        that braces in labels are safe). With several templates a label has a hypothesis by each,
        and a text takes as many times the work.
    multi_label : bool
        False: softmax of the entailment logits over the labels, scores of a row sum to 1.
        True: each label by itself, softmax of its [contradiction, entailment] logits. A single
        candidate label is always scored this way, as in Hugging Face's pipeline.
    descriptions : iterable of str, optional
        As the mapping's, in the labels' order.
    hypotheses : mapping of str to str or sequence of str, optional
        Whole hypotheses, one or several, of labels for which the template will not do.
    threshold : float, or mapping of str to float
        From 0 to 1. The best label is null where no label's score reaches its threshold. A
        mapping may leave out labels, which then need none.
    long_text : {"truncate", "chunk"} or Chunks
        What becomes of a text that does not fit beside its hypotheses: it is cut at the end, or
        scored in chunks.
    prefilter : int or None
        Score only so many labels of each text: those whose descriptions a sentence encoder finds
        nearest in meaning (see ``ModelSpec.embedder``). The others are left out of the result, or
        have the score 0 where each label has a field. None scores all.
    label_bias : iterable of float
        One per label, added to its entailment logits; ``calibrated`` fits them.
    own_hypotheses : pairs of str and tuple of str
        The field that ``hypotheses`` becomes, so that ``dataclasses.replace`` works.

    Raises
    ------
    TypeError
        If an argument is of a wrong type, such as labels that are one string.
    ValueError
        If labels or descriptions are empty or have blanks or duplicates, a template has no
        ``{}``, a threshold is not from 0 to 1, or a mapping names an unknown label.

    Examples
    --------
    >>> task = ZeroShot(["travel", "cooking"])
    >>> task.hypotheses
    ('This example is travel.', 'This example is cooking.')
    >>> ZeroShot({"refund": "about money that should be paid back"}).hypotheses
    ('This example is about money that should be paid back.',)
    >>> task = ZeroShot(["a", "b"], ["It is {}.", "About {}."], hypotheses={"a": "What is a?"})
    >>> task.hypotheses
    ('What is a?', 'It is b.', 'About b.')
    >>> from sparknlp_zs.tasks import task_from_json
    >>> task_from_json(task.to_json()) == task
    True
    """

    labels: tuple[str, ...]
    hypothesis_template: Templates = DEFAULT_TEMPLATE
    multi_label: bool = False
    descriptions: tuple[str, ...] = ()
    own_hypotheses: OwnHypotheses = ()
    threshold: Thresholds = 0.0
    long_text: LongText = TRUNCATE
    prefilter: int | None = None
    label_bias: tuple[float, ...] = ()

    kind: ClassVar[str] = "zero_shot"
    columns: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        labels: Labels,
        hypothesis_template: Templates = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        descriptions: Iterable[str] | None = None,
        *,
        hypotheses: Mapping[str, str | Iterable[str]] | None = None,
        threshold: Threshold = 0.0,
        long_text: LongText = TRUNCATE,
        prefilter: int | None = None,
        label_bias: Iterable[float] = (),
        own_hypotheses: OwnHypotheses = (),
    ) -> None:
        if isinstance(labels, Mapping):
            if descriptions and not isinstance(descriptions, Descriptions):
                raise ValueError("descriptions: given beside labels that are a dict and have them")
            descriptions, labels = list(labels.values()), list(labels)
        names = checked_labels(labels)
        own = own_hypotheses if hypotheses is None else hypotheses
        object.__setattr__(self, "labels", names)
        object.__setattr__(self, "descriptions", checked_descriptions(descriptions, names))
        object.__setattr__(self, "hypothesis_template", checked_templates(hypothesis_template))
        object.__setattr__(self, "multi_label", checked_flag("multi_label", multi_label))
        object.__setattr__(self, "own_hypotheses", checked_hypotheses(own, names))
        object.__setattr__(self, "threshold", checked_threshold(threshold, names))
        object.__setattr__(self, "long_text", checked_long_text(long_text))
        object.__setattr__(self, "prefilter", checked_prefilter(prefilter))
        object.__setattr__(self, "label_bias", checked_bias(label_bias, len(names)))
        refuse_same_hypotheses(self.hypotheses_by_label)

    @property
    def said(self) -> tuple[str, ...]:
        """What hypotheses say in the labels' place: their descriptions, or the labels."""
        return self.descriptions or self.labels

    @cached_property
    def hypotheses_by_label(self) -> dict[str, Sentences]:
        """The hypotheses of each label."""
        templates, own = self.hypothesis_template, dict(self.own_hypotheses)
        said = zip(self.labels, self.said, strict=True)
        return {label: own.get(label) or filled(templates, text) for label, text in said}

    @cached_property  # asked for every row
    def hypotheses(self) -> Sentences:
        """All hypotheses, label by label."""
        return tuple(text for texts in self.hypotheses_by_label.values() for text in texts)

    @property
    def pairs_per_row(self) -> int:
        most = len(self.hypotheses)
        if self.prefilter is None:
            return most
        sizes = sorted(map(len, self.hypotheses_by_label.values()), reverse=True)
        return sum(sizes[: self.prefilter])

    @property
    def needs_embedder(self) -> bool:
        """Whether ``prefilter`` leaves any label out."""
        return self.prefilter is not None and self.prefilter < len(self.labels)

    def pairs(self, row: Row) -> list[Pair]:
        """(premise, hypothesis) for each hypothesis, by label; ``steps`` may ask for fewer."""
        return paired(row[0], self.hypotheses, self.long_text)

    def scores(self, logits: Logits, classes: ClassIds) -> Scores:
        """Scores from logits [rows, hypotheses, classes], as float64 [rows, labels]."""
        sizes = [len(texts) for texts in self.hypotheses_by_label.values()]
        return self.label_scores(mean_logits(logits, sizes), classes, self.multi_label)

    def label_scores(self, logits: Logits, classes: ClassIds, alone: bool) -> Scores:
        """Scores from logits [rows, labels, classes]; ``alone``: of each label by itself."""
        return label_scores(with_bias(logits, classes, self.label_bias), classes, alone)

    def calibrated(
        self,
        sample_texts: Any,
        *,
        model: Model = None,
        prior: Mapping[str, float] | None = None,
        strength: float | None = None,
    ) -> Self:
        """This task with biases that take away what the labels' words alone decide.

        Some labels sound likelier to a model than others, whatever the text. The biases bring the
        mean score of each label over a sample of unlabelled texts to its expected share of them:
        prior matching (Liusie et al. 2023, arXiv:2309.04992), with a shrinkage for small samples.

        Parameters
        ----------
        sample_texts : list of str, pandas.Series or pyarrow array
            Texts like those to be classified, without labels: at least 20, better some hundreds.
            Null, empty and blank ones are ignored.
        model : str, path, ModelSpec or None
            The model that will score: biases are fitted to its scores, and to no other's.
        prior : dict of str to float, or None
            The share of texts that each label has. None assumes equal shares, which hurts where
            one label has most of the texts: then pass its rough share. With ``multi_label`` it
            is the share of texts that a label applies to, and is needed.
        strength : float or None
            The biases are multiplied with it; above 0, at most 1. None is 1 with a ``prior``, and
            0.5 without, since shares that no one knows are seldom equal.

        Returns
        -------
        ZeroShot
            A new task, of this one's type. Biases that this one has are ignored.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or there are too few texts.
        ModelNotFoundError
            If there is no such model.

        Examples
        --------
        >>> from sparknlp_zs.samples import messages
        >>> task = ZeroShot(["exchange rate", "lost or stolen card", "request refund"])
        >>> fair = task.calibrated(messages()["text"][:40], model="starter")
        >>> len(fair.label_bias), abs(sum(fair.label_bias)) < 1e-9
        (3, True)
        """
        return calibrated(self, sample_texts, model, prior, strength)

    @property
    def result_type(self) -> pa.StructType:
        """``struct<label, score, labels, scores>``; the lists are in descending order of score."""
        return RANKED

    def result(self, rows: Sequence[Row], logits: Logits, classes: ClassIds) -> pa.StructArray:
        """Arrow structs of ``result_type`` from logits [rows x hypotheses, classes]."""
        return self.result_of(self.scores(by_row(logits, len(rows), len(self.hypotheses)), classes))

    def result_of(self, scores: Scores, known: Known = None) -> pa.StructArray:
        """Arrow structs of ``result_type`` from scores [rows, labels], as by ``ranked``."""
        return ranked(self.labels, scores, self.threshold, known)

    def steps(self, rows: Sequence[Row], classes: ClassIds) -> Steps:
        """All pairs at once; with ``prefilter`` the similarities first."""
        if self.needs_embedder:
            return (yield from prefiltered(self, rows, classes))
        logits = yield [self.pairs(row) for row in rows]
        return self.result(rows, logits, classes)

    def to_json(self) -> str:
        """The task as JSON; ``task_from_json`` reads it."""
        options = {**self.arguments(), "long_text": long_text_fields(self.long_text)}
        return json.dumps({"kind": self.kind, **options})

    def arguments(self) -> dict[str, Any]:
        """All options by name, for another task with the same."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        given["hypotheses"] = given.pop("own_hypotheses")
        return given


class ZeroShotScores(ZeroShot):
    """Zero-shot classification whose result has one float64 field per label, in given order.

    Thresholds change nothing here: all scores are given.

    Examples
    --------
    >>> [field.name for field in ZeroShotScores(["travel", "cooking"]).result_type]
    ['travel', 'cooking']
    """

    kind: ClassVar[str] = "zero_shot_scores"

    @property
    def result_type(self) -> pa.StructType:
        return field_each(self.labels)

    def result_of(self, scores: Scores, known: Known = None) -> pa.StructArray:
        """Arrow structs of ``result_type`` from scores [rows, labels], 0 where not known."""
        return fields_of(self.labels, scores)
