"""`transformers.Trainer` for fine-tuning, whose result does not depend on the processes."""

from __future__ import annotations

import contextlib
import inspect
import logging
import random
from pathlib import Path
from typing import Any

import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from sparknlp_zs.training.settings import FinetuneSettings
from sparknlp_zs.training.steps import Items, MicroBatch, Share, Steps, micro_batches
from sparknlp_zs.training.styles import Style
from sparknlp_zs.training.trainer import EAGER_LENGTH

logger = logging.getLogger(__name__)


def training_arguments(
    folder: Path, rows: int, style: str, settings: FinetuneSettings, validated: bool
) -> TrainingArguments:
    """The Trainer's arguments; making them joins the processes of torchrun."""
    steps, interval = settings.steps(rows, style), settings.interval(rows)
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        learning_rate=settings.rate(style),
        weight_decay=settings.weight_decay,
        warmup_steps=round(settings.warmup * steps),
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=settings.bf16,
        use_cpu=settings.use_cpu or not torch.cuda.is_available(),
        seed=settings.seed,
        logging_steps=interval,
        eval_strategy="steps" if validated else "no",
        eval_steps=interval,
        save_strategy="steps",
        save_steps=interval,
        save_total_limit=1,
        load_best_model_at_end=validated,
        metric_for_best_model=settings.monitor if validated else None,
        greater_is_better=settings.monitor == "accuracy" if validated else None,
        restore_callback_states_from_checkpoint=True,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )


class FinetuneTrainer(Trainer):
    """A Trainer that takes its share of each step's texts, in as many passes as it needs.

    The model is in eval mode while it is trained: without dropout, a step depends on nothing but
    its texts.
    """

    def __init__(
        self,
        style: Style,
        arguments: TrainingArguments,
        settings: FinetuneSettings,
        rows: Items,
        validation: Items | None,
    ) -> None:
        self._style, self._settings, self._validation = style, settings, validation
        self._names = _input_names(style)
        self._share = Share(arguments.process_index, arguments.world_size)
        texts = settings.texts_per_step(len(rows))
        if texts < self._share.processes:
            raise ValueError(
                f"{texts} texts per step for {self._share.processes} processes: give each process "
                "at least one, by a larger batch_size, more rows or fewer processes"
            )
        steps = Steps(
            rows,
            arguments.max_steps,
            texts,
            settings.tokens_per_batch,
            settings.seed,
            self._share,
        )
        callbacks: list[TrainerCallback] = [_Log()]
        if validation is not None:
            callbacks.append(_LastEvaluation())
        if settings.patience is not None:
            callbacks.append(EarlyStoppingCallback(settings.patience))
        super().__init__(
            model=style.model,
            args=arguments,
            train_dataset=steps,
            # Evaluation is this class's own; the Trainer only asks whether there is a set.
            eval_dataset=[] if validation is None else [0],
            callbacks=callbacks,
        )
        self.remove_callback(PrinterCallback)
        self._first_step: int | None = None  # of this process: later than 0 after a resume
        self._summed = torch.zeros((), dtype=torch.float64, device=arguments.device)

    def get_train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader(self.train_dataset, batch_size=None)  # type: ignore[arg-type]

    def floating_point_ops(self, inputs: Any) -> int:
        """None counted: the Trainer's estimate knows one input per step."""
        return 0

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Gradients of the mean loss over the step's texts, of all processes."""
        model.eval()
        passes = inputs["micro_batches"]
        # Processes' gradients are averaged, and each has the sum over its own texts.
        scale = self._share.processes / inputs["texts"]
        total = torch.zeros((), device=self.args.device)
        for at, batch in enumerate(passes):
            is_last = at == len(passes) - 1
            with contextlib.nullcontext() if is_last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    batch = self._prepare_inputs(batch)
                    loss = self._style.losses(self._logits(model, batch), batch).sum() * scale
                self.accelerator.backward(loss)
            total += loss.detach()
        # The Trainer gathers only what it logs: the last steps' loss would be one share's.
        mean = self.accelerator.reduce(total, "mean")
        if self._first_step is None:
            self._first_step = self.state.global_step
        self._summed += mean.double()
        return mean

    def mean_loss(self) -> float:
        """Of all steps, also those before the training was resumed."""
        resumed = self.state.global_step if self._first_step is None else self._first_step
        before, summed = 0, float(self._summed.item())
        for entry in self.state.log_history:
            if "loss" in entry and entry["step"] <= resumed:
                summed += entry["loss"] * (entry["step"] - before)
                before = entry["step"]
        return summed / max(1, int(self.state.global_step))

    def _logits(self, model: Any, batch: MicroBatch) -> torch.Tensor:
        inputs = {name: x for name, x in batch["inputs"].items() if name in self._names}
        pad = getattr(self._style.model.config, "pad_token_id", None)
        if pad is not None:  # what decoders find the last token by; the tokenizer's may be another
            padding = batch["inputs"]["attention_mask"] == 0
            inputs["input_ids"] = inputs["input_ids"].masked_fill(padding, pad)
        if self._style.model._supports_sdpa:
            eager = self.args.use_cpu and inputs["input_ids"].shape[1] <= EAGER_LENGTH
            self._style.model.set_attn_implementation("eager" if eager else "sdpa")
        logits: torch.Tensor = model(**inputs).logits
        return logits

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Mean loss and accuracy over the validation rows; each process scores its share."""
        assert self._validation is not None
        items = self._validation
        rows = self._share.of(range(len(items)))
        encoded = [items.item(row, random.Random(row)) for row in rows]
        model = self.model.eval()
        sums = torch.zeros(3, device=self.args.device, dtype=torch.float64)
        for batch in micro_batches(encoded, items.encoder, self._settings.tokens_per_batch):
            with torch.no_grad(), self.compute_loss_context_manager():
                batch = self._prepare_inputs(batch)
                logits = self._logits(model, batch)
                losses, hits = self._style.losses(logits, batch), self._style.hits(logits, batch)
            sums += torch.stack(
                [losses.double().sum(), hits.double().sum(), sums.new_tensor(len(hits))]
            )
        loss, hit, count = self.accelerator.reduce(sums, "sum").tolist()
        metrics = {"eval_loss": loss / count, "eval_accuracy": hit / count}
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


class _Log(TrainerCallback):
    """Losses go to the log, not to the standard output; the last steps' too."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        if state.global_step >= state.max_steps:
            control.should_log = True
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if state.is_world_process_zero:
            logger.info("step %d of %d: %s", state.global_step, state.max_steps, logs)


class _LastEvaluation(TrainerCallback):
    """Evaluates after the last step too, which may lie between two evaluations."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
        return control


def _input_names(style: Style) -> frozenset[str]:
    """The inputs that both the tokenizer and the model know: DistilBERT takes no type ids."""
    taken = inspect.signature(type(style.model).forward).parameters
    return frozenset(style.tokenizer.model_input_names) & frozenset(taken)
