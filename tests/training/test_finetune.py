"""Fine-tuning of small models: it learns, resumes, stops, and is the same in two processes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from labelled_toy import QUICK, toy
from safetensors.torch import load_file, save_file
from tiny_models import LABELS, make_model
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

import sparknlp_zs  # noqa: F401  (registers .zsc)
from sparknlp_zs.models import ModelSpec, read_label_ids
from sparknlp_zs.tasks import ZeroShot
from sparknlp_zs.training import Finetuned, finetune
from sparknlp_zs.training.command import main
from sparknlp_zs.training.labelled import LabelledRows
from sparknlp_zs.training.loop import FinetuneTrainer
from sparknlp_zs.training.settings import FinetuneSettings
from sparknlp_zs.training.steps import micro_batches
from sparknlp_zs.training.styles import Entailment, Head

STYLES = ("entailment", "head")


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny models lose time on threads, and the more on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def logits(folder: Path, style: str) -> torch.Tensor:
    """The stock model's logits of a few texts."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    texts = list(toy(3)["text"])
    pairs = [texts] if style == "head" else [texts, ["This example is cooking."] * len(texts)]
    with torch.no_grad():
        return model(**tokenizer(*pairs, padding=True, return_tensors="pt")).logits


@pytest.mark.parametrize("style", STYLES)
def test_learns_and_leaves_a_normal_model(tiny, tmp_path, style):
    arguments = {"model": tiny, "style": style, "validation": 0.25, **QUICK}
    first = finetune(toy(), output=tmp_path / "first", max_steps=1, **arguments)
    tuned = finetune(toy(), output=tmp_path / "tuned", max_steps=40, **arguments)
    assert tuned.metrics["loss"] < 0.5 * first.metrics["loss"]
    assert tuned.metrics["accuracy"] > 0.8
    assert (tuned.metrics["rows"], tuned.metrics["validation_rows"]) == (54, 18)
    assert not (tuned.folder / "checkpoints").exists()
    assert Finetuned.read(tuned.folder) == tuned
    frame = toy()
    if style == "entailment":
        found = frame["text"].zsc.classify(tuned.labels, model=tuned.folder)["label"]
    else:
        found = stock_labels(frame["text"], tuned.folder)
    assert (found == frame["label"]).mean() > 0.8


def stock_labels(texts: pd.Series, folder: Path) -> list[str]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        best = model(**tokenizer(list(texts), padding=True, return_tensors="pt")).logits.argmax(-1)
    return [model.config.id2label[at] for at in best.tolist()]


@pytest.mark.parametrize("architecture", ["roberta", "deberta-v2", "distilbert"])
@pytest.mark.parametrize("style", STYLES)
def test_architectures(tiny_models, tmp_path, architecture, style):
    """Each takes other inputs; the head replaces one with as many outputs."""
    model = tiny_models[architecture]
    tuned = finetune(toy(4), output=tmp_path, model=model, style=style, max_steps=1, **QUICK)
    assert logits(tuned.folder, style).shape == (9, 3)
    names = AutoModelForSequenceClassification.from_pretrained(tmp_path).config.id2label
    expected = tuned.labels if style == "head" else ("entailment", "neutral", "contradiction")
    assert tuple(names.values()) == expected


def test_divergence_is_no_model(tiny, tmp_path, monkeypatch):
    def spoiled(trainer, *args, **kwargs):
        with torch.no_grad():
            next(trainer.model.parameters()).fill_(torch.nan)
        return torch.zeros(())

    monkeypatch.setattr(FinetuneTrainer, "training_step", spoiled)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        finetune(toy(4), output=tmp_path, model=tiny, max_steps=1, **QUICK)
    assert not (tmp_path / "config.json").exists()


@pytest.mark.parametrize("style", STYLES)
def test_divergence_is_not_accurate(tiny, tmp_path, style, monkeypatch):
    """Weights may stay finite where no logit is."""

    def enlarged(trainer, *args, **kwargs):
        with torch.no_grad():
            for weight in trainer.model.parameters():
                weight.fill_(1e30)
        return torch.zeros(())

    monkeypatch.setattr(FinetuneTrainer, "training_step", enlarged)
    arguments = {"validation": 0.25, "max_steps": 2, "monitor": "accuracy", **QUICK}
    with pytest.raises(FloatingPointError, match="validation loss is nan; lower learning_rate"):
        finetune(toy(), output=tmp_path, model=tiny, style=style, **arguments)
    assert not (tmp_path / "config.json").exists()


