"""Columns for Spark: ``from sparknlp_zs import spark as zs``."""

from sparknlp_zs.spark.functions import classify, nli, scores

__all__ = ["classify", "nli", "scores"]
