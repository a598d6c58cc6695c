"""Models reach the workers: by path, archive and broadcast; sessions, names, changed content."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jobs.common import LABELS, TEXTS, frame, scored
from sessions import connect_mode, connect_session

from sparknlp_zs import spark as zs
from sparknlp_zs.engine.prepared import hash_of
from sparknlp_zs.models import ModelSpec, model_spec
from sparknlp_zs.spark import session as sessions
from sparknlp_zs.spark import shipping
from sparknlp_zs.spark.session import is_connect, sent_before, workers_see
from sparknlp_zs.spark.shipping import SHIPPING, ship


@contextlib.contextmanager
def setting(session, value):
    session.conf.set(SHIPPING, value)
    try:
        yield
    finally:
        session.conf.unset(SHIPPING)


# ---- a cluster, whose executors share no memory and no SparkFiles with the driver


def names(tiny_models):
    return list(tiny_models.values())


def test_cluster_archive(cluster_job, engine_scores, tiny_models):
    model = names(tiny_models)[0]
    assert cluster_job["auto"].startswith(f"sparknlp_zs_{hash_of(model)}_")
    engine_scores.check(cluster_job["archive"], model)
    engine_scores.check(cluster_job["new_session"], model)
    folders = {row["folder"] for row in cluster_job["archive_cached"]}
    assert folders
    assert all(folder.endswith(cluster_job["auto"]) for folder in folders)


def test_cluster_broadcast(cluster_job, engine_scores, tiny_models):
    model = names(tiny_models)[2]
    engine_scores.check(cluster_job["broadcast"], model)
    engine_scores.check(cluster_job["broadcast_again"], model)
    content = hash_of(model)
    rows = [row for row in cluster_job["broadcast_cached"] if row["content"] == content]
    # Executors of one host read one folder.
    assert len({row["folder"] for row in rows}) == 1
    assert Path(rows[0]["folder"]).parent.name == "spilled"
    assert len([x for x in cluster_job["sent"] if content in x]) == 1


def test_cluster_path(cluster_job, engine_scores, tiny_models):
    model = names(tiny_models)[3]
    engine_scores.check(cluster_job["path"], model)
    rows = [row for row in cluster_job["path_cached"] if row["content"] == hash_of(model)]
    assert {row["folder"] for row in rows} == {str(model)}


def test_cluster_same_name_with_new_content(cluster_job, engine_scores, tiny_models):
    engine_scores.check(cluster_job["before"], names(tiny_models)[0])
    engine_scores.check(cluster_job["after"], names(tiny_models)[1])


def test_cluster_two_models_in_one_select(cluster_job, engine_scores, tiny_models):
    first, second = (engine_scores.of(model) for model in names(tiny_models)[:2])
    found = cluster_job["together"]
    assert len(found) == 80
    for row, (a, b) in enumerate(found):
        text = TEXTS[row % len(TEXTS)]
        assert a == pytest.approx(first[text][1], abs=1e-6)
        assert b == pytest.approx(second[text][1], abs=1e-6)


# ---- the choice


def test_classic_local_reads_the_folder_in_place(classic, tiny):
    shipped = ship(classic, model_spec(tiny))
    assert shipped.path == str(tiny)
    assert shipped.archive is None


@pytest.mark.parametrize("way", ["path", "archive", "broadcast"])
def test_each_way_in_classic(classic, engine_scores, tiny, way):
    with setting(classic, way):
        shipped = ship(classic, model_spec(tiny))
        engine_scores.check(scored(frame(classic, 80, 2), tiny), tiny)
    given = {name: getattr(shipped, name) is not None for name in ("path", "archive", "broadcast")}
    assert given == {name: name == way for name in given}


@pytest.mark.parametrize("way", ["path", "archive"])
def test_each_way_in_connect(connect, engine_scores, tiny, way):
    with connect_mode(), setting(connect, way):
        shipped = ship(connect, model_spec(tiny))
        engine_scores.check(scored(frame(connect, 80, 2), tiny), tiny)
    assert (shipped.path is not None, shipped.archive is not None) == (way == "path", way != "path")


def test_wrong_setting(spark, tiny):
    with setting(spark, "carrier pigeon"), pytest.raises(ValueError, match=f"{SHIPPING}='carrier"):
        zs.classify("text", LABELS, model=tiny)


def test_max_length_beyond_the_models_positions(spark, tiny):
    """It fails where the column is made, before any job; as long as the model allows is fine."""
    positions = json.loads((tiny / "config.json").read_text())["max_position_embeddings"]
    with pytest.raises(ValueError, match=f"max_length={positions + 1}: .* for {positions} tokens"):
        zs.classify("text", LABELS, model=ModelSpec(str(tiny), max_length=positions + 1))
    zs.classify("text", LABELS, model=ModelSpec(str(tiny), max_length=positions))


def test_broadcast_needs_classic(connect, tiny):
    with (
        connect_mode(),
        setting(connect, "broadcast"),
        pytest.raises(ValueError, match=r"'broadcast' needs classic Spark.*'archive'"),
    ):
        zs.classify("text", LABELS, model=tiny)


@pytest.mark.parametrize(
    ("folder", "databricks", "seen"),
    [
        ("/Volumes/main/models/nli", True, True),
        ("/dbfs/models/nli", True, True),
        ("/Volumes/main/models/nli", False, False),  # a disk of macOS
        ("/local_disk0/nli", True, False),
        ("/dbfs2/nli", True, False),
    ],
)
def test_folders_that_every_worker_sees(connect, monkeypatch, folder, databricks, seen):
    monkeypatch.delenv("DATABRICKS_RUNTIME_VERSION", raising=False)
    if databricks:
        monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    assert workers_see(connect, Path(folder)) == seen


def test_volume_is_read_in_place(connect, tiny, tmp_path, monkeypatch):
    """On Databricks a folder in a Volume is not sent, nor is one converted into a Volume."""
    volume = tmp_path / "Volumes"
    shutil.copytree(tiny, volume / "model")
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    monkeypatch.setattr(sessions, "_DATABRICKS_SHARED", (f"{volume}/",))
    assert ship(connect, model_spec(volume / "model")).path == str(volume / "model")
    half = ModelSpec(str(volume / "model"), dtype="bfloat16")
    assert ship(connect, half).path is None
    monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(volume / "cache"))
    assert ship(connect, half).path.startswith(f"{volume}/cache/models/")


def test_path_with_weights_converted_on_the_driver(connect, tiny, monkeypatch, tmp_path):
    monkeypatch.delenv("SPARKNLP_ZS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with setting(connect, "path"):
        assert ship(connect, model_spec(tiny)).path == str(tiny)
        with pytest.raises(ValueError, match=r"not stored as bfloat16.*SPARKNLP_ZS_CACHE"):
            ship(connect, ModelSpec(str(tiny), dtype="bfloat16"))


def test_restricted_configuration_means_auto(connect, tiny, monkeypatch):
    """Databricks' serverless compute refuses settings that it does not know."""
    from pyspark.errors import AnalysisException
    from pyspark.sql.connect.conf import RuntimeConf

    def refuse(self, key, *default):
        raise AnalysisException(f"[CONFIG_NOT_AVAILABLE] {key}")

    monkeypatch.setattr(RuntimeConf, "get", refuse)
    monkeypatch.setattr(RuntimeConf, "set", refuse)
    assert ship(connect, model_spec(tiny)).archive is not None