@pytest.mark.parametrize("value", [0.0, torch.nan])
def test_equal_logits_hit_nothing(tiny, value):
    settings, rows = FinetuneSettings(), LabelledRows(("a", "b"), (0, 1))
    task = ZeroShot(["travel", "cooking"])
    for style in (Entailment(tiny, task, settings), Head(tiny, task.labels, settings)):
        items = style.items(rows, every_label=True)
        drawn = [items.item(at, random.Random(0)) for at in range(2)]
        (batch,) = micro_batches(drawn, items.encoder, 4096)
        wrong = torch.full((len(batch["inputs"]["input_ids"]), 3), value)
        assert not style.hits(wrong, batch).any()


def encoder_alone(folder, target):
    """The folder of a model without what is above its encoder."""
    AutoModel.from_pretrained(folder).save_pretrained(target)
    AutoTokenizer.from_pretrained(folder).save_pretrained(target)
    return target


@pytest.mark.parametrize("architecture", ["roberta", "deberta-v2", "distilbert", "bart"])
def test_new_parts_of_a_head_follow_from_the_seed(tmp_path, architecture):
    folder = encoder_alone(make_model(architecture, tmp_path / "a"), tmp_path / "b")
    found = []
    for seed, elsewhere in ((1, 5), (1, 6), (2, 5)):
        torch.manual_seed(elsewhere)
        before = torch.random.get_rng_state()
        found.append(Head(folder, ["x", "y"], FinetuneSettings(seed=seed)).model.state_dict())
        assert torch.equal(before, torch.random.get_rng_state())
    one, same, other = found
    assert all(torch.equal(one[name], same[name]) for name in one)
    new = [name for name in one if not torch.equal(one[name], other[name])]
    base = AutoModel.from_pretrained(folder).base_model_prefix
    assert new
    assert all(".pooler." in name or not name.startswith(f"{base}.") for name in new)


def test_head_on_random_weights_is_refused(tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "renamed")
    path = folder / "model.safetensors"
    renamed = {f"xx.{name}": weight for name, weight in load_file(path).items()}
    save_file(renamed, path, {"format": "pt"})
    with pytest.raises(ValueError, match=r"renamed: the weights lack \['bert\."):
        finetune(toy(4), output=tmp_path / "out", model=folder, style="head", max_steps=1)


@pytest.mark.parametrize("names", [("not_entailment", "entailment"), LABELS])
def test_classes_named_by_label2id_alone(tmp_path, names):
    """transformers drops such names, and takes three classes for two."""
    folder = make_model("bert", tmp_path / "model", names)
    config = json.loads((folder / "config.json").read_text())
    del config["id2label"]
    (folder / "config.json").write_text(json.dumps(config))
    texts = toy(4)["text"]
    named = make_model("bert", tmp_path / "named", names)
    expected = texts.zsc.scores(["travel"], model=named)
    found = texts.zsc.scores(["travel"], model=folder)
    pd.testing.assert_frame_equal(found, expected)
    tuned = finetune(toy(4), output=tmp_path / "out", model=folder, max_steps=1, **QUICK)
    assert len(texts.zsc.classify(tuned.task, model=tuned.folder)) == len(texts)
    assert read_label_ids(tuned.folder) == config["label2id"]


def test_command(tiny, tmp_path, capsys):
    toy().to_csv(tmp_path / "rows.csv", index=False)
    toy(2).to_json(tmp_path / "held.jsonl", orient="records", lines=True)
    arguments = [str(tmp_path / "rows.csv"), "--output", str(tmp_path / "out")]
    arguments += ["--model", str(tiny), "--validation", str(tmp_path / "held.jsonl")]
    main([*arguments, "--max-steps", "2", "--max-length", "32", "--style", "head"])
    metrics = json.loads(capsys.readouterr().out)
    assert metrics == Finetuned.read(tmp_path / "out").metrics
    assert (metrics["rows"], metrics["validation_rows"], metrics["steps"]) == (72, 6, 2)


def test_replacing_a_model_that_is_in_use(tiny, tmp_path):
    arguments = {"output": tmp_path, "model": tiny, **QUICK}
    texts = toy(4)["text"]
    first = finetune(toy(), max_steps=1, **arguments)
    before = texts.zsc.scores(first.labels, model=tmp_path)
    finetune(toy(), max_steps=20, overwrite=True, **arguments)
    after = texts.zsc.scores(first.labels, model=tmp_path)
    assert (before - after).abs().to_numpy().max() > 0.05


def test_two_class_models(tmp_path):
    model = make_model("bert", tmp_path / "two", ("not_entailment", "entailment"))
    tuned = finetune(toy(), output=tmp_path / "out", model=model, max_steps=40, **QUICK)
    frame = toy()
    found = frame["text"].zsc.classify(tuned.labels, model=tuned.folder)["label"]
    assert (found == frame["label"]).mean() > 0.8


