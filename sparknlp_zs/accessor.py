"""The pandas accessor ``.zsc``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from sparknlp_zs.accessor_calibration import SeriesCalibration
from sparknlp_zs.accessor_heads import FrameHeads, SeriesHeads
from sparknlp_zs.bars import bar
from sparknlp_zs.engine.cache import ScorerKey, default_device, folder_stamp, scorer_for
from sparknlp_zs.engine.combined import with_adapter
from sparknlp_zs.engine.precision import compute_dtype
from sparknlp_zs.models import Model, model_folder, model_spec, read_class_ids
from sparknlp_zs.tasks import (
    DEFAULT_TEMPLATE,
    NLI,
    FixedTask,
    ZeroShot,
    ZeroShotScores,
    named_tasks,
)
from sparknlp_zs.tasks.zero_shot import Labels

if TYPE_CHECKING:
    from sparknlp_zs.engine.scorer import Scorer

# A bar for work that takes seconds: fewer pairs than this are scored without one.
LONG_WORK_PAIRS = 500
BAR_STEP_PAIRS = 4096


@pd.api.extensions.register_series_accessor("zsc")
class SeriesAccessor(SeriesCalibration, SeriesHeads):
    """Zero-shot classification, its calibration, and task heads on a text Series."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def classify(
        self,
        labels: Labels,
        *,
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """The best label of each text, and its score.

        Parameters
        ----------
        labels : list of str, or dict of str to str
            Candidate labels; a dict gives each a description, which its hypothesis says instead.
        hypothesis_template : str
            Sentence with ``{}`` for the label.
        multi_label : bool
            Score each label by itself.
        model : str, path, ModelSpec or None
            None is the default model (``SPARKNLP_ZS_MODEL``, else the seed model).
        progress : bool
            A bar on work of more than a few seconds.

        Returns
        -------
        pandas.DataFrame
            ``label`` (str) and ``score`` (float64), with the Series' index; missing where the
            text is null, empty or blank.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong or the Series is not text.
        ModelNotFoundError
            If there is no such model.

        Examples
        --------
        >>> import pandas as pd, sparknlp_zs
        >>> texts = pd.Series(["my card was stolen", ""])
        >>> found = texts.zsc.classify(["stolen card", "exchange rate"], model="starter")
        >>> found["label"].fillna("").tolist()
        ['stolen card', '']
        """
        task = ZeroShot(labels, hypothesis_template, multi_label)
        result = _scored(task, [self._series], model, progress)
        return _frame(result, ["label", "score"], self._series.index)

    def scores(
        self,
        labels: Labels,
        *,
        hypothesis_template: str = DEFAULT_TEMPLATE,
        multi_label: bool = False,
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """The score of every label: one float64 column per label, in the order given.

        Parameters, index and missing values are those of ``classify``.

        Examples
        --------
        >>> import pandas as pd, sparknlp_zs
        >>> texts = pd.Series(["my card was stolen"])
        >>> texts.zsc.scores(["stolen card", "exchange rate"], model="starter").columns.tolist()
        ['stolen card', 'exchange rate']
        """
        task = ZeroShotScores(labels, hypothesis_template, multi_label)
        result = _scored(task, [self._series], model, progress)
        return _frame(result, list(task.labels), self._series.index)

    def annotate(
        self,
        tasks: Mapping[str, FixedTask] | None = None,
        /,
        *,
        model: Model = None,
        progress: bool = True,
        **named: FixedTask,
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
            Tasks by name, such as ``topic=ZeroShot([...])``; a name that is an argument here, or
            no identifier, goes into the mapping.

        Returns
        -------
        pandas.DataFrame
            With the Series' index. For a task ``topic`` with a best label: ``topic`` (str) and
            ``topic_score`` (float64). For ``ZeroShotScores``: ``topic_<label>`` for each label.
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
        task = named_tasks(tasks, named)
        parts = [(name, part, _wide_names(name, part)) for name, part in task.tasks]
        columns = [column for _, _, wide in parts for column in wide.values()]
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            raise ValueError(f"tasks: more than one column would be named {twice}; rename a task")
        result = _scored(task, [self._series], model, progress)
        found = dict(zip((name for name, _ in task.tasks), result.flatten(), strict=True))
        frames = [
            _frame(found[name], list(wide), self._series.index).set_axis(
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
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Whether each premise entails its hypothesis.

        Parameters
        ----------
        premise, hypothesis : str
            Names of text columns.
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
        task = NLI()
        result = _scored(task, series, model, progress)
        names = [field.name for field in task.result_type]
        return _frame(result, names, self._frame.index)

    def _column(self, argument: str, name: str) -> pd.Series:
        if name not in self._frame.columns:
            raise KeyError(
                f"{argument}={name!r}: no such column; the columns are "
                f"{list(self._frame.columns)[:20]}"
            )
        column = self._frame[name]
        if not isinstance(column, pd.Series):
            raise ValueError(f"{argument}={name!r}: more than one column has this name")
        return column


def _scored(
    task: FixedTask, texts: list[pd.Series], model: Model, progress: bool
) -> pa.ChunkedArray:
    columns = [_text_array(series) for series in texts]
    step = max(1, BAR_STEP_PAIRS // task.pairs_per_row)
    parts = _scorer(model).score_stream(task, _slices(columns, step), window_rows=step)
    rows = len(columns[0])
    return pa.chunked_array(
        list(_with_bar(parts, rows, progress and rows * task.pairs_per_row > LONG_WORK_PAIRS)),
        type=task.result_type,
    )


def _scorer(model: Model) -> Scorer:
    spec = model_spec(model)
    folder = model_folder(spec)
    read_class_ids(folder)
    folder = with_adapter(folder, spec)
    return scorer_for(
        ScorerKey(
            folder=folder,
            content=folder_stamp(folder),
            dtype=compute_dtype(spec.dtype, spec.device),
            device=spec.device or default_device(),
            max_length=spec.max_length,
        )
    )


def _wide_names(name: str, task: FixedTask) -> dict[str, str]:
    """The fields of a task's result that become columns, and the columns' names."""
    fields = [field.name for field in task.result_type]
    if isinstance(task, ZeroShotScores):
        return {field: f"{name}_{field}" for field in fields}
    return {"label": name, "score": f"{name}_score"}


def _text_array(series: pd.Series) -> pa.ChunkedArray:
    categorical = isinstance(series.dtype, pd.CategoricalDtype)
    values = series.astype("object") if categorical else series
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind not in ("string", "empty") and not values.isna().all():
        raise TypeError(
            f"Series {series.name!r} is not text but {kind} (dtype {series.dtype}); "
            "convert it first, such as with .astype('str')"
        )
    missing = values.isna().to_numpy(dtype=bool)
    return pa.chunked_array([pa.array(values.to_numpy(object), pa.large_string(), mask=missing)])


def _slices(columns: list[pa.ChunkedArray], step: int) -> Iterator[list[pa.ChunkedArray]]:
    for start in range(0, len(columns[0]), step):
        yield [column.slice(start, step) for column in columns]


def _with_bar(parts: Iterator[pa.Array], rows: int, show: bool) -> Iterator[pa.Array]:
    if not show:
        yield from parts
        return
    with bar(rows, "row") as shown:
        for part in parts:
            shown.update(len(part))
            yield part


def _frame(result: pa.ChunkedArray, names: list[str], index: pd.Index) -> pd.DataFrame:
    fields = [field.name for field in result.type]
    table = pa.table(dict(zip(fields, result.flatten(), strict=True)))
    frame: pd.DataFrame = table.select(names).to_pandas()
    return frame.set_axis(index, axis=0)