# ---- what travels


def test_hub_id_is_resolved_on_the_driver(spark, engine_scores, tiny, tmp_path, monkeypatch):
    """The workers, which do not know the driver's hub cache, never ask for the id."""
    from huggingface_hub import constants

    repository = tmp_path / "models--some--nli"
    shutil.copytree(tiny, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    engine_scores.check(scored(frame(spark, 80, 2), "some/nli"), tiny)
    assert "some/nli" not in repr(ship(spark, model_spec("some/nli")))


@pytest.fixture
def sent(monkeypatch):
    """What Connect clients send meanwhile, slowly."""
    from pyspark.sql.connect.session import SparkSession

    sent = []
    original = SparkSession.addArtifacts

    def counting(self, *paths, **kinds):
        sent.append(paths)
        time.sleep(0.3)
        return original(self, *paths, **kinds)

    monkeypatch.setattr(SparkSession, "addArtifacts", counting)
    return sent


def test_connect_ships_each_model_once_per_session(connect, tiny_models, sent):
    tiny = tiny_models["distilbert"]
    sent_before(connect).clear()
    first = ship(connect, model_spec(tiny))
    again = ship(connect, model_spec(tiny))
    other = ship(connect, ModelSpec(str(tiny), dtype="bfloat16"))
    assert first == again
    assert first.archive != other.archive
    assert len(sent) == 2
    # Another client of the same session, with an archive made anew, is not refused.
    archive_of(first).unlink()
    sent_before(connect).clear()
    assert ship(connect, model_spec(tiny)) == first


def test_cache_with_an_odd_path(spark, engine_scores, tiny_models, tmp_path, monkeypatch):
    """Spark takes a path for a URI; classic Spark then ran no job any more."""
    cache = tmp_path / "John Smith #1?%20 ü"
    cache.mkdir()
    model = ModelSpec(str(tiny_models["deberta-v2"]), max_length=61)
    sent_before(spark).clear()
    monkeypatch.setattr(shipping, "cache_folder", lambda: cache)
    with setting(spark, "archive"):
        engine_scores.check(scored(frame(spark, 80, 2), model), tiny_models["deberta-v2"])
    assert list((cache / "archives").glob("*.zip"))


def test_threads_send_a_model_once(connect, tiny_models, sent):
    model = ModelSpec(str(tiny_models["roberta"]), dtype="float16")
    with ThreadPoolExecutor(5) as pool:
        archives = list(pool.map(lambda _: ship(connect, model).archive, range(5)))
    assert len(set(archives)) == len(sent) == 1


def test_archive_beside_the_folder_of_an_isolated_session(tmp_path):
    (tmp_path / "session").mkdir()
    (tmp_path / "model").mkdir()
    assert shipping.unpacked(tmp_path / "session", "model") == tmp_path / "model"


def test_cache_that_cannot_be_written(spark, tiny, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(shipping, "cache_folder", lambda: tmp_path / "file")
    with setting(spark, "archive"), pytest.raises(OSError, match=r"cache .*SPARKNLP_ZS_CACHE"):
        ship(spark, model_spec(tiny))


def test_same_name_with_new_content(spark, engine_scores, tiny_models, tmp_path):
    folder = tmp_path / "model"
    for name in ("bert", "deberta-v2"):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tiny_models[name], folder)
        engine_scores.check(scored(frame(spark, 80, 2), folder), tiny_models[name])


def test_folder_replaced_before_the_column_runs(classic, engine_scores, tiny_models, tmp_path):
    """The new weights must not pass for the old ones, in this job or a later one."""
    first, second = (tiny_models[name] for name in ("roberta", "distilbert"))
    folder = shutil.copytree(first, tmp_path / "model")
    rows = frame(classic, 80, 2)
    late = rows.withColumn(
        "zs", zs.classify("text", LABELS, model=ModelSpec(str(folder), max_length=60))
    )
    shutil.rmtree(folder)
    shutil.copytree(second, folder)
    with pytest.raises(Exception, match="is another than when the column was made"):
        late.collect()
    for path in (folder, folder / "config.json"):
        os.utime(path, (1e9, 1e9))  # other times alone are no other model
    engine_scores.check(scored(rows, folder), second)
    engine_scores.check(scored(rows, first), first)


def test_new_session(spark, engine_scores, tiny):
    if is_connect(spark) and spark.version < "4.1":
        pytest.skip("Connect has no newSession before 4.1")
    second = spark.newSession()
    with zs.use_session(second):
        engine_scores.check(scored(frame(second, 80, 2), tiny), tiny)


def test_second_connect_session(server, connect, engine_scores, tiny):
    """Its workers do not see what the first session was sent: the model goes there as well."""
    with connect_session(server) as second, connect_mode():
        engine_scores.check(scored(frame(connect, 80, 2), tiny), tiny)
        with zs.use_session(second):
            engine_scores.check(scored(frame(second, 80, 2), tiny), tiny)
        other = ModelSpec(str(tiny), dtype="float16")
        with zs.use_session(connect):
            column = zs.classify("text", LABELS, model=other)
        with pytest.raises(Exception, match=r"zs\.use_session\(df\.sparkSession\)"):
            frame(second, 4, 1).select(column).collect()


def test_archive_holds_the_needed_files_only(connect, tiny, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    (folder / "optimizer.pt").write_bytes(b"x" * 100)
    (folder / "README.md").write_text("a card")
    shipped = ship(connect, model_spec(folder))
    assert shipped.archive == ship(connect, model_spec(tiny)).archive
    names = zipfile.ZipFile(archive_of(shipped)).namelist()
    assert {name for name in names if not name.startswith("described/")} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    described = {name.split("/")[-1] for name in names if name.startswith("described/")}
    assert described == {"config.json", "tokenizer.json", "facts.json"}


def archive_of(shipped):
    return shipping.cache_folder() / "archives" / f"{shipped.archive}.zip"


LOADING = """
import sys
from pathlib import Path
import pyarrow as pa
from sparknlp_zs.engine.loading import load_scorer
from sparknlp_zs.tasks import ZeroShot
task = ZeroShot(["travel", "money"])
found = load_scorer(Path(sys.argv[1])).score(task, [pa.array(["a card"])])
print(found.field("score").to_pylist(), "transformers" in sys.modules)
"""


def test_new_host_does_not_import_transformers(connect, tiny_models, tmp_path, monkeypatch):
    """What the driver keeps of configurations and tokenizers comes with the archive."""
    shipped = ship(connect, model_spec(tiny_models["bert"]))
    with zipfile.ZipFile(archive_of(shipped)) as packed:
        packed.extractall(tmp_path / "full")
    shutil.copytree(tmp_path / "full", tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare" / "described")
    outputs = []
    for name in ("full", "bare"):
        monkeypatch.setenv("SPARKNLP_ZS_CACHE", str(tmp_path / f"cache of {name}"))
        command = [sys.executable, "-c", LOADING, str(tmp_path / name)]
        outputs.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert outputs[0].replace("False", "True") == outputs[1]
    assert [x.endswith("True\n") for x in outputs] == [False, True]
    assert not (tmp_path / "cache of full" / "described").exists()


def test_archive_of_a_model_that_cannot_be_described_here(connect, tiny_models, monkeypatch):
    """The tokenizer may need a library that only the workers have."""

    def missing(folder):
        raise ImportError("sentencepiece")

    monkeypatch.setattr("sparknlp_zs.engine.described._made", missing)
    monkeypatch.setattr("sparknlp_zs.engine.described._FORMAT", "unknown")
    shipped = ship(connect, model_spec(tiny_models["roberta"]))
    names = zipfile.ZipFile(archive_of(shipped)).namelist()
    assert "model.safetensors" in names
    assert not any(name.startswith("described/") for name in names)


def test_worker_that_does_not_see_the_path(classic, tiny, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    shipped = ship(classic, model_spec(folder))
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError, match=f"{SHIPPING}=archive"):
        shipped.folder()
