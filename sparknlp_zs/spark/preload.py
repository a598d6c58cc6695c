"""Worker daemon that imports torch and transformers once, before it forks the workers.

Opt-in, where a session is started: ``spark.python.daemon.module=sparknlp_zs.spark.preload``.
The package must be installed for the Python of every host. Workers then start at once and share
the memory of the imported libraries.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Iterator

# What a worker imports to score, but for models without a fast network: transformers' code for
# models takes as long again.
MODULES = (
    "pyspark.worker",
    "pandas",
    "pyarrow",
    "sparknlp_zs.engine.loading",
    "sparknlp_zs.engine.networks.bert",
    "sparknlp_zs.engine.networks.deberta",
    "sparknlp_zs.spark.workers",
    "transformers.models.auto.configuration_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.tokenization_utils_tokenizers",
)


def preload() -> None:
    """Import what workers need, and nothing more: no tensor is made before the fork.

    A torch operation would start threads, and CUDA a context, that do not survive a fork.
    """
    # torch asks the driver's library for GPUs then, not CUDA, which a fork would break.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with _quiet_stdout():
        for name in MODULES:
            importlib.import_module(name)
    # Forked workers would otherwise copy every page whose objects the collector visits.
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _quiet_stdout() -> Iterator[None]:
    """What libraries print goes to stderr: Spark reads the daemon's port from stdout."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


if __name__ == "__main__":
    from pyspark.daemon import manager

    preload()
    manager()
