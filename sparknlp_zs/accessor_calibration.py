"""Calibration in the pandas accessor ``.zsc``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import pandas as pd

from sparknlp_zs.accessor_scoring import text_array
from sparknlp_zs.models import Model
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.tasks.calibration import (
    SAMPLE_ROWS,
    check_calibration,
    check_sample_rows,
    usable_texts,
)

T = TypeVar("T", bound=ZeroShot)


class SeriesCalibration:
    """Calibration of a task on a text Series."""

    _series: pd.Series

    def calibrate(
        self,
        task: T,
        *,
        model: Model = None,
        prior: Mapping[str, float] | None = None,
        strength: float | None = None,
        sample_rows: int = SAMPLE_ROWS,
        seed: int = 0,
    ) -> T:
        """The task with biases that take away what its labels' words alone decide.

        ``ZeroShot.calibrated`` on a sample of the Series; its docstring says what is done.

        Parameters
        ----------
        task : ZeroShot
        model, prior, strength
            As for ``ZeroShot.calibrated``.
        sample_rows : int
            So many texts are drawn, without replacement; all, if there are no more. Null, empty
            and blank ones are left out before.
        seed : int
            Of the draw.

        Returns
        -------
        ZeroShot
            A new task, of the given one's type.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, the Series is not text or has fewer than 20 texts.
        ModelNotFoundError
            If there is no such model.

        Examples
        --------
        >>> from sparknlp_zs import ZeroShot
        >>> from sparknlp_zs.samples import messages
        >>> task = ZeroShot(["exchange rate", "lost or stolen card", "request refund"])
        >>> texts = messages()["text"]
        >>> fair = texts.zsc.calibrate(task, model="starter", sample_rows=30)
        >>> fair.labels == task.labels, len(fair.label_bias)
        (True, 3)
        """
        check_calibration(task, prior, strength)
        check_sample_rows(sample_rows)
        texts = usable_texts(text_array(self._series))
        if len(texts) > sample_rows:
            drawn = np.random.default_rng(seed).choice(len(texts), sample_rows, replace=False)
            texts = [texts[at] for at in drawn]
        return task.calibrated(texts, model=model, prior=prior, strength=strength)
