"""How a fine-tuning is optimised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real

from sparknlp_zs.models import AUTO, DTYPES
from sparknlp_zs.tasks.checks import checked_flag

STYLES = ("entailment", "head")
MONITORS = ("loss", "accuracy")

# The first was measured on the starter model (docs/fine-tuning.md); that of a head is a guess
# which learns small sets.
LEARNING_RATES = {"entailment": 1e-4, "head": 3e-4}
EPOCHS = {"entailment": 5, "head": 20}
FEWEST_STEPS = 40
SMALLEST_INTERVAL = 50


@dataclass(frozen=True)
class FinetuneSettings:
    """Optimisation settings of ``finetune``.

    Parameters
    ----------
    epochs : float or None
        Passes over the training rows. None: 5 for the style "entailment", 20 for "head", and more
        where these are fewer than 40 steps.
    max_steps : int or None
        Optimizer steps; given, ``epochs`` has no say.
    batch_size : int
        Texts per optimizer step, over all processes: their number does not change the model.
    learning_rate : float or None
        Peak of AdamW's rate, reached after ``warmup`` of the steps, linear to zero from there.
        None: 1e-4 for the style "entailment", 3e-4 for "head". These suit the small starter
        model; models of the size of BERT-base are usually trained at 2e-5 to 5e-5.
    weight_decay, warmup : float
    negatives : int
        Wrong labels beside the true one of each text, at most; style "entailment" only.
    tokens_per_batch : int
        Bound of the tokens in one forward pass, padding included; a step makes as many passes as
        it needs. It bounds memory, and does not change the model.
    max_length : int
        Longest input in tokens; the model's own limit also holds.
    evaluation_steps : int or None
        Steps between checkpoints, and evaluations if there are validation rows. None: one epoch,
        but at least 50 steps.
    patience : int or None
        Stop after so many evaluations without a better one; needs validation rows.
    monitor : {"loss", "accuracy"}
        What "better" means, on the validation rows. The best model is the one kept.
    bf16 : bool
        Compute in bfloat16 where it is safe (autocast); weights stay float32.
    save_dtype : {"float32", "bfloat16", "float16"}
        Type of the saved weights.
    seed : int
    use_cpu : bool
        Train on the CPU also where there is a GPU.

    Raises
    ------
    ValueError
        If a value is out of its range; the message names it.

    Examples
    --------
    >>> FinetuneSettings(epochs=2, batch_size=32).steps(rows=100, style="head")
    7
    """

    epochs: float | None = None
    max_steps: int | None = None
    batch_size: int = 16
    learning_rate: float | None = None
    weight_decay: float = 0.01
    warmup: float = 0.1
    negatives: int = 7
    tokens_per_batch: int = 8192
    max_length: int = 256
    evaluation_steps: int | None = None
    patience: int | None = None
    monitor: str = "loss"
    bf16: bool = False
    save_dtype: str = "float32"
    seed: int = 0
    use_cpu: bool = False

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not (_is_number(value, Integral) and value >= least):
                raise ValueError(f"{name}={value!r}: give an integer of at least {least}")
            object.__setattr__(self, name, int(value))  # numpy's are no JSON
        if self.seed >= 2**32:
            raise ValueError(f"seed={self.seed}: give an integer below 2**32")
        for name in ("epochs", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value, Real) and 0 < value < math.inf):
                raise ValueError(f"{name}={value!r}: give a positive number")
        if not (_is_number(self.warmup, Real) and 0 <= self.warmup < 1):
            raise ValueError(f"warmup={self.warmup!r}: give a part of the steps, from 0 to below 1")
        for name in ("bf16", "use_cpu"):
            checked_flag(name, getattr(self, name))
        if not (_is_number(self.weight_decay, Real) and self.weight_decay >= 0):
            raise ValueError(f"weight_decay={self.weight_decay!r}: give a number of at least 0")
        if self.monitor not in MONITORS:
            raise ValueError(f"monitor={self.monitor!r}: use one of {list(MONITORS)}")
        types = [name for name in DTYPES if name != AUTO]
        if self.save_dtype not in types:
            raise ValueError(f"save_dtype={self.save_dtype!r}: use one of {types}")

    def steps(self, rows: int, style: str) -> int:
        """Optimizer steps of a training on so many rows."""
        if self.max_steps is not None:
            return self.max_steps
        in_epoch = rows / self.texts_per_step(rows)
        if self.epochs is not None:
            return math.ceil(self.epochs * in_epoch)
        return max(math.ceil(EPOCHS[style] * in_epoch), FEWEST_STEPS)

    def texts_per_step(self, rows: int) -> int:
        """Texts of a step: ``batch_size``, or all rows if they are fewer."""
        return min(self.batch_size, rows)

    def interval(self, rows: int) -> int:
        """Steps from one checkpoint and evaluation to the next."""
        if self.evaluation_steps is not None:
            return self.evaluation_steps
        return max(math.ceil(rows / self.texts_per_step(rows)), SMALLEST_INTERVAL)

    def rate(self, style: str) -> float:
        """The peak learning rate."""
        return LEARNING_RATES[style] if self.learning_rate is None else self.learning_rate


# Lowest values of the integers.
_LEAST = {
    "max_steps": 1,
    "batch_size": 1,
    "negatives": 1,
    "tokens_per_batch": 1,
    "max_length": 16,
    "evaluation_steps": 1,
    "patience": 1,
    "seed": 0,
}


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
