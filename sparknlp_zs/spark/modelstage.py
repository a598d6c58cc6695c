"""What the Spark ML stages share: the model's Params, persistence, checks."""

# ruff: noqa: N802 - Spark ML's names are in camelCase.

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.ml import Transformer
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable, DefaultParamsWriter

from sparknlp_zs.models import ModelSpec, model_spec
from sparknlp_zs.spark.params import HasDtype, HasModel
from sparknlp_zs.spark.session import column_key, is_connect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class _Writer(DefaultParamsWriter):
    """Spark's writer, with an overwrite that works on Connect too."""

    def _handleOverwrite(self, path: str) -> None:
        if not is_connect(self.sparkSession):
            super()._handleOverwrite(path)
            return
        from pyspark.ml.connect.readwrite import RemoteMLWriter

        RemoteMLWriter.handleOverwrite(path, True)


class StageParams(HasModel, HasDtype, DefaultParamsReadable[Any], DefaultParamsWritable):
    """A model's Params, persistence and checks, for Transformers and Estimators."""

    def write(self) -> _Writer:
        """A writer; the model is saved by name, not by its weights."""
        return _Writer(self)

    def _set_given(self, **values: Any) -> None:
        self._set(**{name: value for name, value in values.items() if value is not None})

    def _check_set(self, *names: str) -> None:
        for name in names:
            if not self.isDefined(name):
                raise ValueError(
                    f"{name}: not set; pass {name}=... or call set{name[0].upper()}{name[1:]}(...)"
                )


class ModelStage(Transformer, StageParams):
    """A Transformer that scores with one model."""

    def _spec(self) -> ModelSpec:
        return replace(model_spec(self.getModel()), dtype=self.getDtype())

    def _check_outputs(self, dataset: DataFrame, **outputs: str) -> None:
        given = [name for name in outputs.values() if name]
        if not given:
            raise ValueError(f"{', '.join(outputs)}: all are ''; name at least one output column")
        same = column_key(dataset.sparkSession)
        taken = [same(name) for name in [*dataset.columns, *given]]
        for param, name in outputs.items():
            if name and taken.count(same(name)) > 1:
                raise ValueError(
                    f"{param}={name!r}: such a column already exists; choose another name"
                )
