"""The command line: the same table from both engines, data kept as it was."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_file_without_a_line(tmp_path, tiny, engine, content, capsys):
    (tmp_path / "in.csv").write_text(content)
    arguments = ["classify", str(tmp_path / "in.csv"), "--text", "text", "--labels", "travel"]
    arguments += ["--output", str(tmp_path / "out.csv"), "--model", str(tiny)]
    assert main([*arguments, "--engine", engine]) != 0
    assert "--text 'text': no such column; the columns are []" in capsys.readouterr().err


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


def classify(source, target, engine, model, *options):
    arguments = ["classify", str(source), "--text", "text", "--labels", "a,b"]
    arguments += ["--output", str(target), "--engine", engine, "--model", str(model)]
    return main([*arguments, "--no-progress", *options])


def test_longer_csv_rows_are_refused(tmp_path, tiny, engine, capsys):
    """Their fields would be dropped, or shifted below other names."""
    for content in ["text,id\nfox,17,\ndog,18,\n", 'id,text\n1,"a, b"\n2,a, b\n']:
        (tmp_path / "in.csv").write_text(content)
        assert classify(tmp_path / "in.csv", tmp_path / "out.csv", engine, tiny) == 2
        error = capsys.readouterr().err
        assert "in.csv'" in error
        assert "quote fields that hold commas" in error


def test_csv_headers_are_kept(tmp_path, tiny, engine, capsys):
    (tmp_path / "in.csv").write_text(",text,a,a\n0,the fox,NA,\n")
    assert classify(tmp_path / "in.csv", tmp_path / "out.csv", engine, tiny) == 0
    header, row = (tmp_path / "out.csv").read_text().splitlines()
    assert header == ",text,a,a,label,score"
    assert row.startswith("0,the fox,NA,,")
    (tmp_path / "in.csv").write_text("text,text\na,b\n")
    assert classify(tmp_path / "in.csv", tmp_path / "out.csv", engine, tiny) == 2
    assert "--text 'text': several columns have this name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        ("text,a,a\nx,1,2\n", "out.jsonl", "['a'] are given twice, which json cannot hold"),
        ("text,a,a\nx,1,2\n", "out.parquet", "['a'] are given twice, which parquet cannot"),
        ('{"text": "x", "l": [1]}', "out.csv", "'l' holds lists or objects, which csv cannot hold"),
        ('{"text": "x", "i": {"a": "\\ud83d"}}', "out.jsonl", "'i' holds half a surrogate pair in"),
        (
            '{"text": "x", "n": 9007199254740993}\n{"text": "y", "n": 2.5}',
            "out.parquet",
            "outside of the range",
        ),
    ],
)
def test_what_a_target_cannot_hold_fails_first(tmp_path, capsys, rows, target, message):
    source = tmp_path / ("in.csv" if rows.startswith("text") else "in.jsonl")
    source.write_text(rows)
    # A model would be asked for next.
    assert classify(source, tmp_path / target, "pandas", "no/such-model") == 2
    error = capsys.readouterr().err
    assert f"{target}': " in error
    assert message in error


def test_json_has_no_infinities(tmp_path, tiny):
    frame = pd.DataFrame({"text": ["a"], "x": [float("inf")], "l": [[1.0, float("nan")]]})
    frame.to_parquet(tmp_path / "in.parquet")
    assert classify(tmp_path / "in.parquet", tmp_path / "out.jsonl", "pandas", tiny) == 0
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert (row["x"], row["l"]) == (None, [1.0, None])


def test_long_csv_fields(tmp_path, tiny, engine):
    write(pd.DataFrame({"text": ["a " * 100_000]}), tmp_path / "in.csv")
    assert classify(tmp_path / "in.csv", tmp_path / "out.csv", engine, tiny) == 0
    assert read(tmp_path / "out.csv")["text"][0] == "a " * 100_000


def test_csv_that_is_not_utf8(tmp_path, engine, capsys):
    (tmp_path / "in.csv").write_bytes("text\nü\n".encode("cp1252"))
    assert classify(tmp_path / "in.csv", tmp_path / "out.csv", engine, "starter") == 2
    assert "in.csv' is not UTF-8" in capsys.readouterr().err


def test_csv_rows_of_blanks_and_returns(tmp_path, tiny, engine):
    """Texts of blanks are rows of their own, and a return in a field does not end its row."""
    texts = ["the fox", "   ", "", "a\rb", "a\nb"]
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], *([x] for x in texts)])
        file.write("  \n")
    assert classify(tmp_path / "in.csv", tmp_path / "out.csv", engine, tiny) == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["text", *texts, "  "]
    assert [bool(row[1]) for row in rows[1:]] == [True, False, False, True, True, False]


BREAKS = {
    "return and line feed in the header": 'id,"the\r\nnote",text\n1,a,a card\n2,b,"a\r\nb"\n',
    "line feed in the header": 'id,"the\nnote",text\r\n1,a,a card\r\n2,b,"p\nq"\r\n',
    "everywhere": '"te\r\nxt",text\nx,my card\ny,"p\r\nq"\nz,k\n',
    "as in spreadsheets": 'id,text\r\n1,"a\r\nb"\r\n2,b\r\n',
    "short rows and empty lines": "id,text,more\n1,a\n\n2,b,x\n   \n",
}


@pytest.mark.parametrize("content", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize("target", ["out.csv", "out.jsonl"])
def test_csv_breaks(tmp_path, tiny, engine, content, target):
    """Fields keep theirs, whatever ends the rows."""
    (tmp_path / "in.csv").write_text(content, newline="")
    assert classify(tmp_path / "in.csv", tmp_path / target, engine, tiny) == 0
    header, *rows = [row for row in csv.reader(io.StringIO(content, newline="")) if row]
    missing = "" if target == "out.csv" else None
    expected = [row + [missing] * (len(header) - len(row)) for row in rows]
    if target == "out.csv":
        with (tmp_path / target).open(newline="") as file:
            found = list(csv.reader(file))
        assert found[0][:-2] == header
        assert [row[:-2] for row in found[1:]] == expected
    else:
        lines = map(json.loads, (tmp_path / target).read_text().splitlines())
        assert [[row[name] for name in header] for row in lines] == expected


def test_columns_with_names_of_the_engine(tmp_path, tiny, engine):
    rows = [{"text": "a card", "_zs_row": 7, "_zs": "x", "_corrupt_record": "y"}]
    rows += [{"text": "b", "_zs_row": 5, "_zs": None, "_corrupt_record": "z"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.jsonl", engine, tiny) == 0
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in rows[0]} for row in found] == rows


def test_target_is_whole_or_as_it_was(tmp_path, tiny, monkeypatch):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}')
    target = tmp_path / "out.jsonl"
    target.write_text("before")
    monkeypatch.setattr("sparknlp_zs.files._json_value", lambda value: 1 / 0)
    monkeypatch.setattr("sparknlp_zs.files._with_none", lambda column: [object()])
    with pytest.raises(ZeroDivisionError):
        classify(tmp_path / "in.jsonl", target, "pandas", tiny)
    assert target.read_text() == "before"
    assert sorted(x.name for x in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_target_behind_a_link(tmp_path, tiny, engine):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}')
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "real.jsonl"
    real.touch(0o600)
    (tmp_path / "out.jsonl").symlink_to(real)
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.jsonl", engine, tiny) == 0
    assert (tmp_path / "out.jsonl").is_symlink()
    assert json.loads(real.read_text())["text"] == "a"
    assert real.stat().st_mode & 0o777 == 0o600


def test_lists_of_large_integers(tmp_path, tiny, engine):
    columns = {"text": ["x"], "l": [[9007199254740993, None]], "s": [{"ids": [1, None]}]}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    assert classify(tmp_path / "in.parquet", tmp_path / "out.jsonl", engine, tiny) == 0
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert (row["l"], row["s"]) == ([9007199254740993, None], {"ids": [1, None]})
    assert isinstance(row["s"]["ids"][0], int)


def test_spark_that_does_not_start(tmp_path):
    (tmp_path / "in.csv").write_text("text\na\n")
    command = [sys.executable, "-m", "sparknlp_zs.cli", "classify", str(tmp_path / "in.csv")]
    command += ["--text", "text", "--labels", "a", "--output", str(tmp_path / "out.csv")]
    command += ["--engine", "spark", "--model", "starter"]
    environment = {**os.environ, "JAVA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "--engine spark: Spark does not start" in done.stderr
    assert "Java 17" in done.stderr


def test_what_spark_cannot_read(tmp_path, tiny, classic, capsys):
    pq.write_table(
        pa.table({"text": ["a"], "t": pa.array([1], pa.timestamp("ns"))}), tmp_path / "a.parquet"
    )
    assert classify(tmp_path / "a.parquet", tmp_path / "out.jsonl", "spark", tiny) == 2
    error = capsys.readouterr().err
    assert "a.parquet'" in error
    assert "use --engine pandas" in error


@pytest.mark.parametrize("name", ["data[1].csv", "_hidden.csv", "a:b.csv", "a b%20.csv"])
def test_file_names_mean_themselves(tmp_path, tiny, engine, name, monkeypatch):
    """Spark takes names for patterns, hides some, and finds schemes in others."""
    (tmp_path / "data1.csv").write_text("text\nanother file\n")
    (tmp_path / name).write_text("text\nthe fox\n")
    monkeypatch.chdir(tmp_path)
    assert classify(name, "out.csv", engine, tiny) == 0
    assert read(tmp_path / "out.csv")["text"].tolist() == ["the fox"]


def test_times_keep_their_zone_and_range(tmp_path, tiny, engine):
    times = [datetime(9999, 12, 31, tzinfo=UTC), datetime(2024, 1, 1, 12, tzinfo=UTC)]
    column = pa.array(times, pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"text": ["a", "b"], "when": column}), tmp_path / "in.parquet")
    assert classify(tmp_path / "in.parquet", tmp_path / "out.parquet", engine, tiny) == 0
    assert pq.read_table(tmp_path / "out.parquet")["when"].to_pylist() == times


def test_names_that_differ_in_case(tmp_path, tiny, engine):
    (tmp_path / "in.jsonl").write_text('{"text": "a", "Text": "b", "LABEL": "c"}\n')
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.parquet", engine, tiny) == 0
    names = ["text", "Text", "LABEL", "label", "score"]
    assert pq.read_table(tmp_path / "out.parquet").column_names == names


def test_text_that_is_a_number(tmp_path, tiny, engine, capsys):
    (tmp_path / "in.jsonl").write_text('{"text": 1}\n{"text": 2}\n')
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.csv", engine, tiny) == 2
    assert "not text but" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('{"text": "a", "id": 1}\n{"text": "b", "id": "x"}', "'id': integers and strings, which"),
        ('{"text": "a", "m": [{"k": {}}]}', "'m[].k': empty objects, which Spark drops"),
        ('{"text": "a", "n": 12345678901234567890123}', "'n': numbers beyond those of Spark's"),
        ('{"text": "a", "": 1}', "'': values under an empty name, which Spark drops"),
        ('{"text": "a", "n": {"": 1, "b": 2}}', "'n.': values under an empty name, which"),
        ('{"text": "a", "n": 1e400}', "'n': numbers beyond those of Spark's"),
        ('{"text": "a", "n": 9007199254740993}\n{"text": "b", "n": 0.5}', "'n': large integers"),
    ],
)
def test_json_that_spark_would_change(tmp_path, tiny, classic, capsys, rows, message):
    (tmp_path / "in.jsonl").write_text(rows)
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "spark", tiny) == 2
    error = capsys.readouterr().err
    assert f"column {message}" in error
    assert "use --engine pandas" in error


def test_json_values_are_kept(tmp_path, tiny, engine):
    rows = [{"text": "a", "id": 1234567890123456789, "x": 0.30000000000000004, "n": None}]
    rows += [{"text": "b", "id": None, "x": 1.5, "n": {"k": [1, None]}}]
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.jsonl", engine, tiny) == 0
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
    flat = [{name: x for name, x in row.items() if name != "n"} for row in rows]
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(row) for row in flat))
    assert classify(tmp_path / "in.jsonl", tmp_path / "out.csv", "pandas", tiny) == 0
    assert read(tmp_path / "out.csv")["id"].tolist() == ["1234567890123456789", ""]


def test_every_parquet_column_is_kept(tmp_path, tiny, engine):
    """Also those that pandas made an index, and types that json has not."""
    when = [datetime(2024, 1, 1, 0, 0, 0, 123456), datetime(2024, 1, 2)]
    frame = pd.DataFrame({"id": ["x", "y"], "day": [date(2024, 1, 1), None], "when": when})
    frame = frame.assign(text=pd.Categorical(["the fox", None])).set_index("id")
    frame.to_parquet(tmp_path / "in.parquet")
    for name in ("out.parquet", "out.jsonl"):
        assert classify(tmp_path / "in.parquet", tmp_path / name, engine, tiny) == 0
    columns = ["day", "when", "text", "id", "label", "score"]
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == columns
    assert table["when"].to_pylist() == when
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert list(first) == columns
    assert (first["day"], first["when"][:26]) == ("2024-01-01", "2024-01-01T00:00:00.123456")
    assert (second["id"], second["day"], second["text"]) == ("y", None, None)


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
        ({"--output": "none/out.csv"}, "--output 'none/out.csv': no such folder"),
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
