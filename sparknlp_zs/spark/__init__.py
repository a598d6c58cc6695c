"""Columns, SQL functions and ML stages for Spark: ``from sparknlp_zs import spark as zs``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparknlp_zs.spark.annotate import annotate
from sparknlp_zs.spark.calibration import calibrate
from sparknlp_zs.spark.classifier import predict, predict_scores
from sparknlp_zs.spark.finetune import finetune
from sparknlp_zs.spark.functions import classify, nli, scores
from sparknlp_zs.spark.heads import task, tasks
from sparknlp_zs.spark.progress import progress
from sparknlp_zs.spark.session import use_session
from sparknlp_zs.spark.sql import register, register_predict
from sparknlp_zs.spark.transform import transform
from sparknlp_zs.tasks import (
    NLI,
    Chunks,
    Hierarchy,
    HierarchyScores,
    TaskHead,
    ZeroShot,
    ZeroShotScores,
)

if TYPE_CHECKING:
    from sparknlp_zs.spark.annotations import AnnotationClassifier
    from sparknlp_zs.spark.classifier_stage import TextClassifier
    from sparknlp_zs.spark.finetuner import FineTuner
    from sparknlp_zs.spark.head_stage import TaskHeadClassifier
    from sparknlp_zs.spark.stages import NLIScorer, ZeroShotClassifier

__all__ = [
    "NLI",
    "AnnotationClassifier",
    "Chunks",
    "FineTuner",
    "Hierarchy",
    "HierarchyScores",
    "NLIScorer",
    "TaskHead",
    "TaskHeadClassifier",
    "TextClassifier",
    "ZeroShot",
    "ZeroShotClassifier",
    "ZeroShotScores",
    "annotate",
    "calibrate",
    "classify",
    "finetune",
    "nli",
    "predict",
    "predict_scores",
    "progress",
    "register",
    "register_predict",
    "scores",
    "task",
    "tasks",
    "transform",
    "use_session",
]

_STAGES = {
    "AnnotationClassifier": "annotations",
    "FineTuner": "finetuner",
    "NLIScorer": "stages",
    "TaskHeadClassifier": "head_stage",
    "TextClassifier": "classifier_stage",
    "ZeroShotClassifier": "stages",
}


def __getattr__(name: str) -> Any:
    # The stages subclass pyspark.ml's classes, whose import takes a second.
    if name in _STAGES:
        return getattr(import_module(f"{__name__}.{_STAGES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
