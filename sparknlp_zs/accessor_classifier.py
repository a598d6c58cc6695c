"""Trained classifiers in the pandas accessor ``.zsc``."""

from __future__ import annotations

import pandas as pd

from sparknlp_zs.accessor_scoring import as_frame, scored_texts
from sparknlp_zs.classifiers import ClassifierModel, classifier_of, read_classifier
from sparknlp_zs.tasks import ClassifierScores


class SeriesClassifier:
    """Models that were trained on classes of their own, on a text Series."""

    _series: pd.Series

    def predict(self, model: ClassifierModel, *, progress: bool = True) -> pd.DataFrame:
        """The likeliest class of each text, by a model that was trained on these classes.

        Parameters
        ----------
        model : str, path or ModelSpec
            Folder or hub id of a sequence classifier in Hugging Face's format, as a fine-tuning
            saves it. Its ``id2label`` names the classes.
        progress : bool
            A bar on work of more than a few seconds.

        Returns
        -------
        pandas.DataFrame
            ``label`` (str) and ``score`` (float64), with the Series' index: the likeliest class
            and its probability, a softmax over the classes, or the sigmoid of the class alone if
            the model's ``problem_type`` is "multi_label_classification". Missing where the text is
            null, empty or blank. Long texts are cut as by ``tokenizer(text, truncation=True)``.

        Raises
        ------
        TypeError, ValueError
            If the Series is not text, or the model is no classifier, a regression or an NLI model.
        ModelNotFoundError
            If there is no such model.

        Examples
        --------
        With ``model`` the folder of a classifier of moods:

        >>> texts = pd.Series(["a fine film", ""])
        >>> found = texts.zsc.predict(model)
        >>> found["label"].isin(["sad", "neutral", "glad"]).tolist()
        [True, False]
        """
        task, spec = classifier_of(model)
        result = scored_texts(task, [self._series], spec, progress, read_classifier)
        return as_frame(result, ["label", "score"], self._series.index)

    def predict_scores(self, model: ClassifierModel, *, progress: bool = True) -> pd.DataFrame:
        """The probability of every class: one float64 column per class, in the model's order.

        Parameters, index and missing values are those of ``predict``.

        Examples
        --------
        With ``model`` the folder of a classifier of moods:

        >>> pd.Series(["a fine film"]).zsc.predict_scores(model).columns.tolist()
        ['sad', 'neutral', 'glad']
        """
        found, spec = classifier_of(model)
        task = ClassifierScores(found.labels, found.multi_label)
        result = scored_texts(task, [self._series], spec, progress, read_classifier)
        return as_frame(result, list(task.labels), self._series.index)
