"""Measures what suggested pixels are worth beside random ones: python -m tests.benchmarks.suggesting --scene NAME ...

Rows that are in the file are not measured again.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.workflows.session import end_idle_worker, worker_session
from bdgf.tests.benchmarks.accuracy.scene import find_scene
from bdgf.tests.benchmarks.accuracy.validation_log import ValidationLog
from bdgf.tests.benchmarks.suggesting.mapper import Mapper
from bdgf.tests.benchmarks.suggesting.rounds import CHOICES, rounds

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", nargs="+", required=True)
    parser.add_argument("--draws", type=int, nargs="+", default=range(10))
    parser.add_argument("--choices", nargs="+", default=CHOICES)
    parser.add_argument("--final", action="store_true", help="measure with the validation polygons")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "suggesting")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    log = ValidationLog(given.out / "validation.log", ROOT / "docs" / "validation-uses.md")
    with worker_session() as worker:
        mapper = Mapper(worker, "cpu", given.out / "pretrained")
        for name in given.scene:
            scene = find_scene(name, given.out)
            path = given.out / f"{scene.name}{'-final' if given.final else ''}.csv"
            there = set()
            if path.exists():
                there = {(int(row[0]), row[1]) for row in csv.reader(path.open())}
            validation = None
            if given.final:
                validation = scene.validation_samples(log, [f"suggesting {choice}" for choice in given.choices])
            with open_stack(scene.sources(), scene.sources()[0]) as stack:
                for draw in given.draws:
                    wanted = [choice for choice in given.choices if (draw, choice) not in there]
                    if not wanted:
                        continue
                    for found in rounds(stack, scene.training_samples(), validation, draw, wanted, mapper):
                        with open(path, "a", newline="", encoding="utf-8") as file:
                            csv.writer(file).writerow([found.draw, found.choice, found.overall, found.average])
                        print(name, found, flush=True)
    end_idle_worker()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
