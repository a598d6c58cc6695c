"""local-cluster[2,1,1024]: a fine-tuning in two processes, on two executors."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from common import arguments, report
from labelled_toy import toy
from pyspark.sql import SparkSession

from sparknlp_zs import spark as zs
from sparknlp_zs.training import Finetuned


def main(model: str, output: str, settings: dict) -> None:
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
        .config("spark.driver.memory", "1g")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    work = os.path.join(os.environ["SPARK_HOME"], "work", spark.sparkContext.applicationId)
    try:
        classifier = zs.finetune(
            spark.createDataFrame(toy()).repartition(3),
            output=output,
            model=model,
            num_processes=2,
            local_mode=False,
            **settings,
        )
        tuned = Finetuned.read(Path(output))
        report(
            {
                "metrics": tuned.metrics,
                "labels": classifier.getLabels(),
            }
        )
    finally:
        spark.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(**arguments())
