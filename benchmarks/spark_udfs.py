"""What runs in the Spark workers: the UDFs of the contenders, each with its model cached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

RESULT = "label string, score double"
ROWS_PER_CALL = 64  # of predict_batch_udf


@lru_cache(maxsize=1)
def _pipeline(folder: str) -> Any:
    import torch
    from transformers import pipeline

    return pipeline("zero-shot-classification", model=folder, dtype=torch.float32, device="cpu")


def pipeline_udf(folder: str, labels: list[str], batch_size: int) -> Any:
    """transformers' pipeline in a pandas UDF; kinder than most: it loads once per worker."""
    from pyspark.sql.functions import pandas_udf

    def classify(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        model = _pipeline(folder)
        for texts in batches:
            yield _best(model(texts.tolist(), labels, batch_size=batch_size))

    # Evaluated here: the closure's annotations are strings to Spark otherwise.
    classify.__annotations__ = {"batches": Iterator[pd.Series], "return": Iterator[pd.DataFrame]}
    return pandas_udf(classify, RESULT)


def predict_udf(folder: str, labels: list[str], batch_size: int) -> Any:
    """transformers' pipeline through ``pyspark.ml.functions.predict_batch_udf``."""
    from pyspark.ml.functions import predict_batch_udf

    def make() -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        model = _pipeline(folder)

        def predict(texts: np.ndarray) -> dict[str, np.ndarray]:
            best = _best(model([str(text) for text in texts], labels, batch_size=batch_size))
            return {name: best[name].to_numpy() for name in best}

        return predict

    return predict_batch_udf(make, return_type=_result_type(), batch_size=ROWS_PER_CALL)


def imports_udf() -> Any:
    """No model: only what every worker imports, so that its memory can be subtracted."""
    from pyspark.sql.functions import pandas_udf

    def classify(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        import sparknlp_zs.engine.loading  # noqa: F401

        for texts in batches:
            yield pd.DataFrame({"label": [""] * len(texts), "score": [0.0] * len(texts)})

    classify.__annotations__ = {"batches": Iterator[pd.Series], "return": Iterator[pd.DataFrame]}
    return pandas_udf(classify, RESULT)


def _best(found: Any) -> pd.DataFrame:
    rows = found if isinstance(found, list) else [found]  # a single text gives a single dict
    return pd.DataFrame(
        {"label": [row["labels"][0] for row in rows], "score": [row["scores"][0] for row in rows]}
    )


def _result_type() -> Any:
    """The Spark type of a result."""
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    return StructType([StructField("label", StringType()), StructField("score", DoubleType())])
