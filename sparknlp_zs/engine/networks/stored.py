"""Models with a fast network from their safetensors file, without transformers' code for models."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from sparknlp_zs.engine.cache import safetensors_header
from sparknlp_zs.engine.networks import bert, deberta
from sparknlp_zs.engine.networks.architectures import rewritten
from sparknlp_zs.engine.networks.modules import Model
from sparknlp_zs.model_files import WEIGHTS

logger = logging.getLogger(__name__)

_OTHER_WEIGHTS = ("quantization_config", "transformers_weights")  # of a config
_PEFT = "adapter_config.json"  # transformers joins such weights with the model's


def stored_model(
    folder: Path, config: Any, dtype: str, device: torch.device, outputs: int | None
) -> Model | None:
    """The model of a folder in eval mode, its weights memory-mapped where they are in ``dtype``.

    Parameters
    ----------
    folder : Path
    config : transformers.PretrainedConfig
        The folder's.
    dtype : str
        Compute type of the weights.
    device : torch.device
    outputs : int or None
        Those of the classifier; None loads an encoder alone.

    Returns
    -------
    Model or None
        None if transformers has to load it: the model has no fast network, or the file does not
        hold just the weights of this model, under their names of today.
    """
    supports = deberta.supports if config.model_type == "deberta-v2" else bert.supports
    if supports(config) is not None or any(getattr(config, x, None) for x in _OTHER_WEIGHTS):
        return None
    if not (folder / WEIGHTS).is_file() or (folder / _PEFT).exists():
        return None
    model = rewritten(config, outputs)
    if model is None:
        return None
    wanted = {name: list(x.shape) for name, x in model.state_dict().items()}
    found = {name: x["shape"] for name, x in safetensors_header(folder / WEIGHTS).items()}
    misfits = [name for name, shape in wanted.items() if found.get(name) != shape]
    misfits += [name for name in found if _other_names(name, model) & wanted.keys()]
    if misfits:
        logger.info("%s: transformers loads the weights, for %s", folder, misfits[:3])
        return None
    from safetensors import safe_open

    with safe_open(folder / WEIGHTS, framework="pt") as file:
        weights = {x: file.get_tensor(x).to(device, getattr(torch, dtype)) for x in wanted}
    model.load_state_dict(weights, assign=True)
    return model.requires_grad_(False).eval()


def _other_names(name: str, model: Model) -> set[str]:
    """What transformers would rename a weight to."""
    prefix = f"{model.prefix}." if model.prefix else ""
    plain = name.replace(".gamma", ".weight").replace(".beta", ".bias")
    return {plain, prefix + plain, plain.removeprefix(prefix)} - {name}
