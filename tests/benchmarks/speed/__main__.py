"""The command line: measures, keeps build/speed/speed.json, and writes the tables of docs/performance.md.

python -m tests.benchmarks.speed            # presets quick and standard, scenes of 1000 and 2000 pixels, minutes
python -m tests.benchmarks.speed --long     # with 4000 pixels and preset thorough
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import bdgf.tests.home  # noqa: F401  # a home for QGIS that is removed at the end
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.benchmarks.speed.report import tables, with_tables
from bdgf.tests.benchmarks.speed.scene import write_scene
from bdgf.tests.benchmarks.speed.subject import write_model

ROOT = Path(__file__).resolve().parents[3]
_HERE = "bdgf.tests.benchmarks.speed"


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    asked = argparse.ArgumentParser("python -m tests.benchmarks.speed", description=__doc__.partition("\n")[0])
    asked.add_argument("--preset", nargs="+", default=["quick", "standard"], choices=sorted(PRESETS))
    asked.add_argument("--side", nargs="+", type=int, default=[1000, 2000], help="of the scenes, pixels")
    asked.add_argument("--rounds", type=int, default=3, help="of the network alone and end to end in turn")
    asked.add_argument("--seconds", type=float, default=6.0, help="that each rate is measured for")
    asked.add_argument("--long", action="store_true", help="also 4000 pixels, and preset thorough")
    asked.add_argument("--note", default="", help="a sentence for the page, as on what else the machine did")
    asked.add_argument("--out", type=Path, default=ROOT / "build" / "speed")
    asked.add_argument("--docs", type=Path, default=ROOT / "docs" / "performance.md", help="page to put the tables in")
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything asked for."""
    options = parser().parse_args(arguments)
    if options.long:
        options.side, options.preset = [*options.side, 4000], [*options.preset, "thorough"]
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bdgf-speed-") as folder:
        measured = measure(options, Path(folder))
    (options.out / "speed.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    text = tables(measured)
    (options.out / "speed.md").write_text(text, encoding="utf-8")
    options.docs.write_text(with_tables(options.docs.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(text)
    return 0


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """By preset: the rounds of the network alone, and of each scene size end to end; the forest; a GPU if there."""
    scenes = {side: folder / f"scene-{side}.tif" for side in options.side}
    for side, path in scenes.items():
        write_scene(path, side)
    presets = {}
    for preset in options.preset:
        model = folder / f"{preset}.safetensors"
        write_model(model, PRESETS[preset])
        bare, whole = [], {side: [] for side in scenes}
        for number in range(options.rounds):
            print(f"{preset}, round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            bare.append(_run("bare", model, "cpu", min(options.side), options.seconds))
            for side, path in scenes.items():
                whole[side].append(_run("end_to_end", model, path, folder / "map.tif"))
        presets[preset] = {"bare": bare, "end_to_end": whole, "timesteps": len(PRESETS[preset].branches.timesteps)}
        presets[preset]["gpu"] = _run("bare", model, "cuda", min(options.side), options.seconds) if _has_gpu() else None
    forest = [_run("forest", options.seconds) for _ in range(options.rounds)]
    return {"presets": presets, "forest": median(forest), "note": options.note}


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _run(module: str, *arguments: object) -> Any:
    """The last line that a measuring process prints."""
    command = [sys.executable, "-m", f"{_HERE}.{module}", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
