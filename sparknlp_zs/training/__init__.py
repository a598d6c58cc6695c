"""Fine-tuning: ``finetune`` on labelled texts, and the training of the starter model."""

from __future__ import annotations

from sparknlp_zs.training.finetuned import Finetuned
from sparknlp_zs.training.finetuning import finetune
from sparknlp_zs.training.settings import FinetuneSettings

__all__ = ["FinetuneSettings", "Finetuned", "finetune"]
