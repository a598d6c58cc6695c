"""A scorer of a model that was trained on classes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparknlp_zs.engine.budget import TokenBudget
from sparknlp_zs.engine.encoding import single_layout
from sparknlp_zs.engine.head_encoding import HeadEncoder
from sparknlp_zs.engine.rows import Columns
from sparknlp_zs.engine.scorer import Network, Scored, Scorer
from sparknlp_zs.tasks import ClassIds, Classifier, Task

_NEVER_READ = ClassIds(entailment=0)  # a classifier's result does not ask for NLI classes


class ClassifierScorer(Scorer):
    """Scores single texts on the classes of the model itself, and nothing else.

    Parameters
    ----------
    network : Network
    tokenizer : transformers.PreTrainedTokenizerBase
    max_length : int
        Longest text in tokens.
    labels : sequence of str
        The names of the network's outputs.
    budget : TokenBudget
    """

    def __init__(
        self,
        network: Network,
        tokenizer: Any,
        max_length: int,
        labels: Sequence[str],
        budget: TokenBudget,
    ) -> None:
        encoder = HeadEncoder(tokenizer, max_length, single_layout(tokenizer))
        super().__init__(network, encoder, _NEVER_READ, budget)
        self.labels = tuple(labels)

    def measure(self, task: Task, columns: Columns) -> Scored:
        """As ``Scorer.measure``.

        Raises
        ------
        ValueError
            If the task is another, or has other classes.
        """
        if not isinstance(task, Classifier):
            raise ValueError(
                f"{task.kind}: this model has classes of its own, {list(self.labels[:5])}, and "
                "names no entailment class; use an NLI model, or predict()"
            )
        if task.labels != self.labels:
            raise ValueError(
                f"labels={list(task.labels[:5])}: the model's classes are {list(self.labels[:5])}; "
                "make the task anew from the model's folder"
            )
        return super().measure(task, columns)

    def _outputs(self, task: Task) -> int:
        return len(self.labels)