def test_integers_and_missing_values(tiny, tmp_path):
    frame = toy(6)
    frame["label"] = frame["label"].map({"travel": 3, "cooking": 12, "politics": 7})
    frame.loc[len(frame)] = ["", 3]
    tuned = finetune(frame, output=tmp_path, model=tiny, style="head", max_steps=1, **QUICK)
    assert tuned.labels == (3, 7, 12)
    assert Finetuned.read(str(tmp_path)).labels == (3, 7, 12)
    assert tuned.metrics["dropped"] == 1
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["id2label"] == {"0": "3", "1": "7", "2": "12"}


@pytest.mark.parametrize("style", STYLES)
def test_passes_and_the_order_of_rows_do_not_matter(tiny, tmp_path, style):
    arguments = {"model": tiny, "style": style, "max_steps": 4, **QUICK}
    one = finetune(toy(), output=tmp_path / "one", **arguments)
    other = finetune(toy()[::-1], output=tmp_path / "b", tokens_per_batch=64, **arguments)
    assert one.fingerprint == other.fingerprint
    torch.testing.assert_close(
        logits(one.folder, style), logits(other.folder, style), atol=1e-4, rtol=1e-4
    )


class InterruptedTrainingError(Exception):
    pass


def test_resume(tiny, tmp_path, monkeypatch):
    """Interrupted after a checkpoint and gone on with, it is the uninterrupted training."""
    arguments = {"model": tiny, "validation": 0.25, "max_steps": 12, "evaluation_steps": 5, **QUICK}
    whole = finetune(toy(), output=tmp_path / "whole", **arguments)
    step = FinetuneTrainer.training_step

    def interrupted(trainer, *args, **kwargs):
        if trainer.state.global_step == 7:
            raise InterruptedTrainingError
        return step(trainer, *args, **kwargs)

    output = tmp_path / "resumed"
    with monkeypatch.context() as patch:
        patch.setattr(FinetuneTrainer, "training_step", interrupted)
        with pytest.raises(InterruptedTrainingError):
            finetune(toy(), output=output, **arguments)
    assert (output / "checkpoints" / "checkpoint-5").is_dir()
    with pytest.raises(FileNotFoundError, match="no finished fine-tuning"):
        Finetuned.read(output)
    with pytest.raises(ValueError, match="other rows"):
        finetune(toy(), output=output, resume=True, **{**arguments, "seed": 1})
    (output / "checkpoints" / "checkpoint-9").mkdir()  # as if it was killed while it saved
    begun = []

    def counted(trainer, *args, **kwargs):
        begun.append(trainer.state.global_step)
        return step(trainer, *args, **kwargs)

    monkeypatch.setattr(FinetuneTrainer, "training_step", counted)
    resumed = finetune(toy(), output=output, resume=True, **arguments)
    assert begun == list(range(5, 12))
    assert resumed.metrics["steps"] == 12
    for name in ("loss", "accuracy", "train_loss"):
        assert resumed.metrics[name] == pytest.approx(whole.metrics[name], abs=1e-4)
    torch.testing.assert_close(
        logits(whole.folder, "entailment"),
        logits(resumed.folder, "entailment"),
        atol=1e-4,
        rtol=1e-4,
    )
    # Finished: not once more, and not overwritten unasked.
    assert finetune(toy(), output=output, resume=True, **arguments) == resumed
    assert len(begun) == 7
    with pytest.raises(FileExistsError, match="overwrite=True"):
        finetune(toy(), output=output, **arguments)


def test_a_model_from_elsewhere_is_not_replaced_unasked(tiny, tiny_models, tmp_path):
    output = shutil.copytree(tiny_models["roberta"], tmp_path / "other")
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    arguments = {"model": tiny, "style": "head", "max_steps": 1, **QUICK}
    with pytest.raises(FileExistsError, match=r"not from finetune.*overwrite=True"):
        finetune(toy(4), output=output, **arguments)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    assert finetune(toy(4), output=output, overwrite=True, **arguments).folder == output
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="is a file"):
        finetune(toy(4), output=tmp_path / "file", **arguments)
    with pytest.raises(ValueError, match="output='': name a folder"):
        finetune(toy(4), output="", **arguments)


def test_random_numbers_of_the_caller_go_on(tiny, tmp_path):
    drawn = []
    for seed in (1, 2):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        finetune(
            toy(4), output=tmp_path / f"{seed}", model=tiny, style="head", max_steps=1, **QUICK
        )
        drawn.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert not set(drawn[0]) & set(drawn[1])


def test_a_spec_with_more_than_a_place(tiny, tmp_path):
    spec = ModelSpec(str(tiny), dtype="bfloat16", max_length=9)
    with pytest.raises(ValueError, match="does not take dtype, max_length"):
        finetune(toy(4), output=tmp_path / "x", model=spec)


