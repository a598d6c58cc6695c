"""Networks: token ids in, logits out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from sparknlp_zs.engine.scorer import Network

logger = logging.getLogger(__name__)


def build_network(model: Any, device: torch.device, input_names: list[str]) -> Network:
    """The fastest network that gives a model's logits.

    Parameters
    ----------
    model : transformers.PreTrainedModel or Model
        A sequence classifier in eval mode, on ``device``.
    device : torch.device
    input_names : list of str
        The inputs that the model takes.

    Returns
    -------
    Network
        A rewrite where one covers the model; else the model as it is.
    """
    from sparknlp_zs.engine.networks import bert, deberta
    from sparknlp_zs.engine.networks.huggingface import HuggingFaceNetwork
    from sparknlp_zs.engine.networks.modules import class_name

    # By the very class: a class derived from a known one may compute anything.
    rewrites = {
        "DebertaV2ForSequenceClassification": (deberta.DebertaNetwork, deberta.supports),
        "BertForSequenceClassification": (bert.BertNetwork, bert.supports),
        "RobertaForSequenceClassification": (bert.RobertaNetwork, bert.supports),
        "XLMRobertaForSequenceClassification": (bert.RobertaNetwork, bert.supports),
        "CamembertForSequenceClassification": (bert.RobertaNetwork, bert.supports),
        "DistilBertForSequenceClassification": (bert.DistilBertNetwork, bert.supports),
    }
    name = class_name(model)
    if name not in rewrites:
        logger.info("%s runs as it is: it has no fast network", name)
        return HuggingFaceNetwork(model, device, input_names)
    network, supports = rewrites[name]
    reason = supports(model.config)
    if reason is not None:
        logger.info("%s runs as it is, not in %s: %s", name, network.__name__, reason)
        return HuggingFaceNetwork(model, device, input_names)
    logger.info("%s runs in %s", name, network.__name__)
    return network(model, device, input_names)
