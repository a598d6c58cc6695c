"""From a model folder to a scorer."""

from __future__ import annotations

from pathlib import Path

import torch

from sparknlp_zs.classifiers import class_names
from sparknlp_zs.engine.budget import budget_for
from sparknlp_zs.engine.classifier_scorer import ClassifierScorer
from sparknlp_zs.engine.described import described
from sparknlp_zs.engine.embedding import load_embedder
from sparknlp_zs.engine.encoding import PairEncoder, model_max_length
from sparknlp_zs.engine.head_scorer import ScorerWithHeads
from sparknlp_zs.engine.memory import OF_A_PROCESS, bound_kernel_caches
from sparknlp_zs.engine.networks import build_network
from sparknlp_zs.engine.networks.huggingface import load_model
from sparknlp_zs.engine.networks.stored import stored_model
from sparknlp_zs.engine.precision import compute_dtype, warn_if_emulated
from sparknlp_zs.engine.scorer import Scorer
from sparknlp_zs.models import EMBEDDER, EMBEDDING, HEAD_WEIGHTS, named_class_ids, read_label_ids


def load_scorer(
    folder: Path,
    dtype: str = "float32",
    device: str = "cpu",
    max_length: int | None = None,
    token_budget: int | None = None,
) -> Scorer:
    """Load the model of a local folder: an NLI model, or one with classes of its own.

    Parameters
    ----------
    folder : Path
        As written by ``save_pretrained``; with the heads too if ``with_adapter`` made it, and with
        the embedder if ``with_embedder`` did.
    dtype : str
        Compute type of the weights; "auto" by the device.
    device : str
        A torch device.
    max_length : int or None
        Longest pair in tokens; None asks the model.
    token_budget : int or None
        Padded tokens per forward pass; None measures on the device during the work.

    Raises
    ------
    ValueError
        If the model's weights are incomplete, the names of its classes contradictory, or there is
        no such device.
    """
    place = _device(device)
    found = described(folder)
    config, tokenizer = found.config, found.tokenizer
    computed = compute_dtype(dtype, device)
    if place.type == "cpu" and computed != "float32":
        bound_kernel_caches(OF_A_PROCESS)
    warn_if_emulated(computed, place.type)
    model = stored_model(folder, config, computed, place, config.num_labels)
    if model is None:
        model = load_model(folder, computed, place)
    longest = model_max_length(tokenizer, config, max_length)
    network = build_network(model, place, tokenizer.model_input_names)
    budget = budget_for(place.type, token_budget, torch.get_num_threads())
    classes = named_class_ids(read_label_ids(folder))  # transformers drops a label2id alone
    if classes is None:
        names = class_names({"id2label": config.id2label}, folder)
        return ClassifierScorer(network, tokenizer, longest, names, budget)
    parts = (network, PairEncoder(tokenizer, longest), classes, budget)
    scorer = Scorer(*parts)
    if (folder / HEAD_WEIGHTS).is_file():
        scorer = ScorerWithHeads(*parts, folder=folder, tokenizer=tokenizer)
    if (folder / EMBEDDER / EMBEDDING).is_file():
        scorer.use_embedder(load_embedder(folder / EMBEDDER, computed, place, token_budget))
    return scorer


def _device(name: str) -> torch.device:
    device = torch.device(name)
    backends = {"cuda": torch.cuda, "mps": torch.backends.mps}
    if device.type in backends and not backends[device.type].is_available():
        raise ValueError(
            f"device={name!r}: torch {torch.__version__} sees no such device here; leave device "
            "out, or install a torch that supports it"
        )
    return device
