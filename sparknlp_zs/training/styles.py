"""The two ways to fine-tune: on entailment of the labels' hypotheses, or with a new head."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch.nn import functional as F

from sparknlp_zs.engine.encoding import Ids, PairEncoder, model_max_length, single_layout
from sparknlp_zs.engine.networks.huggingface import load_model, load_tokenizer
from sparknlp_zs.models import read_class_ids
from sparknlp_zs.tasks import ClassIds, ZeroShot
from sparknlp_zs.training.data import wrong_labels
from sparknlp_zs.training.labelled import Label, LabelledRows
from sparknlp_zs.training.objective import group_losses
from sparknlp_zs.training.settings import FinetuneSettings
from sparknlp_zs.training.similar import similar_labels
from sparknlp_zs.training.steps import Item, Items, MicroBatch


class Style(Protocol):
    """What is trained: a model, items of labelled rows, and their loss."""

    model: Any
    tokenizer: Any

    def items(self, rows: LabelledRows, every_label: bool = False) -> Items: ...

    def losses(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        """The loss of each item, from the logits of the batch's rows."""
        ...

    def hits(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        """Whether each item's label has the highest score, and no other one as high."""
        ...


@dataclass(frozen=True)
class _Tokenised:
    """Rows whose texts are tokenised."""

    encoder: PairEncoder
    texts: tuple[Ids, ...]
    classes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class LabelGroups(_Tokenised):
    """Each text with its true label's hypothesis, and after it some wrong ones'."""

    task: ZeroShot
    hypotheses: tuple[Ids, ...]
    similar: Mapping[str, list[str]]
    negatives: int

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {label: at for at, label in enumerate(self.task.labels)}

    def item(self, row: int, rng: random.Random) -> Item:
        """The row's group; the wrong labels are drawn."""
        labels = list(self.task.labels)
        true = labels[self.classes[row]]
        if self.negatives < len(labels) - 1:
            wrong = wrong_labels(true, labels, dict(self.similar), self.negatives, rng)
        else:
            wrong = [label for label in labels if label != true]
        said = tuple(self.hypotheses[self._positions[label]] for label in (true, *wrong))
        return Item(self.texts[row], said, 0)


@dataclass(frozen=True)
class SingleTexts(_Tokenised):
    """Each text by itself."""

    def item(self, row: int, rng: random.Random) -> Item:
        """The row's text, and its label as the target."""
        return Item(self.texts[row], (np.empty(0, np.int32),), self.classes[row])


class Entailment:
    """Trains an NLI model to entail the true label's hypothesis; it stays an NLI model.

    The loss of a text is that of a label group in ``objective``: half the cross entropy of the
    entailment logits over the group, half entailment against contradiction for each label. Models
    with two classes have "not_entailment" in contradiction's place.
    """

    def __init__(self, folder: Path, task: ZeroShot, settings: FinetuneSettings) -> None:
        self.tokenizer = load_tokenizer(folder)
        self.model = load_model(folder, "float32", torch.device("cpu"))
        self._classes: ClassIds = read_class_ids(folder)
        self._task, self._negatives = task, settings.negatives
        longest = min(settings.max_length, model_max_length(self.tokenizer, self.model.config))
        self._encoder = PairEncoder(self.tokenizer, longest)
        self._hypotheses = tuple(self._encoder.tokenize(task.hypotheses))
        _check_room(self._encoder, task.hypotheses, self._hypotheses)
        drawn = settings.negatives < len(task.labels) - 1
        self._similar = similar_labels(str(folder), list(task.labels)) if drawn else {}

    def items(self, rows: LabelledRows, every_label: bool = False) -> LabelGroups:
        """Groups of the rows, with all labels where they evaluate."""
        return LabelGroups(
            self._encoder,
            tuple(self._encoder.tokenize(rows.texts)),
            rows.classes,
            self._task,
            self._hypotheses,
            self._similar,
            len(self._task.labels) if every_label else self._negatives,
        )

    def losses(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        """Mean over the labels of each group."""
        groups = batch["groups"]
        valid = groups >= 0
        members = logits.float()[groups.clamp(min=0)]
        entailment = members[..., self._classes.entailment]
        against = members[..., self._classes.negative]
        losses = group_losses(entailment, against, valid, torch.zeros_like(entailment))
        means: torch.Tensor = losses / valid.sum(dim=-1)
        return means

    def hits(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        """Whether the true label, the first, has more entailment than any other."""
        groups = batch["groups"]
        entailment = logits[:, self._classes.entailment][groups.clamp(min=0)]
        entailment = entailment.masked_fill(groups < 0, -torch.inf)
        # No hit if all are equal, or no numbers, as after a training that went wrong.
        return entailment[:, 0] > entailment[:, 1:].amax(dim=-1)


class Head:
    """Trains the encoder with a new classifier on top: one output per label.

    Parameters
    ----------
    folder : Path
        A sequence classifier, whose encoder is kept.
    labels : sequence of str or int
        In the order of the outputs.
    settings : FinetuneSettings
        The new classifier's first weights follow from its seed.
    """

    def __init__(self, folder: Path, labels: Sequence[Label], settings: FinetuneSettings) -> None:
        self.tokenizer = load_tokenizer(folder)
        self.model = _with_new_head(folder, labels, settings.seed)
        longest = min(settings.max_length, model_max_length(self.tokenizer, self.model.config))
        self._encoder = PairEncoder(self.tokenizer, longest, single_layout(self.tokenizer))

    def items(self, rows: LabelledRows, every_label: bool = False) -> SingleTexts:
        """The rows' texts; every label has its output in any case."""
        return SingleTexts(self._encoder, tuple(self._encoder.tokenize(rows.texts)), rows.classes)

    def losses(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        """Cross entropy."""
        return F.cross_entropy(logits.float(), batch["targets"], reduction="none")

    def hits(self, logits: torch.Tensor, batch: MicroBatch) -> torch.Tensor:
        """Whether the label's logit is the highest of all, which are numbers."""
        own = F.one_hot(batch["targets"], logits.shape[-1]).bool()
        others = logits.masked_fill(own, -torch.inf).amax(dim=-1)
        return logits.masked_fill(~own, -torch.inf).amax(dim=-1) > others


def _with_new_head(folder: Path, labels: Sequence[Label], seed: int) -> Any:
    from transformers import AutoModelForSequenceClassification

    names = {at: str(label) for at, label in enumerate(labels)}
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # for whatever the folder lacks, such as a pooler
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            weights_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            num_labels=len(names),
            id2label=names,
            label2id={name: at for at, name in names.items()},
            problem_type="single_label_classification",
        )
    _check_body(folder, model.base_model_prefix, info)
    body = {id(module) for module in model.base_model.modules()}
    outputs = [
        module
        for module in model.modules()
        if isinstance(module, torch.nn.Linear)
        and module.out_features == len(names)
        and id(module) not in body
    ]
    if not outputs:
        raise ValueError(
            f"{folder}: the model has no linear classifier on top; use style='entailment'"
        )
    # Also where the old head had as many outputs: they meant other classes.
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        outputs[-1].weight.normal_(0.0, _spread(model.config), generator=generator)
        if outputs[-1].bias is not None:
            outputs[-1].bias.zero_()
    return model


def _check_body(folder: Path, prefix: str, info: Mapping[str, Any]) -> None:
    """Refuse an encoder with random weights; a pooler may be new, as the classifier is."""
    unfit = {*info["missing_keys"], *(x[0] for x in info["mismatched_keys"])}
    inner = sorted(x for x in unfit if x.startswith(f"{prefix}.") and ".pooler." not in x)
    if inner:
        raise ValueError(
            f"{folder}: the weights lack {inner[:3]}, or have them in another size; a training "
            "would start from random numbers. Use a folder with the weights of its config.json"
        )


def _spread(config: Any) -> float:
    """The standard deviation of new weights: BART's config calls it init_std, T5's has none."""
    found: float = getattr(config, "initializer_range", getattr(config, "init_std", 0.02))
    return found


def _check_room(encoder: PairEncoder, said: Sequence[str], hypotheses: Sequence[Ids]) -> None:
    size, longest = max((len(ids), text) for ids, text in zip(hypotheses, said, strict=True))
    if encoder.room(size) < encoder.max_length // 4:
        raise ValueError(
            f"max_length={encoder.max_length}: the hypothesis {longest!r} has {size} tokens and "
            "leaves the texts less than a quarter; raise max_length, or shorten the label"
        )
