"""The command line: which rows to measure, where to; writes the table of all rows that are there.

python -m tests.benchmarks.accuracy --scene demo trento_lidar --seeds 3 --baselines
python -m tests.benchmarks.accuracy --ablate
python -m tests.benchmarks.accuracy --scene nc_landsat --labels 10px --baselines
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from bdgf.model.shared.settings import PRESETS
from bdgf.tests.benchmarks.accuracy.draws import amount
from bdgf.tests.benchmarks.accuracy.masking import draw_masking
from bdgf.tests.benchmarks.accuracy.measure import Bench
from bdgf.tests.benchmarks.accuracy.parts import MASKING, PARTS, WHOLE, with_part
from bdgf.tests.benchmarks.accuracy.rows import BASELINES, BDGF, Row, RowStore
from bdgf.tests.benchmarks.accuracy.scene import Scene, SceneError, find_scene
from bdgf.tests.benchmarks.accuracy.table import page
from bdgf.tests.benchmarks.accuracy.validation_log import ValidationLog

ROOT = Path(__file__).resolve().parents[3]
SCARCE_DRAWS = 5


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    asked = argparse.ArgumentParser("python -m tests.benchmarks.accuracy", description=__doc__.partition("\n")[0])
    asked.add_argument("--scene", nargs="+", default=[], help="name below BDGF_SCENES, folder, demo or demo-SEED")
    asked.add_argument("--preset", nargs="+", default=["quick"], choices=sorted(PRESETS))
    asked.add_argument("--seeds", default="1", help="a number of seeds from 0, or a list as 0,3")
    asked.add_argument(
        "--parts", nargs="*", default=[WHOLE], help=f"of BDGF: {', '.join(PARTS)}; or group.name=value, joined by +"
    )
    asked.add_argument("--modality", nargs="*", default=["all"], help="all, each, or names of rasters joined by +")
    asked.add_argument("--baselines", nargs="*", choices=BASELINES, help="all three where none is named")
    asked.add_argument("--labels", nargs="+", default=[""], help="a class: 10px, 2poly; all without")
    asked.add_argument("--draws", help="of hold-outs and scarce labels: a number or a list; 5 where labels are scarce")
    asked.add_argument("--ablate", action="store_true", help="all parts; demo and trento_lidar unless scenes are named")
    asked.add_argument("--masking", action="store_true", help="the three maskings, with all and with 10px a class")
    asked.add_argument("--final", action="store_true", help="measure on the validation polygons, and log that")
    asked.add_argument("--pretrain-steps", type=int)
    asked.add_argument("--steps", type=int)
    asked.add_argument("--epochs", type=int, help="of the patch CNN")
    asked.add_argument("--device", default="auto")
    asked.add_argument("--out", type=Path, default=ROOT / "build" / "accuracy")
    asked.add_argument("--uses", type=Path, default=ROOT / "docs" / "validation-uses.md", help="table of final uses")
    asked.add_argument("--table", action="store_true", help="only write the table of the rows that are there")
    asked.add_argument("--figures", type=Path, help="folder to draw the course of the masking to, from the rows there")
    return asked


def rows_of(scene: Scene, options: argparse.Namespace) -> list[Row]:
    """The rows that options ask for in a scene; of a method without chance only the first seed."""
    rows: list[Row] = []
    baselines = () if options.baselines is None else options.baselines or BASELINES
    seeds = numbers(options.seeds)
    for labels, modalities in product(options.labels, _subsets(scene, options.modality)):
        varies = bool(labels) or not options.final
        for draw in numbers(options.draws or (str(SCARCE_DRAWS) if labels else "1")) if varies else [0]:
            same = {"modalities": modalities, "labels": labels, "final": options.final, "draw": draw}
            for method, seed in product(baselines, seeds):
                if method != "svm" or seed == seeds[0]:
                    epochs = options.epochs if method == "cnn" else None
                    rows.append(Row(scene.name, method, seed=seed, epochs=epochs, **same))
            for preset, part, seed in product(options.preset, options.parts, seeds):
                steps = {"pretrain_steps": options.pretrain_steps, "steps": options.steps}
                rows.append(Row(scene.name, BDGF, preset, part, seed=seed, **steps, **same))
    return rows


def numbers(text: str) -> list[int]:
    """'3' is 0, 1, 2; '1,4' is 1, 4. Raises ValueError for anything else."""
    return [int(each) for each in text.split(",") if each] if "," in text else list(range(int(text)))


def _subsets(scene: Scene, wanted: Sequence[str]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for each in wanted or ["all"]:
        if each == "all":
            found.append(())
        elif each == "each":
            found += [(name,) for name in scene.modalities]
        else:
            names = each.split("+")
            scene.sources(tuple(names))  # raises where one is not there
            found.append(tuple(name for name in scene.modalities if name in names))
    return list(dict.fromkeys(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, then write the table; 0 where every row is there."""
    options = parser().parse_args(arguments)
    if options.ablate:
        options.scene, options.parts = options.scene or ["demo", "trento_lidar"], list(PARTS)
    if options.masking:
        options.scene, options.parts = options.scene or ["demo", "trento_lidar"], list(MASKING)
        options.labels = ["", "10px"]
    failed = 0
    try:
        for part in options.parts:
            with_part(PRESETS["quick"], part)
        for labels in filter(None, options.labels):
            amount(labels)
        scenes = [find_scene(each, options.out) for each in options.scene] if not options.table else []
        plans = [(scene, rows_of(scene, options)) for scene in scenes]
        log = ValidationLog(options.out / "validation-uses.log", options.uses)
        bench = Bench(options.device, options.out, log, lambda text: print(text, flush=True))
        for scene, rows in plans:
            failed += bench.measure(scene, rows)
            write_table(options.out)
        write_table(options.out)
        if options.figures:
            draw_masking(RowStore(options.out / "rows"), options.figures)
    except (SceneError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(options.out / "accuracy.md")
    return 1 if failed else 0


def write_table(out: Path) -> None:
    """The table beside the rows."""
    (out / "accuracy.md").write_text(page(RowStore(out / "rows")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
