"""`transformers.Trainer` on pair batches, bounded by steps or by the clock."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from sparknlp_zs.engine.encoding import PairEncoder
from sparknlp_zs.engine.precision import warn_if_emulated
from sparknlp_zs.training.batches import PairBatches
from sparknlp_zs.training.data import Draw
from sparknlp_zs.training.objective import pair_loss

logger = logging.getLogger(__name__)

ID2LABEL = {0: "entailment", 1: "neutral", 2: "contradiction"}
WARMUP = 0.03
# On a CPU the backward pass of fused attention loses up to this length: 32 tokens 1.7 times slower.
EAGER_LENGTH = 128


@dataclass(frozen=True)
class Budget:
    """When training ends: after ``steps``, or after ``minutes`` if given (not both)."""

    steps: int = 1000
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps={self.steps}: give at least 1")
        if self.minutes is not None and self.minutes <= 0:
            raise ValueError(f"minutes={self.minutes}: give a positive time")


@dataclass(frozen=True)
class Hyperparameters:
    """Optimisation settings; the defaults are the starter model's."""

    learning_rate: float = 1.5e-4
    weight_decay: float = 0.01
    tokens_per_batch: int = 4096
    max_length: int = 256
    bf16: bool = False
    save_dtype: str = "float32"
    seed: int = 0
    dropout: float = 0.0
    frozen_layers: int = 0
    save_steps: int = 1000
    eval_steps: int = 1000

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: give a share from 0 to below 1")
        if self.frozen_layers < 0:
            raise ValueError(f"frozen_layers={self.frozen_layers}: give 0 or a number of layers")


class Clock(TrainerCallback):
    """Progress of the budget, 0 to 1; stops the training at 1."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._start = time.monotonic()

    def progress(self, step: int) -> float:
        if self._budget.minutes is None:
            return min(1.0, step / self._budget.steps)
        return min(1.0, (time.monotonic() - self._start) / (60 * self._budget.minutes))

    def learning_rate(self, step: int) -> float:
        """Factor of the peak rate: linear warm-up, then linear to zero."""
        done = self.progress(step)
        return min(done / WARMUP, (1.0 - done) / (1.0 - WARMUP))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        if self.progress(state.global_step) >= 1.0:
            control.should_training_stop = True
        return control


class PairTrainer(Trainer):
    """A Trainer whose datasets yield whole batches and whose loss is ``pair_loss``."""

    def __init__(self, *args: Any, clock: Clock, **kwargs: Any) -> None:
        self._clock = clock
        super().__init__(*args, callbacks=[clock], **kwargs)

    def get_train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader(self.train_dataset, batch_size=None)  # type: ignore[arg-type]

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        return torch.utils.data.DataLoader(eval_dataset or self.eval_dataset, batch_size=None)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer, self._clock.learning_rate
        )
        return self.lr_scheduler

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        inputs = dict(inputs)
        labels, groups = inputs.pop("labels"), inputs.pop("groups")
        targets, row_targets = inputs.pop("targets"), inputs.pop("row_targets")
        eager = inputs["input_ids"].shape[1] <= EAGER_LENGTH and self.args.use_cpu
        model.set_attn_implementation("eager" if eager else "sdpa")
        outputs = model(**inputs)
        loss = pair_loss(outputs.logits, labels, groups, targets, row_targets)
        return (loss, outputs) if return_outputs else loss

    def prediction_step(
        self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, self._prepare_inputs(inputs))
        return loss.detach(), None, None


def new_model(base: str, dropout: float = 0.0) -> tuple[Any, Any]:
    """The base encoder, with a new three-way head if it has none, and its tokenizer.

    Dropout in the hidden layers is off unless asked for: where no example is seen more than about
    twice it gains nothing, and on a CPU the random numbers alone took a seventh of a step.
    """
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        num_labels=len(ID2LABEL),
        id2label=ID2LABEL,
        label2id={name: i for i, name in ID2LABEL.items()},
        dtype=torch.float32,
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=dropout,
    )
    return model, tokenizer


def freeze(model: Any, layers: int) -> None:
    """Keep the embeddings, the first layers and what all layers share; 0 freezes nothing.

    No backward pass goes through them, which saves two thirds of their time.
    """
    if not layers:
        return
    base = model.base_model
    blocks = base.encoder.layer
    if layers > len(blocks):
        raise ValueError(f"frozen_layers={layers}: the model has {len(blocks)}")
    base.embeddings.requires_grad_(False)
    # With it go relative positions, which the first layers' attention depends on too.
    base.encoder.requires_grad_(False)
    for block in blocks[layers:]:
        block.requires_grad_(True)


def train(
    base: str,
    draw_train: Draw,
    draw_eval: Draw,
    output: Path,
    budget: Budget,
    settings: Hyperparameters,
    resume: bool = False,
) -> dict[str, float]:
    """Fine-tune ``base`` and save model and tokenizer in ``output``.

    Parameters
    ----------
    base : str
        Folder of the base encoder.
    draw_train, draw_eval : callable
        ``draw(rng)`` gives a list of ``Example`` for one epoch.
    output : Path
        Folder for the model; ``output/checkpoints`` holds the checkpoints.
    budget : Budget
    settings : Hyperparameters
    resume : bool
        Go on from the newest checkpoint.

    Returns
    -------
    dict of str to float
        The Trainer's last evaluation on ``draw_eval``, and steps.
    """
    torch.manual_seed(settings.seed)
    model, tokenizer = new_model(base, settings.dropout)
    freeze(model, settings.frozen_layers)
    encoder = PairEncoder(tokenizer, settings.max_length)
    tokens = settings.tokens_per_batch
    clock = Clock(budget)
    arguments = _arguments(output, budget, settings)
    if settings.bf16:
        warn_if_emulated("bfloat16", arguments.device.type)
    trainer = PairTrainer(
        model=model,
        args=arguments,
        train_dataset=PairBatches(encoder, draw_train, tokens, settings.seed + 1),
        eval_dataset=PairBatches(encoder, draw_eval, tokens, settings.seed, epochs=1),
        clock=clock,
    )
    trainer.train(resume_from_checkpoint=resume or None)
    metrics = trainer.evaluate()
    model.to(getattr(torch, settings.save_dtype)).save_pretrained(output)
    tokenizer.save_pretrained(output)
    return {**metrics, "steps": float(trainer.state.global_step)}


def _arguments(output: Path, budget: Budget, settings: Hyperparameters) -> TrainingArguments:
    # The clock ends a timed training; the step bound is only what the Trainer insists on.
    return TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=budget.steps if budget.minutes is None else 10_000_000,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=settings.bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=settings.seed,
        logging_steps=100,
        eval_strategy="steps",
        eval_steps=settings.eval_steps,
        save_steps=settings.save_steps,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        prediction_loss_only=True,
        remove_unused_columns=False,
        label_names=["labels"],
    )
