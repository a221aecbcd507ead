"""A worker whose jobs go on until they are cancelled; classifying alone comes to an end where the model says so.

Started as [python, "-I", this file, plugin root, kind]:
loading   never comes to load
train     a training learns without labels or, for any other seed than 0, trains
map       classifies, everything as the first class
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any, NoReturn

import numpy as np

sys.path.insert(0, sys.argv[1])

from model.job.reporter import Reporter
from model.shared.events import BlockDone, Ready
from model.shared.jobs import Block, CheckJob, ClassifyJob, PretrainJob, TrainJob
from model.worker.loop import serve

KIND = sys.argv[2]


def for_ever(reporter: Reporter, phase: str) -> NoReturn:
    while True:
        reporter.progress(phase, 0.5)
        time.sleep(0.02)


class PatientRunner:
    def pretrain(self, job: PretrainJob, reporter: Reporter) -> NoReturn:
        for_ever(reporter, "pretrain")

    def train(self, job: TrainJob, reporter: Reporter) -> NoReturn:
        for_ever(reporter, "train" if job.seed else "pretrain")

    def check(self, job: CheckJob, reporter: Reporter) -> NoReturn:
        for_ever(reporter, "check")

    def open_classifier(self, job: ClassifyJob, reporter: Reporter) -> Any:
        return PatientClassifier(reporter)


class PatientClassifier:
    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def run(self, block: Block) -> BlockDone:
        if KIND != "map":
            for_ever(self._reporter, "classify")
        np.save(block.classes, np.zeros((block.height, block.width), np.uint16))
        np.save(block.confidence, np.ones((block.height, block.width), np.float32))
        return BlockDone(block.number, block.height * block.width)


def load() -> Ready:
    if KIND == "loading":
        time.sleep(600)
    return Ready("2", "none")


if __name__ == "__main__":
    os._exit(serve(PatientRunner(), load))
