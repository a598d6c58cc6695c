"""The loss: three-way NLI rows, two-way rows, and label groups."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from sparknlp_zs.training.data import NLI_LABELS

ENTAILMENT, CONTRADICTION = NLI_LABELS["entailment"], NLI_LABELS["contradiction"]
NOT_ENTAILMENT = NLI_LABELS["not_entailment"]


def pair_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    groups: torch.Tensor,
    targets: torch.Tensor,
    row_targets: torch.Tensor,
) -> torch.Tensor:
    """Mean loss over the rows of a batch.

    Parameters
    ----------
    logits : float tensor [rows, 3]
        Entailment, neutral, contradiction.
    labels : int tensor [rows]
        NLI class of a row; 3 for "not entailment", -1 for rows of groups and padding rows.
    groups : int tensor [n_groups, width]
        Row numbers of each label group, the true label's first; -1 pads.
    targets : float tensor [n_groups, width]
        Probability of each label of a soft group; zeros for a group with a true label.
    row_targets : float tensor [rows, 3]
        Probability of each class of a soft row; zeros for all others.

    Notes
    -----
    Three-way rows: cross entropy, with the row's targets where it has some. Two-way rows: the
    probability of the two other classes is summed. Groups: cross entropy of the entailment logits
    over the group, which is what single-label zero-shot classification computes, and for each row
    entailment against contradiction, which is what multi-label classification computes; each
    counts for half.
    Soft groups: cross entropy of the same softmax with the targets (Hinton et al. 2015,
    arXiv:1503.02531), counted as the first half of a group.

    Examples
    --------
    >>> logits = torch.tensor([[9.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    >>> none = torch.empty(0, 1, dtype=torch.long)
    >>> labels = torch.tensor([0, 2])
    >>> bool(pair_loss(logits, labels, none, none.float(), torch.zeros(2, 3)) < 1e-3)
    True
    """
    logits = logits.float()
    total = _row_losses(logits, labels, row_targets).sum()
    if groups.numel():
        members = logits[groups.clamp(min=0)]
        entailment, contradiction = members[..., ENTAILMENT], members[..., CONTRADICTION]
        total = total + group_losses(entailment, contradiction, groups >= 0, targets).sum()
    used = (labels >= 0).sum() + (groups >= 0).sum()
    return total / used.clamp(min=1)


def _row_losses(
    logits: torch.Tensor, labels: torch.Tensor, row_targets: torch.Tensor
) -> torch.Tensor:
    log_p = F.log_softmax(logits, dim=-1)
    others = [i for i in range(3) if i != ENTAILMENT]
    two_way = torch.logsumexp(log_p[:, others], dim=-1, keepdim=True)
    per_class = torch.cat([log_p, two_way], dim=-1)
    hard = -per_class.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    soft = -(row_targets * log_p).sum(dim=-1)
    losses = torch.where(row_targets.sum(dim=-1) > 0, soft, hard)
    return losses * (labels >= 0)


def group_losses(
    entailment: torch.Tensor,
    against: torch.Tensor,
    valid: torch.Tensor,
    targets: torch.Tensor,
) -> torch.Tensor:
    """The loss of each label group, times the number of its labels.

    Parameters
    ----------
    entailment, against : float tensors [n_groups, width]
        Logits of each label's entailment, and of the class against it.
    valid : bool tensor [n_groups, width]
        False pads; the true label is the first.
    targets : float tensor [n_groups, width]
        As in ``pair_loss``.

    Returns
    -------
    float tensor [n_groups]
    """
    true_label = torch.zeros_like(entailment)
    true_label[:, 0] = 1.0
    hard = targets.sum(dim=-1) == 0
    wanted = torch.where(hard[:, None], true_label, targets)
    log_p = F.log_softmax(entailment.masked_fill(~valid, -torch.inf), dim=-1)
    over_labels = -(wanted * log_p.masked_fill(~valid, 0.0)).sum(dim=-1)
    margin = entailment - against
    each = F.binary_cross_entropy_with_logits(margin, true_label, reduction="none")
    size = valid.sum(dim=-1)
    return 0.5 * (size * over_labels + hard * (each * valid).sum(dim=-1))
