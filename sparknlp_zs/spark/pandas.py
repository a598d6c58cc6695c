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

from sparknlp_zs.classifiers import ClassifierModel, classifier_of
from sparknlp_zs.models import Model
from sparknlp_zs.spark import classifier
from sparknlp_zs.spark import functions as zs
from sparknlp_zs.spark.names import is_string
from sparknlp_zs.tasks import NLI, TRUNCATE, LongText
from sparknlp_zs.tasks.arguments import LabelsOrTask, scores_task
from sparknlp_zs.tasks.checks import Templates, Threshold

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
        labels: LabelsOrTask,
        *,
        hypothesis_template: Templates | None = None,
        multi_label: bool | None = None,
        threshold: Threshold | None = None,
        long_text: LongText | None = None,
        prefilter: int | None = None,
        model: Model = None,
    ) -> ps.DataFrame:
        """The best label of each text, and its score.

        Parameters
        ----------
        labels : list of str, dict, ZeroShot or Hierarchy
            Candidate labels; a dict from label to description says this in the hypothesis; a dict
            from label to a list of labels is a ``Hierarchy``. A ``ZeroShot`` or ``Hierarchy`` has
            the other options too, which are then not given here.
        hypothesis_template : str or list of str, optional
            Sentence with ``{}`` for the label, or several; "This example is {}." if not given.
        multi_label : bool, optional
            True: score each label by itself.
        threshold : float, or dict of str to float, optional
            From 0 to 1, for all labels or for each. The best label is missing where no score
            reaches its threshold; its score is given all the same.
        long_text : {"truncate", "chunk"} or Chunks, optional
            What becomes of a text that does not fit beside its hypotheses: it is cut at the end,
            or scored in chunks. "truncate" if not given.
        prefilter : int, optional
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
            threshold=threshold,
            long_text=long_text,
            prefilter=prefilter,
            model=model,
        )
        return _frame(self._series, column, ["label", "score"])

    def scores(
        self,
        labels: LabelsOrTask,
        *,
        hypothesis_template: Templates | None = None,
        multi_label: bool | None = None,
        long_text: LongText | None = None,
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
        task = scores_task(
            labels,
            hypothesis_template=hypothesis_template,
            multi_label=multi_label,
            long_text=long_text,
            prefilter=prefilter,
        )
        column = zs.score_column(task, [_text(self._series)], model)
        return _frame(self._series, column, list(task.labels))

    def predict(self, model: ClassifierModel) -> ps.DataFrame:
        """The likeliest class of each text, by a model that was trained on these classes.

        Parameters
        ----------
        model : str, path or ModelSpec
            Folder or hub id of a sequence classifier in Hugging Face's format.

        Returns
        -------
        pyspark.pandas.DataFrame
            ``label`` (str) and ``score`` (float64), as from ``classify``.

        Raises
        ------
        TypeError, ValueError
            If the Series is not text, or the model is no classifier; before any job.
        ModelNotFoundError
            If there is no such model; before any job.

        Examples
        --------
        With ``model`` the folder of a classifier of moods:

        >>> import pyspark.pandas as ps
        >>> import sparknlp_zs.spark.pandas
        >>> found = ps.Series(["a fine film"]).zsc.predict(model)
        >>> found["label"].isin(["sad", "neutral", "glad"]).tolist()
        [True]
        """
        return _frame(
            self._series, classifier.predict(_text(self._series), model), ["label", "score"]
        )

    def predict_scores(self, model: ClassifierModel) -> ps.DataFrame:
        """The probability of every class: one float64 column per class, in the model's order.

        Parameters, index and missing values are those of ``predict``.

        Examples
        --------
        With ``model`` the folder of a classifier of moods:

        >>> import pyspark.pandas as ps
        >>> import sparknlp_zs.spark.pandas
        >>> ps.Series(["a fine film"]).zsc.predict_scores(model).columns.tolist()
        ['sad', 'neutral', 'glad']
        """
        column = classifier.predict_scores(_text(self._series), model)
        return _frame(self._series, column, list(classifier_of(model)[0].labels))


@register_dataframe_accessor("zsc")
class DataFrameAccessor:
    """Natural language inference on two text columns of a pandas-on-Spark DataFrame."""

    def __init__(self, frame: ps.DataFrame) -> None:
        self._frame = frame

    def nli(
        self,
        premise: str,
        hypothesis: str,
        *,
        long_text: LongText = TRUNCATE,
        model: Model = None,
    ) -> ps.DataFrame:
        """Whether each premise entails its hypothesis.

        Parameters
        ----------
        premise, hypothesis : str
            Names of text columns.
        long_text : {"truncate", "chunk"} or Chunks
            What becomes of pairs that are too long. "truncate": the longer text is cut first.
            "chunk": the premise is scored in chunks of at least half of the tokens, and the
            hypothesis cut to what they leave.
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
        column = zs.nli(_text(first), _text(second), long_text=long_text, model=model)
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
    if isinstance(series.dtype, _categorical()) or not (is_string(kind) or kind == "void"):
        raise TypeError(
            f"Series {series.name!r} is not text (dtype {series.dtype}); "
            "convert it first, such as with .astype('string')"
        )
    return series.spark.column


def _categorical() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _frame(series: ps.Series, scored: Column, fields: list[str]) -> ps.DataFrame:
    """The struct's fields as columns beside the Series, so that they share its frame."""
    columns = {field: series.spark.transform(lambda _, x=field: scored[x]) for field in fields}
    return series.to_frame().assign(**columns)[fields]
