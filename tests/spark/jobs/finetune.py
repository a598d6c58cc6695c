"""local-cluster[2,1,1024]: a fine-tuning in two processes, on two executors."""

from __future__ import annotations

from pathlib import Path

from common import arguments, report, two_executors
from labelled_toy import toy

from sparknlp_zs import spark as zs
from sparknlp_zs.training import Finetuned


def main(model: str, output: str, settings: dict) -> None:
    with two_executors() as spark:
        classifier = zs.finetune(
            spark.createDataFrame(toy()).repartition(3),
            output=output,
            model=model,
            num_processes=2,
            local_mode=False,
            **settings,
        )
    metrics = Finetuned.read(Path(output)).metrics
    report({"metrics": metrics, "labels": classifier.getLabels()})


if __name__ == "__main__":
    main(**arguments())
