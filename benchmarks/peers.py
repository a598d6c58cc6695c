"""The contenders of one process: same weights, texts and threads, scores as one array."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks import exported
from benchmarks.data import Workload
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.engine.prepared import prepared_folder
from sparknlp_zs.tasks import ZeroShot, ZeroShotScores

logger = logging.getLogger(__name__)

Scores = npt.NDArray[np.float64]  # [texts, labels], in the workload's order
Score = Callable[[Workload], Scores]

BATCHES = (1, 8, 16, 32)
QUICK_BATCHES = (1, 16)
PIPELINE = "transformers pipeline"
ENGINE = "sparknlp_zs"


@dataclass
class Contender:
    """Something that scores a workload."""

    name: str
    score: Score
    exact: bool = True  # float32 throughout, so that scores agree to rounding
    seen: Seen | None = None  # of this package's engine: what it processed


@dataclass
class Seen:
    """Shapes and tokens that an engine's network was given."""

    shapes: list[tuple[int, int]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)


@dataclass
class Peers:
    """The contenders, and those left out with the reason."""

    contenders: list[Contender] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, make: Callable[[], Score], exact: bool = True) -> None:
        """Add a peer; one that is not installed or cannot take the model is left out."""
        try:
            self.contenders.append(Contender(name, make(), exact))
        except ImportError as error:
            self.left_out[name] = f"not installed ({error.name})"
        except Exception as error:  # exporters and runtimes raise unrelated types
            # Without the message, which may name folders of this machine.
            self.left_out[name] = f"failed ({type(error).__name__})"
            logger.exception("%s", name)


def all_peers(folder: Path, threads: int, dtypes: list[str], quick: bool = False) -> Peers:
    """Every contender that is installed, loaded; the default pipeline first.

    A quick run has fewer batch sizes and no exported models.
    """
    peers = Peers()
    for name, score in _pipelines(folder, QUICK_BATCHES if quick else BATCHES):
        peers.add(name, lambda score=score: score)
    peers.add("sentence-transformers CrossEncoder, batch 32", lambda: _cross_encoder(folder))
    runtimes = {
        "ONNX Runtime float32": (lambda: _onnxruntime(folder, threads, False), True),
        "ONNX Runtime int8": (lambda: _onnxruntime(folder, threads, True), False),
        "OpenVINO float32": (lambda: _openvino(folder, threads, "f32"), True),
        "OpenVINO bfloat16": (lambda: _openvino(folder, threads, "bf16"), False),
    }
    for name, (make, exact) in runtimes.items():
        if quick:
            peers.left_out[name] = "not part of a quick run"
        else:
            peers.add(name, make, exact)
    peers.contenders += [engine(folder, dtype) for dtype in dtypes]
    return peers


def engine(folder: Path, dtype: str) -> Contender:
    """This package's engine, with its network's inputs recorded."""
    scorer = load_scorer(prepared_folder(folder, dtype), dtype)
    seen = Seen()
    scorer._network = _Recorder(scorer._network, seen)

    def score(work: Workload) -> Scores:
        # Batch sizes are measured in the round that does not count; a job of more rows than this
        # one's would not notice.
        for _ in range(_MOST_WARM_UPS):
            if not scorer._budget.settled:
                scorer.score(ZeroShotScores(work.labels), [pa.array(work.texts)])
        seen.shapes.clear()
        seen.lengths.clear()
        result = scorer.score(ZeroShotScores(work.labels), [pa.array(work.texts)])
        return np.stack([result.field(at).to_numpy() for at in range(len(work.labels))], axis=1)

    return Contender(f"{ENGINE} {dtype}", score, dtype == "float32", seen)


_MOST_WARM_UPS = 6  # a job of few texts never fills the larger batches


class _Recorder:
    """A network that notes what it is given; costs microseconds a batch."""

    def __init__(self, network: Any, seen: Seen) -> None:
        self._network = network
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def logits(self, batch: Sequence[dict[str, npt.NDArray[np.int64]]]) -> npt.NDArray[np.float32]:
        for inputs in batch:
            self._seen.shapes.append(inputs["input_ids"].shape)
            self._seen.lengths.extend(inputs["attention_mask"].sum(axis=1).tolist())
        return self._network.logits(batch)


def _pipelines(folder: Path, sizes: tuple[int, ...]) -> Iterator[tuple[str, Score]]:
    import torch
    from transformers import pipeline

    classify = pipeline(
        "zero-shot-classification", model=str(folder), dtype=torch.float32, device="cpu"
    )

    def with_batch(size: int) -> Score:
        def score(work: Workload) -> Scores:
            found = classify(list(work.texts), list(work.labels), batch_size=size)
            return np.stack([_in_order(row, work.labels) for row in found])

        return score

    for size in sizes:
        yield f"{PIPELINE}, batch {size}", with_batch(size)


def _in_order(row: dict[str, Any], labels: tuple[str, ...]) -> Scores:
    by_label = dict(zip(row["labels"], row["scores"], strict=True))
    return np.array([by_label[label] for label in labels])


def _cross_encoder(folder: Path) -> Score:
    import torch
    from sentence_transformers import CrossEncoder

    from sparknlp_zs.models import read_class_ids

    model = CrossEncoder(
        str(folder), device="cpu", model_kwargs={"dtype": torch.float32}, local_files_only=True
    )
    at = read_class_ids(folder).entailment

    def entailment(pairs: list[tuple[str, str]]) -> npt.NDArray[np.float32]:
        identity = torch.nn.Identity()
        found = model.predict(pairs, batch_size=32, activation_fn=identity, show_progress_bar=False)
        return found[:, at]

    return _over_pairs(entailment)


def _onnxruntime(folder: Path, threads: int, quantized: bool) -> Score:
    import onnxruntime  # noqa: F401  (before the export, which takes long)

    file = exported.onnx_file(folder)
    if quantized:
        file = exported.quantized_file(file)
    return _over_pairs(exported.onnxruntime_scorer(folder, file, threads).entailment)


def _openvino(folder: Path, threads: int, precision: str) -> Score:
    import openvino  # noqa: F401

    file = exported.onnx_file(folder)
    return _over_pairs(exported.openvino_scorer(folder, file, threads, precision).entailment)


def _over_pairs(entailment: Callable[[list[tuple[str, str]]], npt.NDArray[np.float32]]) -> Score:
    """Single-label scores from the entailment logits of all pairs, as the pipeline does."""

    def score(work: Workload) -> Scores:
        task = ZeroShot(work.labels)
        pairs = [pair for text in work.texts for pair in task.pairs((text,))]
        logits = entailment(pairs).astype(np.float64).reshape(len(work.texts), -1)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    return score
