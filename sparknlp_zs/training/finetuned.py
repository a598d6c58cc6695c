"""What a fine-tuning leaves behind."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparknlp_zs.tasks import DEFAULT_TEMPLATE, ZeroShot
from sparknlp_zs.training.labelled import Label

if TYPE_CHECKING:
    from sparknlp_zs.tasks.base import FixedTask

RECORD = "finetuned.json"


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model.

    Parameters
    ----------
    folder : Path
        A normal Hugging Face folder: ``model=folder`` on every surface.
    style : {"entailment", "head"}
    labels : tuple of str or int
        In the order of a head's outputs.
    metrics : dict of str to float
        ``rows``, ``validation_rows``, ``dropped`` (rows without a text or a label), ``steps``,
        ``seconds``, ``train_loss``; with validation rows ``loss`` and ``accuracy`` on them.
    hypothesis_template : str
        Style "entailment": the template that was trained.
    descriptions : tuple of str
        Style "entailment": what each label's hypothesis says.
    fingerprint : str
        Follows from the rows, the model and the settings.
    """

    folder: Path
    style: str
    labels: tuple[Label, ...]
    metrics: dict[str, float]
    hypothesis_template: str = DEFAULT_TEMPLATE
    descriptions: tuple[str, ...] = field(default=())
    fingerprint: str = ""

    @property
    def task(self) -> FixedTask:
        """The task to score with: ``ZeroShot`` over the labels, or the classifier's own."""
        if self.style == "entailment":
            names = [str(label) for label in self.labels]
            return ZeroShot(names, self.hypothesis_template, descriptions=self.descriptions)
        from sparknlp_zs.tasks.classifier import Classifier

        return Classifier([str(label) for label in self.labels])

    def write(self) -> None:
        """Keep the record beside the model."""
        record = {**asdict(self), "folder": None}
        text = json.dumps(record, indent=1, ensure_ascii=False)
        (self.folder / RECORD).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: str | Path) -> Finetuned:
        """The record of a folder that ``finetune`` wrote.

        Raises
        ------
        FileNotFoundError
            If it did not, or was interrupted.
        """
        folder = Path(folder)
        path = folder / RECORD
        if not path.is_file():
            raise FileNotFoundError(
                f"{str(folder)!r} has no {RECORD}: no finished fine-tuning is there"
            )
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name in ("labels", "descriptions"):
            record[name] = tuple(record[name])
        return cls(**{**record, "folder": folder})
