"""The loss by hand, and a short training on a small model."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.training.__main__ import main
from sparknlp_zs.training.objective import pair_loss
from sparknlp_zs.training.trainer import Budget, Clock, Hyperparameters, freeze, new_model

NO_GROUPS = (torch.empty(0, 1, dtype=torch.long), torch.empty(0, 1))


def hard(rows):
    """No soft targets for so many rows."""
    return torch.zeros(rows, 3)


def test_three_way_and_two_way_rows():
    logits = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [9.0, 9.0, 9.0]])
    log_p = torch.log_softmax(logits[0], 0)
    expected = -(log_p[1] + torch.log(log_p[1].exp() + log_p[2].exp())) / 2
    loss = pair_loss(logits, torch.tensor([1, 3, -1]), *NO_GROUPS, hard(3))
    torch.testing.assert_close(loss, expected)


def test_groups():
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.5, 0.0, 3.0], [7.0, 7.0, 7.0]])
    groups = torch.tensor([[0, 1, -1]])
    listwise = -torch.log_softmax(torch.tensor([2.0, 0.5]), 0)[0]
    margins = torch.tensor([1.0, -2.5])
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        margins, torch.tensor([1.0, 0.0]), reduction="sum"
    )
    expected = 0.5 * (2 * listwise + each) / 2
    loss = pair_loss(logits, torch.tensor([-1, -1, -1]), groups, torch.zeros(1, 3), hard(3))
    torch.testing.assert_close(loss, expected)


def test_soft_groups():
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.5, 0.0, 3.0]])
    targets = torch.tensor([[0.7, 0.3]])
    log_p = torch.log_softmax(torch.tensor([2.0, 0.5]), 0)
    expected = -0.5 * 2 * (0.7 * log_p[0] + 0.3 * log_p[1]) / 2
    loss = pair_loss(logits, torch.tensor([-1, -1]), torch.tensor([[0, 1]]), targets, hard(2))
    torch.testing.assert_close(loss, expected)


def test_soft_rows():
    """A soft row's loss is the cross entropy with its targets; others keep theirs."""
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.5, 0.0, 3.0]])
    targets = torch.tensor([[0.7, 0.2, 0.1], [0.0, 0.0, 0.0]])
    log_p = torch.log_softmax(logits, dim=1)
    expected = -((targets[0] * log_p[0]).sum() + log_p[1, 2]) / 2
    loss = pair_loss(logits, torch.tensor([0, 2]), *NO_GROUPS, targets)
    torch.testing.assert_close(loss, expected)


def test_clock():
    clock = Clock(Budget(steps=100))
    rates = [clock.learning_rate(step) for step in range(101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 3
    assert rates[0] == rates[100] == 0.0
    with pytest.raises(ValueError, match="minutes=0"):
        Budget(minutes=0)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_dropout(share, tiny):
    model, tokenizer = new_model(str(tiny), share)
    inputs = tokenizer("the fox", "an animal", return_tensors="pt")
    first, second = (model.train()(**inputs).logits for _ in range(2))
    assert torch.equal(first, second) == (share == 0)
    with pytest.raises(ValueError, match=r"dropout=1\.0"):
        Hyperparameters(dropout=1.0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    nli = pd.DataFrame(
        {
            "premise": [f"premise {i % 7} of the fox" for i in range(1200)],
            "hypothesis": ["yes" if i % 2 else "no" for i in range(1200)],
            "label": ["entailment" if i % 2 else "contradiction" for i in range(1200)],
            "set": "x",
        }
    )
    labels = pd.DataFrame(
        {
            "text": [f"about {'travel' if i % 2 else 'cooking'} {i}" for i in range(200)],
            "label": ["travel" if i % 2 else "cooking" for i in range(200)],
            "set": "y",
        }
    )
    nli.to_parquet(folder / "nli.parquet")
    labels.to_parquet(folder / "labels.parquet")
    return folder


def test_command_trains_a_model_that_scores(files, tiny, tmp_path, capsys):
    """A few steps lower the loss on held-out rows, and the folder is a normal model."""
    output = tmp_path / "trained"
    arguments = ["--base", str(tiny), "--nli", str(files / "nli.parquet")]
    arguments += ["--labels", str(files / "labels.parquet"), "--output", str(output)]
    arguments += ["--tokens", "512", "--max-length", "48", "--learning-rate", "5e-3"]

    def held_out_loss(steps):
        main([*arguments, "--steps", str(steps), "--save-dtype", "float16"])
        return json.loads(capsys.readouterr().out.strip().splitlines()[-1])["eval_loss"]

    assert held_out_loss(40) < 0.8 * held_out_loss(1)
    assert load_scorer(output) is not None
    from safetensors.torch import load_file

    weights = load_file(output / "model.safetensors")
    assert {x.dtype for x in weights.values() if x.is_floating_point()} == {torch.float16}


def test_shared_positions_are_frozen_too(tiny_models):
    model = new_model(str(tiny_models["deberta-v2"]))[0]
    freeze(model, 1)
    trained = {name for name, x in model.base_model.named_parameters() if x.requires_grad}
    assert trained
    assert all(name.startswith(("encoder.layer.1.", "encoder.layer.2.")) for name in trained)


def test_frozen_layers_stay_as_they_are(files, tiny, tmp_path):
    arguments = ["--base", str(tiny), "--nli", str(files / "nli.parquet"), "--steps", "3"]
    arguments += ["--tokens", "512", "--max-length", "48", "--learning-rate", "5e-3"]
    main([*arguments, "--output", str(tmp_path / "trained"), "--frozen-layers", "1"])
    before, after = (
        AutoModelForSequenceClassification.from_pretrained(folder).base_model.state_dict()
        for folder in (tiny, tmp_path / "trained")
    )
    same = {name for name, weights in before.items() if torch.equal(weights, after[name])}
    frozen = {x for x in before if x.startswith(("embeddings.", "encoder.layer.0."))}
    assert frozen <= same
    assert not any(name.startswith("encoder.layer.1.") for name in same)
    with pytest.raises(ValueError, match="frozen_layers=9: the model has 3"):
        main([*arguments, "--output", str(tmp_path / "none"), "--frozen-layers", "9"])
