"""A scorer of a model that has task heads."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sparknlp_zs.engine.adapter_weights import (
    expected_shapes,
    misfit,
    model_sizes,
    read_safetensors,
)
from sparknlp_zs.engine.adapters import tasks_of
from sparknlp_zs.engine.budget import TokenBudget
from sparknlp_zs.engine.encoding import PairEncoder, pair_layout, single_layout
from sparknlp_zs.engine.head_encoding import HeadEncoder
from sparknlp_zs.engine.networks.deberta import DebertaNetwork
from sparknlp_zs.engine.rows import Columns
from sparknlp_zs.engine.scorer import Network, Scored, Scorer
from sparknlp_zs.models import HEAD_TASKS, HEAD_WEIGHTS
from sparknlp_zs.tasks import (
    AdapterTask,
    Annotation,
    ChoiceTask,
    ClassIds,
    HeadTask,
    RowTasks,
    Task,
)

if TYPE_CHECKING:
    from torch import Tensor


class ScorerWithHeads(Scorer):
    """Scores task heads, and everything else as the scorer it is made from.

    Parameters
    ----------
    network : DebertaNetwork
        It gets the heads.
    encoder, classes, budget
        As of ``Scorer``.
    folder : Path
        As made by ``with_adapter``.
    tokenizer : transformers.PreTrainedTokenizerBase

    Raises
    ------
    ValueError
        If the network is another, or the folder's heads are not those of its list of tasks.

    Attributes
    ----------
    tasks : tuple of AdapterTask
        The adapter's tasks.
    """

    tasks: tuple[AdapterTask, ...]

    def __init__(
        self,
        network: Network,
        encoder: PairEncoder,
        classes: ClassIds,
        budget: TokenBudget,
        *,
        folder: Path,
        tokenizer: Any,
    ) -> None:
        super().__init__(network, encoder, classes, budget)
        self.tasks = tasks_of(json.loads((folder / HEAD_TASKS).read_text("utf-8")), str(folder))
        if not isinstance(network, DebertaNetwork):
            raise ValueError(f"{folder}: task heads need a DeBERTa-v2 or -v3 model")
        network.use_heads(_read_heads(folder, self.tasks))
        self._by_texts = {
            count: self._with(HeadEncoder(tokenizer, encoder.max_length, layout(tokenizer)))
            for count, layout in ((1, single_layout), (2, pair_layout))
        }

    def measure(self, task: Task, columns: Columns) -> Scored:
        """As ``Scorer.measure``; task heads with their own encoding of single texts and pairs."""
        if isinstance(task, Annotation) and task.heads:
            return self._measure_annotation(task, columns)
        if isinstance(task, RowTasks):
            return self._by_texts[len(task.inputs)].measure(task.of(self.tasks), columns)
        if isinstance(task, HeadTask | ChoiceTask):
            return self._by_texts[len(task.columns)].measure(task, columns)
        return super().measure(task, columns)

    def _measure_annotation(self, task: Annotation, columns: Columns) -> Scored:
        """Task heads together, and the other tasks together, with the same network."""
        parts = [self._by_texts[len(task.columns)].measure(Annotation(task.heads), columns)]
        others = {name: part for name, part in task.tasks if name not in task.heads}
        if others:
            parts.append(super().measure(Annotation(others), columns))
        return _joined(task, parts)

    def _with(self, encoder: HeadEncoder) -> Scorer:
        scorer = _HeadScorer(self._network, encoder, self._classes, self._budget)
        scorer._lock = self._lock  # one tokenizer
        return scorer


class _HeadScorer(Scorer):
    """Scores task heads alone."""

    def _outputs(self, task: Task) -> int:
        if isinstance(task, Annotation):
            return max(head.outputs for head in task.heads.values())
        assert isinstance(task, HeadTask | ChoiceTask | RowTasks)
        return task.outputs


def _joined(task: Annotation, parts: list[Scored]) -> Scored:
    """The annotation's structs, from those of annotations with some of its tasks each."""
    fields: dict[str, pa.Array] = {}
    for part in parts:
        names = [field.name for field in part.result.type]
        fields.update(zip(names, part.result.flatten(), strict=True))
    return Scored(
        result=pa.StructArray.from_arrays(
            [fields[name] for name, _ in task.tasks],
            fields=list(task.result_type),
            mask=parts[0].result.is_null(),  # all are over the same texts
        ),
        truncated=reduce(pc.or_, [part.truncated for part in parts]),
        seconds=sum(part.seconds for part in parts),
    )


def _read_heads(folder: Path, tasks: tuple[AdapterTask, ...]) -> dict[str, Tensor]:
    weights = read_safetensors(folder / HEAD_WEIGHTS)
    problem = misfit(weights, expected_shapes(tasks, *model_sizes(folder)))
    if problem is not None:
        raise ValueError(f"{folder / HEAD_WEIGHTS}: {problem}; remove the folder to have it made")
    return weights
