"""Fixtures shared by tests and doctests: small random models, the starter model, Spark."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

# Before any test imports a library that reads them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["SPARKNLP_ZS_CACHE"] = tempfile.mkdtemp(prefix="sparknlp_zs_cache_")
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
sys.path.insert(0, str(Path(__file__).parent / "tests"))

from tiny_adapters import make_adapter
from tiny_models import ARCHITECTURES, make_model

from sparknlp_zs.models import STARTER_PATH

CACHE = os.environ["SPARKNLP_ZS_CACHE"]  # workers and jobs share it


def pytest_unconfigure() -> None:
    """Remove the cache, after all sessions and jobs that used it."""
    shutil.rmtree(CACHE, ignore_errors=True)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what the Spark at hand cannot do."""
    if collection_path.parts[-2:] == ("spark", "pandas.py"):
        # Spark 4.0 has ANSI mode on, in which its pandas API refuses to work.
        older = _imports("pyspark") and version("pyspark").startswith("4.0.")
        return None if _imports("pyspark.pandas") and not older else True
    if collection_path.name in ("sql.py", "test_sql.py"):
        # Spark 3 has no SQL functions: test_udfs.py tests what is registered in their place.
        return None if _imports("pyspark.sql.functions", "collate") else True
    if collection_path.parts[-2:] in (("spark", "finetune.py"), ("spark", "finetuner.py")):
        return None if _imports("accelerate") else True
    return None


def _imports(module: str, name: str | None = None) -> bool:
    try:
        found = import_module(module)
    except ImportError:
        return False
    return name is None or hasattr(found, name)


@pytest.fixture(scope="session")
def starter() -> Path:
    """The folder of the bundled model."""
    return Path(STARTER_PATH)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of small random models with three NLI classes, by architecture."""
    root = tmp_path_factory.mktemp("models")
    return {name: make_model(name, root / name) for name in ARCHITECTURES}


@pytest.fixture(scope="session")
def tiny(tiny_models: dict[str, Path]) -> Path:
    """One small random model, for what does not depend on the architecture."""
    return tiny_models["bert"]


@pytest.fixture(scope="session")
def tiny_heads(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small DeBERTa with a made-up adapter beside it, found by its name."""
    root = tmp_path_factory.mktemp("some-nli")
    make_adapter(root / "tiny-adapters")
    return shutil.copytree(tiny_models["deberta-v2"], root / "tiny-nli")


@pytest.fixture(scope="session")
def moods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random classifier with three classes of its own."""
    return make_model("bert", tmp_path_factory.mktemp("moods") / "bert", ("sad", "neutral", "glad"))


@pytest.fixture(scope="session")
def classic():
    """A classic Spark session with two worker threads."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .appName("sparknlp_zs tests")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.memory", "1g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def _doctest_session(request: pytest.FixtureRequest) -> None:
    """Doctests of the Spark surface find a session under the name ``spark``."""
    name = getattr(request.node, "name", "")
    if isinstance(request.node, pytest.DoctestItem) and ".spark." in name:
        namespace = request.getfixturevalue("doctest_namespace")
        namespace["spark"] = request.getfixturevalue("classic")
    if isinstance(request.node, pytest.DoctestItem) and "head" in name:
        # Task heads need a model with an adapter, and none is bundled.
        namespace = request.getfixturevalue("doctest_namespace")
        namespace["model"] = str(request.getfixturevalue("tiny_heads"))
    elif isinstance(request.node, pytest.DoctestItem) and any(x in name for x in _CLASSIFIERS):
        namespace = request.getfixturevalue("doctest_namespace")
        namespace["model"] = str(request.getfixturevalue("moods"))


_CLASSIFIERS = ("classifier", "Classifier", "predict")
