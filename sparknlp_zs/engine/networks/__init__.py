"""Networks: token ids in, logits out."""
