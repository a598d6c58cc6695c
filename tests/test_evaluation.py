"""The evaluation's figures, against a count by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from sparknlp_zs.evaluation import evaluate, main
from sparknlp_zs.models import ModelSpec


@pytest.fixture
def folder(tmp_path, tiny):
    texts = pd.Series([f"text number {i}" for i in range(12)])
    found = texts.zsc.classify(["a", "b"], model=tiny)["label"]
    other = found.map({"a": "b", "b": "a"})
    labels = [*found[:9], *other[9:]]
    pd.DataFrame({"text": texts, "label": labels}).to_parquet(tmp_path / "zeroshot_x.parquet")
    pairs = pd.DataFrame({"premise": texts, "hypothesis": texts[::-1].to_numpy()})
    pairs["label"] = pairs.zsc.nli("premise", "hypothesis", model=tiny)["label"]
    pairs.to_parquet(tmp_path / "nli_x_dev.parquet")
    return tmp_path


def test_evaluate(folder, tiny):
    table = evaluate(folder, ModelSpec(str(tiny)), progress=False).set_index("set")
    assert table.loc["nli_x_dev", "accuracy"] == 1.0
    assert table.loc["zeroshot_x", "accuracy"] == pytest.approx(0.75)
    assert table.loc["zeroshot_x", "rows"] == 12


def test_command(folder, tiny, capsys):
    main([str(folder), "--model", str(tiny), "--max-rows", "5", "--json", str(folder / "t.json")])
    assert "zeroshot_x" in capsys.readouterr().out
    assert pd.read_json(folder / "t.json")["rows"].tolist() == [5, 5]


def test_folder_without_sets(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nli_\*_dev\.parquet"):
        evaluate(tmp_path, ModelSpec("starter"))
