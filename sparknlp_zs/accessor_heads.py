"""Task heads in the pandas accessor ``.zsc``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sparknlp_zs.accessor_scoring import as_frame, scored, scored_texts, text_array
from sparknlp_zs.engine.adapters import adapter_tasks, resolve_head
from sparknlp_zs.models import Model
from sparknlp_zs.tasks import ChoiceTask, HeadTask, PairHeadTask, TaskHead
from sparknlp_zs.tasks.checks import half_character, is_unicode
from sparknlp_zs.tasks.heads import CHOICES, PAIR


class TaskListing:
    """What both accessors have."""

    def tasks(self, model: Model = None, search: str | None = None) -> pd.DataFrame:
        """The tasks of a model's adapter, one a row.

        Parameters
        ----------
        model : str, path, ModelSpec or None
            None is the default model.
        search : str or None
            Words that must all occur in a task's name, kind or labels.

        Returns
        -------
        pandas.DataFrame
            ``name``, ``index``, ``outputs``, ``kind``, ``labels``: the fields of ``AdapterTask``.

        Raises
        ------
        ModelNotFoundError
            If the model has no adapter.

        Examples
        --------
        With ``model`` a DeBERTa that has an adapter:

        >>> pd.DataFrame().zsc.tasks(model, search="sst2")["labels"].tolist()
        [('negative', 'positive')]
        """
        found = adapter_tasks(model, search)
        columns = ["name", "index", "outputs", "kind", "labels"]
        rows = [[getattr(task, name) for name in columns] for task in found]
        return pd.DataFrame(rows, columns=columns)


class SeriesHeads(TaskListing):
    """Task heads on a text Series."""

    _series: pd.Series

    def task(
        self, name: str, *, kind: str | None = None, model: Model = None, progress: bool = True
    ) -> pd.DataFrame:
        """Score a ready-made task head on each text.

        Parameters
        ----------
        name : str
            A task of the model's adapter, such as "glue/sst2"; ``tasks`` lists them.
        kind : {"classification", "regression"} or None
            None reads it from the adapter.
        model : str, path, ModelSpec or None
            None is the default model. Its adapter is found by the model's name, or given as
            ``ModelSpec(model, adapter=...)``.
        progress : bool
            A bar on work of more than a few seconds.

        Returns
        -------
        pandas.DataFrame
            ``label`` (str) and ``score`` (float64), with the Series' index: the likeliest class
            and its probability, or for a regression no label and the value. Missing where the
            text is null, empty or blank.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, the adapter lacks the task or does not fit the model.
        ModelNotFoundError
            If there is no such model or no adapter.

        Examples
        --------
        With ``model`` a DeBERTa that has an adapter:

        >>> texts = pd.Series(["a fine film", ""])
        >>> found = texts.zsc.task("glue/sst2", model=model)
        >>> found["label"].isin(["negative", "positive"]).tolist()
        [True, False]
        """
        head, spec = resolve_head(TaskHead(name, kind), model)
        result = scored_texts(HeadTask(head), [self._series], spec, progress)
        return as_frame(result, ["label", "score"], self._series.index)


class FrameHeads(TaskListing):
    """Task heads on columns of a DataFrame."""

    _frame: pd.DataFrame

    def task(
        self,
        name: str,
        text: str,
        text_pair: str | None = None,
        *,
        choices: str | None = None,
        kind: str | None = None,
        model: Model = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Score a ready-made task head on texts, pairs of texts, or texts with choices.

        Parameters
        ----------
        name : str
            A task of the model's adapter, such as "glue/mrpc".
        text, text_pair : str
            Names of text columns, in the task's order.
        choices : str or None
            Name of a column of lists of strings, for a multiple-choice task.
        kind : {"classification", "regression", "multiple_choice"} or None
            None reads it from the adapter.
        model, progress
            As in the Series' ``task``.

        Returns
        -------
        pandas.DataFrame
            ``label`` and ``score``, with the frame's index: the likeliest class, or the best
            choice, and its probability; for a regression no label and the value. Missing where
            any of the texts or choices is null, empty or blank, or there are no choices.

        Raises
        ------
        KeyError
            If a column is missing.
        TypeError, ValueError
            If an argument is wrong, the adapter lacks the task or does not fit the model.
        ModelNotFoundError
            If there is no such model or no adapter.

        Examples
        --------
        With ``model`` a DeBERTa that has an adapter:

        >>> df = pd.DataFrame({"a": ["A man sleeps."], "b": [["asleep", "awake"]]})
        >>> found = df.zsc.task("swag/regular", "a", choices="b", model=model)
        >>> found["label"].isin(["asleep", "awake"]).tolist()
        [True]
        """
        if text_pair is not None and choices is not None:
            raise ValueError(f"text_pair={text_pair!r}, choices={choices!r}: pass one of them")
        columns = [self._column("text", text)]
        if choices is not None:
            lists = choice_array(self._column("choices", choices))
            head, spec = resolve_head(TaskHead(name, kind, CHOICES), model)
            arrays, pairs = [text_array(columns[0]), lists], len(lists.flatten())
            result = scored(ChoiceTask(head), arrays, pairs, spec, progress)
        elif text_pair is not None:
            columns.append(self._column("text_pair", text_pair))
            head, spec = resolve_head(TaskHead(name, kind, PAIR), model)
            result = scored_texts(PairHeadTask(head), columns, spec, progress)
        else:
            head, spec = resolve_head(TaskHead(name, kind), model)
            result = scored_texts(HeadTask(head), columns, spec, progress)
        return as_frame(result, ["label", "score"], self._frame.index)

    def _column(self, argument: str, name: str) -> pd.Series:
        if name not in self._frame.columns:
            raise KeyError(
                f"{argument}={name!r}: no such column; the columns are "
                f"{list(self._frame.columns)[:20]}"
            )
        column = self._frame[name]
        if not isinstance(column, pd.Series):
            raise ValueError(
                f"{argument}={name!r}: more than one column has this name; rename them, or drop "
                "all but one"
            )
        return column


def choice_array(series: pd.Series) -> pa.Array:
    """A Series of lists of strings as Arrow; missing values, also within lists, are null.

    Examples
    --------
    >>> choice_array(pd.Series([["a", None], None, ("b",)])).to_pylist()
    [['a', None], None, ['b']]
    """
    rows = [_choices(row, f"Series {series.name!r}") for row in series]
    return pa.array(rows, pa.list_(pa.string()))


def _choices(row: Any, place: str) -> list[str | None] | None:
    if isinstance(row, list | tuple | np.ndarray):
        return [_choice(text, place) for text in row]
    if pd.api.types.is_scalar(row) and pd.isna(row):
        return None
    raise TypeError(
        f"{place} has {type(row).__name__} values; choices are lists of strings, such as "
        "['yes', 'no']"
    )


def _choice(text: Any, place: str) -> str | None:
    if isinstance(text, str):
        if not is_unicode(text):
            raise half_character(f"{place}: {text[:40]!r}", "replace it")
        return text
    if pd.api.types.is_scalar(text) and pd.isna(text):
        return None
    raise TypeError(
        f"{place} has lists of {type(text).__name__} values; choices are lists of strings"
    )
