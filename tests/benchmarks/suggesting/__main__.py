"""Measures what suggested pixels are worth beside random ones: python -m tests.benchmarks.suggesting --scene NAME."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.workflows.session import end_idle_worker
from bdgf.tests.benchmarks.accuracy.draws import hold_out
from bdgf.tests.benchmarks.accuracy.scene import Samples, find_scene
from bdgf.tests.benchmarks.accuracy.validation_log import ValidationLog
from bdgf.tests.benchmarks.suggesting.pixel_maps import PixelMaps
from bdgf.tests.benchmarks.suggesting.rounds import CHOICES, rounds

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", nargs="+", required=True)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--choices", nargs="+", default=CHOICES)
    parser.add_argument("--final", action="store_true", help="measure with the validation polygons, else hold out")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "suggesting")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    log = ValidationLog(given.out / "validation.log", ROOT / "docs" / "validation-uses.md")
    for name in given.scene:
        scene = find_scene(name, given.out)
        training = scene.training_samples()
        validation = Samples((), "")
        if given.final:
            validation = scene.validation_samples(log, [f"suggesting {choice}" for choice in given.choices])
        with open_stack(scene.sources(), scene.sources()[0]) as stack:
            everything = Samples((*training.polygons, *validation.polygons), training.crs_wkt)
            maps = PixelMaps(stack, everything, given.out / "pretrained")
            path = given.out / f"{scene.name}{'-final' if given.final else ''}.csv"
            with open(path, "w", newline="", encoding="utf-8") as file:
                for draw in range(given.draws):
                    pool, measured = (training, validation) if given.final else hold_out(training, draw)
                    for found in rounds(stack, maps, pool, measured, draw, given.choices):
                        csv.writer(file).writerow([found.draw, found.choice, found.overall, found.average])
                        file.flush()
                        print(name, found, flush=True)
    end_idle_worker()


if __name__ == "__main__":
    main()
