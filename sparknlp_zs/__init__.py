"""Zero-shot classification and natural language inference for pandas and Spark DataFrames.

Importing the package registers the pandas accessor ``.zsc``; torch, transformers and pyspark are
imported when first used.
"""

from sparknlp_zs import accessor as _accessor  # noqa: F401  (registers .zsc)
from sparknlp_zs.engine.adapters import adapter_tasks
from sparknlp_zs.models import ModelNotFoundError, ModelSpec
from sparknlp_zs.tasks import (
    NLI,
    AdapterTask,
    Chunks,
    Hierarchy,
    HierarchyScores,
    TaskHead,
    ZeroShot,
    ZeroShotScores,
)
from sparknlp_zs.version import __version__

__all__ = [
    "NLI",
    "AdapterTask",
    "Chunks",
    "Hierarchy",
    "HierarchyScores",
    "ModelNotFoundError",
    "ModelSpec",
    "TaskHead",
    "ZeroShot",
    "ZeroShotScores",
    "__version__",
    "adapter_tasks",
]
