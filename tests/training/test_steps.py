"""Which texts a step has, and how they are shared and batched."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sparknlp_zs.engine.networks.huggingface import load_tokenizer
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.training.labelled import LabelledRows
from sparknlp_zs.training.settings import FinetuneSettings
from sparknlp_zs.training.steps import Share, Steps
from sparknlp_zs.training.styles import Entailment


@pytest.fixture(scope="module")
def items(tiny: Path):
    labels = [f"label {at}" for at in range(6)]
    style = Entailment(tiny, ZeroShot(labels), FinetuneSettings(negatives=3))
    texts = tuple("fox " * (1 + at % 9) + str(at) for at in range(20))
    return style.items(LabelledRows(texts, tuple(at % 6 for at in range(20))))


def seen(items, share, tokens=512, steps=6):
    """Each pass's rows of ids, by step."""
    found = Steps(items, steps, 7, tokens, seed=3, share=share)
    return [[batch["inputs"]["input_ids"] for batch in step["micro_batches"]] for step in found]


def rows_of(passes):
    return sorted(tuple(row[row != 0].tolist()) for ids in passes for row in ids)


def test_shares_make_up_the_batch_of_one_process(items):
    alone = seen(items, Share())
    shared = [seen(items, Share(rank, 3)) for rank in range(3)]
    for step, passes in enumerate(alone):
        parts = [one for share in shared for one in share[step]]
        assert rows_of(parts) == rows_of(passes)
        assert len(rows_of(passes)) == 7 * 4


def test_an_epoch_has_every_text_once(items):
    steps = Steps(items, 100, 5, 512, seed=3, share=Share())
    epochs = [[steps.row(place) for place in range(at * 20, at * 20 + 20)] for at in range(3)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_groups_are_whole_and_passes_bounded(items, tiny):
    hypotheses = load_tokenizer(tiny)("This example is label 3.", add_special_tokens=False)
    assert len(hypotheses["input_ids"]) > 3
    for step in Steps(items, 6, 7, 300, seed=0, share=Share()):
        for batch in step["micro_batches"]:
            ids, groups = batch["inputs"]["input_ids"], batch["groups"]
            assert ids.numel() <= 300 or len(groups) == 1
            assert sorted(groups.flatten().tolist()) == list(range(len(ids)))
            assert (groups >= 0).sum(-1).eq(4).all()
            for group in groups:
                assert len({tuple(row) for row in ids[group].tolist()}) == 4


def test_what_is_drawn_does_not_depend_on_passes(items):
    together, apart = seen(items, Share()), seen(items, Share(), tokens=1)
    assert [rows_of(x) for x in together] == [rows_of(x) for x in apart]
    assert not torch.equal(together[0][0][0], together[1][0][0])
