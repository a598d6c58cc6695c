"""The accessor ``.zsc`` of pandas-on-Spark: ``import sparknlp_zs.spark.pandas`` registers it.

It is imported by itself, since pyspark.pandas takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import pyspark.pandas as ps
except ImportError as error:
    # pyspark.pandas uses internals of pandas: 4.3 imports with pandas 3.0, not with 3.1.
    raise ImportError(
        f"pyspark.pandas cannot be imported ({error}); install a pandas that this Spark knows: "
        "'pandas<3.1' for Spark 4.3, 'pandas<3' before"
    ) from error
from pyspark.pandas.extensions import register_dataframe_accessor, register_series_accessor

from sparknlp_zs.models import Model
from sparknlp_zs.spark import functions as zs
from sparknlp_zs.tasks import DEFAULT_TEMPLATE, NLI, ZeroShotScores
from sparknlp_zs.tasks.zero_shot import Labels

if TYPE_CHECKING:
    from pyspark.sql import Column


@register_series_accessor("zsc")
class SeriesAccessor:
    """Zero-shot classification of a pandas-on-Spark Series of texts.

    The results have the Series' index and belong to its frame: they can be assigned as its
    columns, without ``compute.ops_on_diff_frames``.
    """

    def __init__(self, series: ps.Series) -> None:
        self._series = series

    def classify(
        self,
        labels: Labels,
        *,
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        prefilter: int | None = None,
        model: Model = None,
    ) -> ps.DataFrame:
        """The best label of each text, and its score.

        Parameters
        ----------
        labels : list of str, or dict of str to str
            Candidate labels; a dict gives each a description for its hypothesis.
        hypothesis_template : str
            Sentence with ``{}`` for the label.
        multi_label : bool
            Score each label by itself.
        prefilter : int or None
            Score only so many labels of each text, the nearest to it in meaning; see ``ZeroShot``.
        model : str, path, ModelSpec or None
            None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).

        Returns
        -------
        pyspark.pandas.DataFrame
            ``label`` (str) and ``score`` (float64), with the Series' index; missing where the
            text is null, empty or blank. Spark scores when the frame is used, each time anew:
            ``frame.spark.cache()`` keeps the scores.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong or the Series is not text; before any job.
        ModelNotFoundError
            If there is no such model; before any job.

        Examples
        --------
        >>> import pyspark.pandas as ps
        >>> import sparknlp_zs.spark.pandas
        >>> texts = ps.Series(["my card was stolen"])
        >>> found = texts.zsc.classify(["stolen card", "exchange rate"], model="starter")
        >>> found["label"].tolist()
        ['stolen card']
        """
        column = zs.classify(
            _text(self._series),
            labels,
            hypothesis_template=hypothesis_template,
            multi_label=multi_label,
            prefilter=prefilter,
            model=model,
        )
        return _frame(self._series, column, ["label", "score"])

    def scores(
        self,
        labels: Labels,
        *,
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        prefilter: int | None = None,
        model: Model = None,
    ) -> ps.DataFrame:
        """The score of every label: one float64 column per label, in the order given.

        Parameters, index and missing values are those of ``classify``.

        Examples
        --------
        >>> import pyspark.pandas as ps
        >>> import sparknlp_zs.spark.pandas
        >>> texts = ps.Series(["my card was stolen"])
        >>> texts.zsc.scores(["stolen card", "exchange rate"], model="starter").columns.tolist()
        ['stolen card', 'exchange rate']
        """
        task = ZeroShotScores(labels, hypothesis_template, multi_label, prefilter=prefilter)
        column = zs.score_column(task, [_text(self._series)], model)
        return _frame(self._series, column, list(task.labels))


@register_dataframe_accessor("zsc")
class DataFrameAccessor:
    """Natural language inference on two text columns of a pandas-on-Spark DataFrame."""

    def __init__(self, frame: ps.DataFrame) -> None:
        self._frame = frame

    def nli(self, premise: str, hypothesis: str, *, model: Model = None) -> ps.DataFrame:
        """Whether each premise entails its hypothesis.

        Parameters
        ----------
        premise, hypothesis : str
            Names of text columns.
        model : str, path, ModelSpec or None
            None is the default model.

        Returns
        -------
        pyspark.pandas.DataFrame
            ``label`` (str), ``score``, ``entailment``, ``neutral``, ``contradiction`` (float64),
            with the frame's index; missing where either text is null, empty or blank.

        Raises
        ------
        KeyError
            If a column is missing.
        TypeError
            If a column is not text.

        Examples
        --------
        >>> import pyspark.pandas as ps
        >>> import sparknlp_zs.spark.pandas
        >>> df = ps.DataFrame({"p": ["A man sleeps."], "h": ["A man is asleep."]})
        >>> df.zsc.nli("p", "h", model="starter")["label"].tolist()
        ['entailment']
        """
        first = self._column("premise", premise)
        second = self._column("hypothesis", hypothesis)
        column = zs.nli(_text(first), _text(second), model=model)
        return _frame(first, column, [field.name for field in NLI().result_type])

    def _column(self, argument: str, name: str) -> ps.Series:
        if name not in self._frame.columns:
            raise KeyError(
                f"{argument}={name!r}: no such column; the columns are "
                f"{list(self._frame.columns)[:20]}"
            )
        return self._frame[name]


def _text(series: ps.Series) -> Column:
    kind = series.spark.data_type.simpleString()
    if isinstance(series.dtype, _categorical()) or kind not in ("string", "void"):
        raise TypeError(
            f"Series {series.name!r} is not text (dtype {series.dtype}); "
            "convert it first, such as with .astype('str')"
        )
    return series.spark.column


def _categorical() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _frame(series: ps.Series, scored: Column, fields: list[str]) -> ps.DataFrame:
    """The struct's fields as columns beside the Series, so that they share its frame."""
    columns = {field: series.spark.transform(lambda _, x=field: scored[x]) for field in fields}
    return series.to_frame().assign(**columns)[fields]
