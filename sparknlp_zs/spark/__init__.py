"""Columns, SQL functions and ML stages for Spark: ``from sparknlp_zs import spark as zs``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparknlp_zs.spark.functions import classify, nli, scores
from sparknlp_zs.spark.sql import register

if TYPE_CHECKING:
    from sparknlp_zs.spark.annotations import AnnotationClassifier
    from sparknlp_zs.spark.stages import NLIScorer, ZeroShotClassifier

__all__ = [
    "AnnotationClassifier",
    "NLIScorer",
    "ZeroShotClassifier",
    "classify",
    "nli",
    "register",
    "scores",
]

_STAGES = {
    "AnnotationClassifier": "annotations",
    "NLIScorer": "stages",
    "ZeroShotClassifier": "stages",
}


def __getattr__(name: str) -> Any:
    # The stages subclass pyspark.ml's classes, whose import takes a second.
    if name in _STAGES:
        return getattr(import_module(f"{__name__}.{_STAGES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
