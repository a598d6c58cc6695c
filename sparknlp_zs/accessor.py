"""The pandas accessor ``.zsc``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import pandas as pd

from sparknlp_zs.accessor_calibration import SeriesCalibration
from sparknlp_zs.accessor_classifier import SeriesClassifier
from sparknlp_zs.accessor_heads import FrameHeads, SeriesHeads
from sparknlp_zs.accessor_row_labels import classified_rows, is_row_labels
from sparknlp_zs.accessor_scoring import as_frame, scored_texts
from sparknlp_zs.engine.adapters import annotation_with_heads
from sparknlp_zs.models import Model
from sparknlp_zs.tasks import (
    NLI,
    TRUNCATE,
    FixedTask,
    HierarchyScores,
    LongText,
    NamedTask,
    ZeroShotScores,
)
from sparknlp_zs.tasks.arguments import (
    LabelsOrTask,
    classify_task,
    row_labels_task,
    scores_task,
)
from sparknlp_zs.tasks.checks import Templates, Threshold


@pd.api.extensions.register_series_accessor("zsc")
class SeriesAccessor(SeriesCalibration, SeriesHeads, SeriesClassifier):
    """Zero-shot classification, its calibration, classifiers and task heads on a text Series."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def classify(
        self,
        labels: LabelsOrTask | pd.Series,
        *,
        hypothesis_template: Templates | None = None,
        multi_label: bool | None = None,
        threshold: Threshold | None = None,
        long_text: LongText | None = None,
        prefilter: int | None = None,
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """The best label of each text, and its score.

        Parameters
        ----------
        labels : list of str, dict, ZeroShot, Hierarchy or Series
            Candidate labels; a dict from label to description says this in the hypothesis; a dict
            from label to a list of labels is a ``Hierarchy``. A ``ZeroShot`` or ``Hierarchy`` has
            the other options too, which are then not given here. A Series of lists, or of dicts
            from label to description, gives each text its own labels.
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
        progress : bool
            A bar on work of more than a few seconds.

        Returns
        -------
        pandas.DataFrame
            ``label`` (str) and ``score`` (float64), with the Series' index; missing where the
            text is null, empty or blank, or has no labels.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong or given beside a task, or the Series is not text.
        ModelNotFoundError
            If there is no such model.

        Examples
        --------
        >>> import pandas as pd, sparknlp_zs
        >>> texts = pd.Series(["my card was stolen", ""])
        >>> found = texts.zsc.classify(["stolen card", "exchange rate"], model="starter")
        >>> found["label"].fillna("").tolist()
        ['stolen card', '']
        >>> own = pd.Series([["stolen card", "exchange rate"], ["greeting"]])
        >>> texts.zsc.classify(own, model="starter")["label"].fillna("").tolist()
        ['stolen card', '']
        """
        if is_row_labels(labels):
            task, flag = row_labels_task(
                hypothesis_template=hypothesis_template,
                multi_label=multi_label,
                threshold=threshold,
                long_text=long_text,
                prefilter=prefilter,
            )
            return classified_rows(self._series, labels, task, flag, model, progress)
        shared = classify_task(
            labels,
            hypothesis_template=hypothesis_template,
            multi_label=multi_label,
            threshold=threshold,
            long_text=long_text,
            prefilter=prefilter,
        )
        result = scored_texts(shared, [self._series], model, progress)
        return as_frame(result, ["label", "score"], self._series.index)

    def scores(
        self,
        labels: LabelsOrTask,
        *,
        hypothesis_template: Templates | None = None,
        multi_label: bool | None = None,
        long_text: LongText | None = None,
        prefilter: int | None = None,
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """The score of every label: one float64 column per label, in the order given.

        Parameters, index and missing values are those of ``classify``. Leaves of a ``Hierarchy``
        that were not scored have 0.0.

        Examples
        --------
        >>> import pandas as pd, sparknlp_zs
        >>> texts = pd.Series(["my card was stolen"])
        >>> texts.zsc.scores(["stolen card", "exchange rate"], model="starter").columns.tolist()
        ['stolen card', 'exchange rate']
        """
        if is_row_labels(labels):
            raise TypeError(
                "labels: a Series of labels for each row; scores has one column per label, which "
                "all rows share: pass a list, or use classify"
            )
        task = scores_task(
            labels,
            hypothesis_template=hypothesis_template,
            multi_label=multi_label,
            long_text=long_text,
            prefilter=prefilter,
        )
        result = scored_texts(task, [self._series], model, progress)
        return as_frame(result, list(task.labels), self._series.index)

    def annotate(
        self,
        tasks: Mapping[str, NamedTask] | None = None,
        /,
        *,
        model: Model = None,
        progress: bool = True,
        **named: NamedTask,
    ) -> pd.DataFrame:
        """Several tasks at once: each text is tokenised once, and all share one pass.

        Parameters
        ----------
        tasks : mapping of str to task, optional
            Names and their tasks, each over one text column.
        model : str, path, ModelSpec or None
            None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).
        progress : bool
            A bar on work of more than a few seconds.
        **named : task
            Tasks by name, such as ``topic=ZeroShot([...])`` or ``mood=TaskHead("glue/sst2")``; a
            name that is an argument here, or no identifier, goes into the mapping.

        Returns
        -------
        pandas.DataFrame
            With the Series' index. For a task ``topic`` with a best label: ``topic`` (str) and
            ``topic_score`` (float64). For ``ZeroShotScores`` and ``HierarchyScores``:
            ``topic_<label>`` for each label.
            Missing where the text is null, empty or blank.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or two columns would have one name.

        Examples
        --------
        >>> import pandas as pd, sparknlp_zs
        >>> from sparknlp_zs import ZeroShot, ZeroShotScores
        >>> found = pd.Series(["my card was stolen"]).zsc.annotate(
        ...     topic=ZeroShot(["stolen card", "exchange rate"]),
        ...     is_=ZeroShotScores(["urgent", "polite"], multi_label=True),
        ...     model="starter",
        ... )
        >>> found.columns.tolist()
        ['topic', 'topic_score', 'is__urgent', 'is__polite']
        """
        task, model = annotation_with_heads(tasks, named, model)
        parts = [(name, part, _wide_names(name, part)) for name, part in task.tasks]
        columns = [column for _, _, wide in parts for column in wide.values()]
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            raise ValueError(f"tasks: more than one column would be named {twice}; rename a task")
        result = scored_texts(task, [self._series], model, progress)
        found = result.fields()
        frames = [
            as_frame(found[name], list(wide), self._series.index).set_axis(
                list(wide.values()), axis=1
            )
            for name, _, wide in parts
        ]
        return pd.concat(frames, axis=1)


@pd.api.extensions.register_dataframe_accessor("zsc")
class DataFrameAccessor(FrameHeads):
    """Natural language inference and task heads on text columns of a DataFrame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def nli(
        self,
        premise: str,
        hypothesis: str,
        *,
        long_text: LongText = TRUNCATE,
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
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
            None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).
        progress : bool
            A bar on work of more than a few seconds.

        Returns
        -------
        pandas.DataFrame
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
        >>> import pandas as pd, sparknlp_zs
        >>> df = pd.DataFrame({"p": ["A man sleeps."], "h": ["A man is asleep."]})
        >>> df.zsc.nli("p", "h", model="starter")["label"].tolist()
        ['entailment']
        """
        series = [
            self._column("premise", premise),
            self._column("hypothesis", hypothesis),
        ]
        task = NLI(long_text=long_text)
        result = scored_texts(task, series, model, progress)
        names = [field.name for field in task.result_type]
        return as_frame(result, names, self._frame.index)

    def __getattr__(self, name: str) -> NoReturn:
        # Also where df["text"] gives a frame, since several columns have this name.
        if name.startswith("_") or not hasattr(SeriesAccessor, name):
            raise AttributeError(f"'.zsc' of a DataFrame has no attribute {name!r}")
        columns = list(self._frame.columns)
        twice = sorted({str(x) for x in columns if columns.count(x) > 1})
        remedy = f"take one column, such as df['text'].zsc.{name}(...)"
        if twice:
            remedy = f"several columns are named {twice}: rename them first"
        raise AttributeError(f"{name} is for a Series of texts, not for a DataFrame; {remedy}")


def _wide_names(name: str, task: FixedTask) -> dict[str, str]:
    """The fields of a task's result that become columns, and the columns' names."""
    fields = [field.name for field in task.result_type]
    if isinstance(task, ZeroShotScores | HierarchyScores):
        return {field: f"{name}_{field}" for field in fields}
    return {"label": name, "score": f"{name}_score"}