@pytest.mark.parametrize(
    "wrong",
    [{"seed": 2**32}, {"seed": -1}, {"epochs": "3"}, {"epochs": True}, {"bf16": "yes"}],
)
def test_wrong_settings(wrong):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        FinetuneSettings(**wrong)
    assert FinetuneSettings(seed=np.int64(3), epochs=np.float32(0.5)).seed == 3


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_early_stopping_keeps_the_best(tiny, tmp_path, monitor):
    """Validation rows with turned labels: the better it learns, the worse it gets."""
    turned = toy(6, labels=2)
    turned["label"] = turned["label"].map({"travel": "cooking", "cooking": "travel"})
    tuned = finetune(
        toy(labels=2),
        output=tmp_path,
        model=tiny,
        style="head",
        validation=turned,
        max_steps=60,
        evaluation_steps=4,
        patience=2,
        monitor=monitor,
        **QUICK,
    )
    assert tuned.metrics["steps"] < 60
    # The model kept is that of the best evaluation, not the last one.
    found = pd.Series(stock_labels(turned["text"], tmp_path))
    assert (found == turned["label"]).mean() == pytest.approx(tuned.metrics["accuracy"])
    assert tuned.metrics["loss"] < 1.5


PROCESS = """
import sys
import torch
from labelled_toy import QUICK, toy
from sparknlp_zs.training import finetune
for style in ("entailment", "head"):
    finetune(toy(), output=f"{sys.argv[1]}/{style}", model=sys.argv[2], style=style,
             validation=0.25, max_steps=10, evaluation_steps=4, tokens_per_batch=200, **QUICK)
torch.distributed.destroy_process_group()
"""


def test_two_processes_give_the_model_of_one(tiny, tmp_path):
    """Seven texts per step: the processes have unequal shares, and make several passes."""
    script = tmp_path / "train.py"
    script.write_text(PROCESS)
    root = Path(__file__).parents[2]
    paths = f"{root}{os.pathsep}{root / 'tests'}"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, "--nproc_per_node=2", str(script), str(tmp_path / "two"), str(tiny)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for style in STYLES:
        two = Finetuned.read(tmp_path / "two" / style)
        one = finetune(
            toy(),
            output=tmp_path / "one" / style,
            model=tiny,
            style=style,
            validation=0.25,
            max_steps=10,
            evaluation_steps=4,
            **QUICK,
        )
        assert one.fingerprint == two.fingerprint
        for name in ("loss", "accuracy", "train_loss"):
            assert two.metrics[name] == pytest.approx(one.metrics[name], abs=1e-4)
        torch.testing.assert_close(
            logits(one.folder, style), logits(two.folder, style), atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"style": "tail"}, ValueError, "style='tail'"),
        ({"text": "body"}, ValueError, "text='body'"),
        ({"labels": ["travel", "cooking"]}, ValueError, r"labelled \['politics'\]"),
        ({"hypothesis_template": "It is."}, ValueError, "hypothesis_template"),
        ({"patience": 2}, ValueError, "patience=2"),
        ({"epochs": 0}, ValueError, "epochs=0"),
        ({"batch_size": 1.5}, ValueError, "batch_size=1.5"),
        ({"monitor": "f1"}, ValueError, "monitor='f1'"),
        ({"save_dtype": "auto"}, ValueError, "save_dtype='auto'"),
        ({"steps": 3}, TypeError, "steps"),
        ({"validation": toy(2).replace("travel", "trips")}, ValueError, r"\['trips'\]"),
        ({"model": "no/such-model"}, FileNotFoundError, "no/such-model"),
        ({"output": "dbfs:/models/x"}, ValueError, "output='dbfs:/models/x': a URI"),
    ],
)
def test_errors_come_before_the_model_is_loaded(
    tiny, tmp_path, monkeypatch, changes, error, message
):
    def loaded(*args, **kwargs):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("sparknlp_zs.training.finetuning._style", loaded)
    output = tmp_path / "out"
    with pytest.raises(error, match=message):
        finetune(toy(4), **{"output": output, "model": tiny, **changes})
    assert not output.exists()
    assert not Path("dbfs:").exists()


def test_a_model_that_is_no_nli_model(tiny, tmp_path):
    head = finetune(toy(4), output=tmp_path / "head", model=tiny, style="head", max_steps=1)
    with pytest.raises(ValueError, match="no entailment class"):
        finetune(toy(4), output=tmp_path / "out", model=head.folder)
    xlnet = make_model("xlnet", tmp_path / "xlnet")
    with pytest.raises(ValueError, match=r"model=.*xlnet classifies by the last position"):
        finetune(toy(4), output=tmp_path / "out", model=xlnet)
    with pytest.raises(ValueError, match="is the model itself"):
        finetune(toy(4), output=head.folder, model=head.folder, style="head")
    long = {"hypothesis_template": "This example is very, very, very much about {}."}
    with pytest.raises(ValueError, match="less than a quarter"):
        finetune(toy(4), output=tmp_path / "long", model=tiny, max_length=16, **long)
