"""Labels that vary by row give the scores of a call with these labels for all rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import RowLabels, RowLabelScores, ZeroShot, ZeroShotScores

TEXTS = ["the fox", None, "", " \n", "My card was stolen!", "the fox", "東京 😀", "a"]
SETS = [
    ["travel", "cooking"],
    ["cooking", "travel"],
    ["one label"],
    [],
    None,
    ["{}", "a.b", "other"],
]
TEMPLATE = "Über {}?"


@pytest.fixture(scope="module")
def scorer(tiny):
    return load_scorer(tiny)


def every_combination():
    rows = [(text, labels, multi) for text in TEXTS for labels in SETS for multi in (False, True)]
    texts, labels, multi = zip(*rows, strict=True)
    return [
        pa.array(texts, pa.string()),
        pa.array(labels, pa.list_(pa.string())),
        pa.array(multi, pa.bool_()),
    ]


def expected_rows(scorer, columns, kind):
    """Each row by itself."""
    for text, labels, multi in zip(*(column.to_pylist() for column in columns), strict=True):
        task = kind(labels, TEMPLATE, multi) if labels else None
        yield task and scorer.score(task, [pa.array([text], pa.string())]).to_pylist()[0]


def test_classify_equals_row_by_row(scorer):
    columns = every_combination()
    found = scorer.score(RowLabels(TEMPLATE), columns)
    assert found.type == RowLabels().result_type
    for row, expected in zip(
        found.to_pylist(), expected_rows(scorer, columns, ZeroShot), strict=True
    ):
        assert (row is None) == (expected is None)
        if row:
            assert row["label"] == expected["label"]
            assert row["labels"] == expected["labels"]
            assert row["scores"] == pytest.approx(expected["scores"], abs=1e-6)


def test_several_templates_equal_row_by_row(scorer):
    columns = every_combination()
    found = scorer.score(RowLabelScores([TEMPLATE, "{}."]), columns).to_pylist()
    for row, (text, labels, multi) in zip(
        found, zip(*map(list, columns), strict=True), strict=True
    ):
        if row:
            task = ZeroShotScores(labels.as_py(), [TEMPLATE, "{}."], multi.as_py())
            expected = scorer.score(task, [pa.array([text.as_py()])]).to_pylist()[0]
            assert dict(row) == pytest.approx(expected, abs=1e-6)


def test_scores_equal_row_by_row_in_the_arrays_order(scorer):
    columns = every_combination()
    found = scorer.score(RowLabelScores(TEMPLATE), columns)
    assert found.type == pa.map_(pa.string(), pa.float64())
    found.validate(full=True)
    for row, expected in zip(
        found.to_pylist(), expected_rows(scorer, columns, ZeroShotScores), strict=True
    ):
        assert (row is None) == (expected is None)
        if row:
            assert [name for name, _ in row] == list(expected)
            assert dict(row) == pytest.approx(expected, abs=1e-6)


DESCRIBED = [{"refund": "money back", "fee": "costs"}, {"fee": "money back"}, {}, None]
MAPS = pa.map_(pa.string(), pa.string())


@pytest.mark.parametrize("templates", [TEMPLATE, [TEMPLATE, "{}."]])
def test_descriptions_equal_row_by_row(scorer, templates):
    rows = [(text, labels) for text in TEXTS for labels in DESCRIBED]
    columns = [
        pa.array([text for text, _ in rows], pa.string()),
        pa.array([labels and list(labels.items()) for _, labels in rows], MAPS),
        pa.array([False] * len(rows)),
    ]
    ranked = scorer.score(RowLabels(templates), columns).to_pylist()
    scores = scorer.score(RowLabelScores(templates), columns).to_pylist()
    for (text, labels), best, each in zip(rows, ranked, scores, strict=True):
        one = [pa.array([text], pa.string())]
        expected = scorer.score(ZeroShot(labels, templates), one)[0].as_py() if labels else None
        assert (best is None) == (each is None) == (expected is None)
        if expected:
            assert best["labels"] == expected["labels"]
            assert best["scores"] == pytest.approx(expected["scores"], abs=1e-6)
            assert [name for name, _ in each] == list(labels)
            assert sorted(dict(each).values()) == pytest.approx(sorted(best["scores"]))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([("a", "x"), ("b", None)], TypeError, "descriptions: None is a NoneType"),
        ([("a", "x"), ("b", "x")], ValueError, r"descriptions: \['x'\] given more than once"),
        ([("a", "x"), ("a", "y")], ValueError, r"labels: \['a'\] given more than once"),
    ],
)
def test_bad_description_is_named(scorer, labels, error, message):
    columns = [pa.array(["b"]), pa.array([labels], MAPS), pa.array([False])]
    with pytest.raises(error, match=message):
        scorer.score(RowLabels(), columns)


@pytest.mark.parametrize("task", [RowLabels(), RowLabelScores()])
def test_no_rows_and_no_labels(scorer, task):
    labels = pa.array([], pa.list_(pa.string()))
    assert (
        len(scorer.score(task, [pa.array([], pa.string()), labels, pa.array([], pa.bool_())])) == 0
    )
    nothing = [pa.array(["a", "b"]), pa.nulls(2), pa.array([True, False])]
    assert scorer.score(task, nothing).null_count == 2
    no_flag = [pa.array(["a"]), pa.array([["x", "y"]]), pa.nulls(1, pa.bool_())]
    assert scorer.score(task, no_flag).null_count == 1


def test_slices_and_large_types(scorer):
    columns = every_combination()
    whole = scorer.score(RowLabels(), columns).to_pylist()
    large = [
        columns[0].cast(pa.large_string()),
        columns[1].cast(pa.large_list(pa.large_string())),
        columns[2],
    ]
    part = scorer.score(RowLabels(), [column.slice(5, 50) for column in large]).to_pylist()
    for a, b in zip(part, whole[5:55], strict=True):
        assert (a and a["labels"]) == (b and b["labels"])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (["a", "b", "a"], ValueError, r"labels=\['a', 'b', 'a'\] of a row: .*more than once"),
        (["a", " "], ValueError, r"labels=\['a', ' '\] of a row: .*blank"),
        (["a", None], TypeError, r"labels=\['a', None\] of a row: .*NoneType"),
    ],
)
@pytest.mark.parametrize("text", ["a", None])
def test_bad_array_is_named(scorer, text, labels, error, message):
    """Also where the text is null: whether a query fails does not depend on its texts."""
    columns = [pa.array(["b", text]), pa.array([["x"], labels]), pa.array([False, False])]
    with pytest.raises(error, match=message):
        scorer.score(RowLabels(), columns)


def test_wrong_arguments(scorer):
    with pytest.raises(TypeError, match="labels='travel': pass an array"):
        scorer.score(RowLabels(), [pa.array(["a"]), pa.array(["travel"]), pa.array([False])])
    with pytest.raises(ValueError, match="hypothesis_template="):
        RowLabels("no place")
    with pytest.raises(TypeError, match="multi_label='yes': pass a column of booleans"):
        scorer.score(RowLabels(), [pa.array(["a"]), pa.array([["x"]]), pa.array(["yes"])])


def test_different_label_sets_share_passes_and_pairs(tiny):
    """A loop over label sets would need a pass for each of the 40 rows, and more pairs."""
    scorer = load_scorer(tiny, token_budget=2048)
    logits, passes = scorer._network.logits, []
    scorer._network.logits = lambda inputs: passes.append(logits(inputs)) or passes[-1]
    texts = ["the fox"] * 40
    labels = [[f"label {i % 10}", f"label {i // 10}", "both"] for i in range(1, 41)]
    labels = [list(dict.fromkeys(names)) for names in labels]
    multi = [i % 2 == 0 for i in range(40)]
    batches = (
        [pa.array([t]), pa.array([n]), pa.array([m])]
        for t, n, m in zip(texts, labels, multi, strict=True)
    )
    found = list(scorer.score_stream(RowLabels(), batches))
    assert [len(part) for part in found] == [1] * 40
    assert [sorted(part[0]["labels"].as_py()) for part in found] == [sorted(x) for x in labels]
    assert sum(map(len, passes)) == len({name for names in labels for name in names})
    assert len(passes) <= 2
