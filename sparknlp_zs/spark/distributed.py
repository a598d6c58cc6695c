"""A fine-tuning in training processes of Spark's TorchDistributor, on classic and Connect."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sparknlp_zs.model_files import needed_files
from sparknlp_zs.spark.session import as_active, workers_see
from sparknlp_zs.training.finetuned import Finetuned
from sparknlp_zs.training.finetuning import run
from sparknlp_zs.training.job import Job

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Spark Connect takes messages of up to 128 MiB, and the rows are in one, pickled.
MOST_BYTES = 64 << 20
BASE_MODEL = "base_model"


@dataclass(frozen=True)
class Processes:
    """Where the training processes run, and how many they are.

    Parameters
    ----------
    count : int
    local : bool
        On the driver (with Spark Connect: the client), else on the executors.
    gpu : bool
        One GPU for each.
    """

    count: int = 1
    local: bool = True
    gpu: bool = False


def train(
    session: SparkSession, job: Job, processes: Processes, resume: bool, overwrite: bool
) -> Finetuned:
    """Run the job in its processes.

    A single local process on the CPU is the driver itself.

    Raises
    ------
    ValueError
        If the rows are too many to be sent to executors.
    RuntimeError
        If a process fails; with its last output.
    """
    job = replace(job, settings=replace(job.settings, use_cpu=not processes.gpu))
    if processes == Processes():
        return run(job, resume, overwrite)
    if not processes.local:
        _check_size(job)
    from pyspark.ml.torch.distributor import TorchDistributor

    job.check_output(resume, overwrite)
    job.output.mkdir(parents=True, exist_ok=True)
    mark = job.output / f".seen_{uuid.uuid4().hex}"
    mark.touch()
    try:
        sent = job if processes.local else _with_shared_model(session, job)
        with as_active(session):  # not asked for a session, it takes the active one
            distributor = TorchDistributor(
                num_processes=processes.count, local_mode=processes.local, use_gpu=processes.gpu
            )
        distributor.run(train_share, sent, mark.name, resume, overwrite)
    finally:
        mark.unlink(missing_ok=True)
        shutil.rmtree(job.output / BASE_MODEL, ignore_errors=True)
    # The distributor may return any process's value: what was written is what counts.
    return Finetuned.read(job.output)


def train_share(job: Job, mark: str, resume: bool, overwrite: bool) -> None:
    """What each process runs.

    Raises
    ------
    RuntimeError
        If it does not see the driver's folder.
    """
    import torch.distributed

    if not (job.output / mark).is_file():
        raise RuntimeError(
            f"outputPath={str(job.output)!r}: this process does not see the driver's folder; name "
            "one on a file system that driver and executors share, or train with localMode=True"
        )
    try:
        run(job, resume, overwrite)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _check_size(job: Job) -> None:
    parts = [job.rows] if job.validation is None else [job.rows, job.validation]
    size = sum(len(text.encode()) for rows in parts for text in rows.texts)
    if size > MOST_BYTES:
        raise ValueError(
            f"localMode=False: the texts have {size >> 20} MB, and at most {MOST_BYTES >> 20} are "
            "sent to executors; train on fewer rows, or with localMode=True"
        )


def _with_shared_model(session: SparkSession, job: Job) -> Job:
    """The job with its model where executors see it: beside the output, which they share."""
    if workers_see(session, job.model):
        return job
    shared = job.output / BASE_MODEL
    shared.mkdir(exist_ok=True)
    for path in needed_files(job.model):
        shutil.copyfile(path, shared / path.name)
    return replace(job, model=shared)
