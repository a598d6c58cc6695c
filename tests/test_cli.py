"""The command line: the same table from both engines, data kept as it was."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from sparknlp_zs.cli import main

LABELS = ["travel", "cooking"]
ROWS = pd.DataFrame(
    {
        "id": ["007", "1.50", " padded ", "NA", "5"],
        "text": ["the fox", 'a "quoted", text', "two\nlines", "", "the fox"],
        "odd name`": ["x", "", "null", "ü😀", "\\"],
    }
)


def write(frame: pd.DataFrame, path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path, index=False)


def read(path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype="str", keep_default_na=False)
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return pd.DataFrame([json.loads(line) for line in lines])
    return pd.read_parquet(path)


@pytest.fixture(params=["pandas", "spark"])
def engine(request):
    if request.param == "spark":
        request.getfixturevalue("classic")
    return request.param


@pytest.mark.parametrize(
    ("source", "target"), [(".csv", ".csv"), (".jsonl", ".parquet"), (".parquet", ".jsonl")]
)
def test_classify(tmp_path, tiny, engine, source, target):
    write(ROWS, tmp_path / f"in{source}")
    output = tmp_path / f"out{target}"
    arguments = ["classify", str(tmp_path / f"in{source}"), "--text", "text"]
    arguments += ["--labels", "travel, cooking", "--output", str(output)]
    assert main([*arguments, "--engine", engine, "--model", str(tiny), "--no-progress"]) == 0

    found = read(output)
    pd.testing.assert_frame_equal(found[ROWS.columns], ROWS, check_dtype=False)
    expected = ROWS["text"].zsc.classify(LABELS, model=tiny)
    missing = found["label"].isna() | (found["label"] == "")
    assert missing.tolist() == [False, False, False, True, False]
    assert found["label"][~missing].tolist() == expected["label"][~missing].tolist()
    scores = found["score"][~missing].astype(float).tolist()
    assert scores == pytest.approx(expected["score"][~missing].tolist(), abs=1e-6)


def test_templates_and_threshold(tmp_path, tiny):
    write(ROWS, tmp_path / "in.csv")
    arguments = [
        "classify",
        str(tmp_path / "in.csv"),
        "--text",
        "text",
        "--labels",
        "travel,cooking",
    ]
    arguments += ["--template", "{}!", "--template", "About {}.", "--threshold"]
    expected = ROWS["text"].zsc.classify(
        LABELS, hypothesis_template=["{}!", "About {}."], model=tiny
    )
    limit = expected["score"].median()
    output = ["--output", str(tmp_path / "out.csv"), "--model", str(tiny), "--no-progress"]
    assert main([*arguments, str(limit), *output]) == 0
    found = read(tmp_path / "out.csv")
    assert 0 < (expected["score"] >= limit).sum() < len(ROWS) - 1
    expected["label"] = expected["label"].where(expected["score"] >= limit, "")
    assert found["label"].tolist() == expected["label"].tolist()
    scores = [float(score) if score else None for score in found["score"]]
    assert scores == pytest.approx([None if x != x else x for x in expected["score"]])


@pytest.mark.parametrize("name", ["in.jsonl", "in.json"])
def test_json_keeps_the_order_of_its_columns(tmp_path, tiny, engine, name):
    """Of lines and of an array; also of columns that later rows bring."""
    rows = [{"z": 1, "text": "the fox"}, {"b": [2], "text": "x", "a": {"k": None}, "z": 3}]
    lines = "\n\n".join(json.dumps(row) for row in rows)
    (tmp_path / name).write_text(json.dumps(rows, indent=1) if name == "in.json" else lines)
    arguments = ["classify", str(tmp_path / name), "--text", "text", "--labels", "a,b"]
    arguments += ["--output", str(tmp_path / "out.jsonl"), "--engine", engine]
    assert main([*arguments, "--model", str(tiny), "--no-progress"]) == 0
    found = read(tmp_path / "out.jsonl")
    assert found.columns.tolist() == ["z", "text", "b", "a", "label", "score"]
    assert (found["z"].tolist(), found["b"].tolist()) == ([1, 3], [None, [2]])


JSON_REMEDY = '; write one object per line, such as {"text": "..."}, or one array of objects'


@pytest.mark.parametrize("engine", ["pandas", "spark"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n\n3\n', "line 3: 3 is no object"),
        ('{"text": "a"}\n["b"]\n', 'line 2: ["b"] is no object'),
        ("null\n", "line 1: null is no object"),
        ('{"text": "a"}\n{"text": \n', "line 2: no JSON (Expecting value, column 9)"),
        ('{\n"text": "a"\n}\n', "line 1: no JSON (Expecting property name"),
        ('[{"text": "a"}, "b"]', 'item 2: "b" is no object'),
        ("[1, 2]", "item 1: 1 is no object"),
        ('[\n{"text": "a"},\n{"text" "b"}]', "line 3: no JSON (Expecting ':' delimiter"),
        ('["a"]\n["b"]\n', "line 2: no JSON (Extra data"),
        (json.dumps(["x" * 99]), f'item 1: "{"x" * 39}... is no object'),
    ],
)
def test_json_that_is_no_rows(tmp_path, capsys, engine, content, message):
    """The place is named before Spark starts or a model is looked for."""
    (tmp_path / "in.json").write_text(content)
    arguments = ["classify", str(tmp_path / "in.json"), "--text", "text", "--labels", "a,b"]
    arguments += ["--output", str(tmp_path / "out.csv"), "--engine", engine]
    assert main([*arguments, "--model", "no/such"]) == 2
    error = capsys.readouterr().err
    assert f"file {str(tmp_path / 'in.json')!r}, {message}" in error
    assert error.endswith(f"{JSON_REMEDY}\n")


def test_json_that_is_not_utf8(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_bytes('{"text": "ü"}\n'.encode("latin-1"))
    arguments = ["classify", str(tmp_path / "in.jsonl"), "--text", "text", "--labels", "a,b"]
    assert main([*arguments, "--output", str(tmp_path / "out.csv")]) == 2
    assert "in.jsonl' is not UTF-8" in capsys.readouterr().err


def test_many_rows_stay_in_order(tmp_path, tiny, engine):
    frame = pd.DataFrame({"i": range(3000), "text": [f"t{i % 5}" for i in range(3000)]})
    write(frame, tmp_path / "in.csv")
    arguments = ["classify", str(tmp_path / "in.csv"), "--text", "text", "--label", "a, b"]
    arguments += ["--label", "c", "--output", str(tmp_path / "out.csv"), "--prefix", "zs_"]
    assert main([*arguments, "--engine", engine, "--model", str(tiny), "--no-progress"]) == 0
    found = read(tmp_path / "out.csv")
    assert found["i"].astype(int).tolist() == list(range(3000))
    assert set(found["zs_label"]) <= {"a, b", "c"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--text": "nope"}, "--text 'nope': no such column; the columns are ['text', 'label']"),
        ({"--labels": ""}, "at least one candidate label"),
        ({"--labels": "a,a"}, "more than once"),
        ({"--template": "none"}, "hypothesis_template='none'"),
        ({"--threshold": "1.5"}, "threshold=1.5: scores are from 0 to 1"),
        ({"--output": "out.xls"}, "the name must end in one of"),
        ({"--model": "no/such"}, "model='starter'"),
        ({"FILE": "missing.csv"}, "no such file"),
        ({}, "['label'] already; choose others with --prefix"),
    ],
)
def test_wrong_arguments(tmp_path, tiny, capsys, change, message):
    write(pd.DataFrame({"text": ["a"], "label": ["b"]}), tmp_path / "in.csv")
    options = {"--text": "text", "--labels": "a,b", "--model": str(tiny)}
    options |= {"--output": str(tmp_path / "out.csv"), **change}
    if change:
        options["--prefix"] = "zs_"
    file = options.pop("FILE", str(tmp_path / "in.csv"))
    arguments = [part for option in options.items() for part in option]
    assert main(["classify", file, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()
