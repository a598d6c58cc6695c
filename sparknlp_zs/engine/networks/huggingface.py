"""Any Hugging Face sequence classifier, run as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError

from sparknlp_zs.engine.networks.padded import padding_for
from sparknlp_zs.models import EMBEDDING, names_of_label2id, read_config

Inputs = dict[str, npt.NDArray[np.int64]]


class HuggingFaceNetwork:
    """A loaded sequence classifier.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        In eval mode, on ``device``.
    device : torch.device
    input_names : list of str
        The inputs that the model takes (some take no token_type_ids).
    """

    def __init__(self, model: Any, device: torch.device, input_names: list[str]) -> None:
        self.config = model.config
        self.device = device
        self._model = model
        self._input_names = frozenset(input_names)
        # Decoders find a text's last token by the config's padding token, not by the mask.
        self._pad = getattr(self.config, "pad_token_id", None)
        if self._pad is None:
            self.config.pad_token_id = -1  # no text has it; without any, they refuse batches
        self.padding = padding_for(self.config.model_type, self._pad)

    def logits(self, batch: Sequence[Inputs]) -> npt.NDArray[np.float32]:
        """Logits as float32 [rows, classes] from groups of int64 inputs [rows, length]."""
        with torch.inference_mode():
            padded = (_with_padding(inputs, self._pad) for inputs in batch)
            groups = [to_tensors(inputs, self._input_names, self.device) for inputs in padded]
            output = torch.cat([self._group_logits(tensors) for tensors in groups])
            found: npt.NDArray[np.float32] = output.float().cpu().numpy()
        return found

    def _group_logits(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        if not self.config.is_encoder_decoder:
            logits: torch.Tensor = self._model(**inputs).logits
            return logits
        # BART's and T5's classifiers refuse rows with different numbers of end tokens, which a
        # text such as "<s>9</s>" brings.
        counts = (inputs["input_ids"] == self.config.eos_token_id).sum(dim=1)
        parts, places = [], []
        for count in counts.unique():
            rows = (counts == count).nonzero()[:, 0]
            parts.append(self._model(**{name: x[rows] for name, x in inputs.items()}).logits)
            places.append(rows)
        return torch.cat(parts)[torch.cat(places).argsort()]


def _with_padding(inputs: Inputs, pad: int | None) -> Inputs:
    """The inputs padded with that token, whatever the tokenizer's is."""
    mask = inputs.get("attention_mask")
    if pad is None or mask is None:
        return inputs
    return {**inputs, "input_ids": np.where(mask == 0, pad, inputs["input_ids"])}


def to_tensors(
    inputs: Inputs, names: frozenset[str], device: torch.device
) -> dict[str, torch.Tensor]:
    """The inputs that a model takes, on its device."""
    return {
        name: torch.from_numpy(array).to(device) for name, array in inputs.items() if name in names
    }


def load_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer, never with code from the folder.

    Raises
    ------
    ValueError
        If it knows no words: transformers makes it so where the vocabulary is missing.
    """
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if found.is_fast and len(found) <= len(set(found.all_special_ids)):
        raise ValueError(
            f"{folder}: the tokenizer knows no words, so its vocabulary is missing; save it there "
            "anew, by tokenizer.save_pretrained(folder)"
        )
    return found


def load_config(folder: Path) -> Any:
    """The folder's configuration, with its outputs' names."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, **_names(folder)
    )


def load_model(folder: Path, dtype: str, device: torch.device) -> Any:
    """The folder's sequence classifier in eval mode, as transformers makes it.

    Weights stored in ``dtype`` as safetensors stay memory-mapped on the CPU.

    Raises
    ------
    ValueError
        If the folder lacks weights of the model, such as a trained classifier.
    """
    from transformers import AutoModelForSequenceClassification

    model, missing = loaded(AutoModelForSequenceClassification, folder, dtype, **_names(folder))
    if missing:
        raise ValueError(
            f"{folder}: the weights lack {missing[:3]}; without them scores would be random. "
            "Use a model fine-tuned for NLI or classification."
        )
    return model.to(device).eval()


def _names(folder: Path) -> dict[str, Any]:
    """The outputs' names of a config that has a label2id alone, which transformers drops."""
    if (folder / EMBEDDING).is_file():
        return {}  # an encoder's outputs have none
    names = names_of_label2id(read_config(folder), str(folder))
    if names is None:
        return {}
    return {"id2label": dict(enumerate(names)), "label2id": {x: at for at, x in enumerate(names)}}


def loaded(auto_class: Any, folder: Path, dtype: str, **config: Any) -> tuple[Any, list[str]]:
    """A folder's model by a class of transformers, and the weights that the folder lacks.

    ``config`` are changes of its configuration.

    Raises
    ------
    ValueError
        If the weights are damaged, or of other shapes than the configuration says.
    """
    with no_bars():
        try:
            model, info = auto_class.from_pretrained(
                folder,
                dtype=getattr(torch, dtype),
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                output_loading_info=True,
                **config,
            )
        except (RuntimeError, SafetensorError) as error:
            raise ValueError(
                f"{folder}: the weights are damaged, or not of the shapes that config.json says "
                f"({str(error).splitlines()[0]}); fetch or save the model again"
            ) from error
    return model, sorted(info["missing_keys"])


@contextlib.contextmanager
def no_bars() -> Iterator[None]:
    """No bars for loading and saving weights on the stderr of every worker."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
