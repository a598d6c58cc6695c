"""Contenders that run an ONNX export of the model: ONNX Runtime and OpenVINO."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.models import cache_folder

BATCH = 32
Run = Callable[[dict[str, npt.NDArray[np.int64]]], npt.NDArray[np.float32]]


class ExportedScorer:
    """Entailment logits of an exported model: pairs sorted by length, in batches.

    Parameters
    ----------
    folder : Path
        Of the model, for its tokenizer and classes.
    run : callable
        Inputs to logits.
    inputs : sequence of str
        Names of the inputs that the export takes.
    """

    def __init__(self, folder: Path, run: Run, inputs: list[str]) -> None:
        from transformers import AutoTokenizer

        from sparknlp_zs.models import read_class_ids

        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._entailment = read_class_ids(folder).entailment
        self._run = run
        self._inputs = inputs

    def entailment(self, pairs: list[tuple[str, str]]) -> npt.NDArray[np.float32]:
        """The entailment logit of each pair."""
        order = np.argsort([-len(text) - len(label) for text, label in pairs], kind="stable")
        found = np.zeros(len(pairs), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            encoded = self._tokenizer(
                [pairs[at][0] for at in places],
                [pairs[at][1] for at in places],
                padding=True,
                truncation="only_first",
                return_tensors="np",
            )
            logits = self._run({name: encoded[name].astype(np.int64) for name in self._inputs})
            found[places] = logits[:, self._entailment]
        return found


def onnx_file(folder: Path) -> Path:
    """The model as ONNX in float32, exported at first use."""
    from sparknlp_zs.engine.prepared import hash_of

    target = cache_folder() / "onnx" / hash_of(folder) / "model.onnx"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name("scratch.onnx")
        _export(folder, scratch)
        os.replace(scratch, target)
    return target


def _export(folder: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    model.config.return_dict = False
    encoded = AutoTokenizer.from_pretrained(folder)(
        ["a text", "another text, longer"], ["a label"] * 2, padding=True, return_tensors="pt"
    )
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in encoded]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        # By tracing: it keeps batch and length free through DeBERTa's position arithmetic.
        torch.onnx.export(
            _by_position(model, names),
            tuple(encoded[name] for name in names),
            str(target),
            dynamo=False,
            opset_version=17,
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "rows", 1: "length"} for name in names}
            | {"logits": {0: "rows"}},
        )


def _by_position(model: Any, names: list[str]) -> Any:
    import torch

    class ByPosition(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            return self.model(**dict(zip(names, tensors, strict=True)))[0]

    return ByPosition()


def quantized_file(source: Path) -> Path:
    """The ONNX model with int8 weights and dynamically quantised activations."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = source.with_name("model-int8.onnx")
    if not target.is_file():
        scratch = target.with_name("scratch-int8.onnx")
        quantize_dynamic(source, scratch, weight_type=QuantType.QInt8)
        os.replace(scratch, target)
    return target


def onnxruntime_scorer(folder: Path, file: Path, threads: int) -> ExportedScorer:
    """A session of ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = [found.name for found in session.get_inputs()]
    return ExportedScorer(folder, lambda inputs: session.run(None, inputs)[0], names)


def openvino_scorer(folder: Path, file: Path, threads: int, precision: str) -> ExportedScorer:
    """A model compiled by OpenVINO for the CPU; precision is f32 or bf16."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}
    model = openvino.Core().compile_model(str(file), "CPU", settings)
    names = [found.get_any_name() for found in model.inputs]
    return ExportedScorer(folder, lambda inputs: model(inputs)[0], names)
