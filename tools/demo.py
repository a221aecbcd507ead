"""`make demo`: makes the demo scene, trains on it and classifies it through qgis_process, scores and draws the map."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .qgis_process import ROOT, QgisProcess, QgisProcessError

OUT = ROOT / "build" / "demo"


def demo(qgis: QgisProcess, out: Path) -> None:
    """All steps, each with its time; results in `out`."""
    scene = _step("Scene", lambda: qgis.run("bdgf:createdemoscene", {"FOLDER": out, "SIZE": 300, "SEED": 0}))
    rasters = [scene["OPTICAL"], scene["DSM"]]
    model = out / "model.safetensors"
    _step(
        "Train",
        lambda: qgis.run(
            "bdgf:train",
            {
                "MODALITIES": rasters,
                "GRID": scene["OPTICAL"],
                "SAMPLES": scene["TRAINING"],
                "CLASS_FIELD": "class_id",
                "NAME_FIELD": "class_name",
                "PRESET": "quick",
                "HOLDOUT": 0,
                "MODEL": model,
            },
        ),
    )
    map_path = out / "classification.tif"
    _step(
        "Classify",
        lambda: qgis.run(
            "bdgf:classify",
            {
                "MODEL": model,
                "MODALITIES": rasters,
                "GRID": scene["OPTICAL"],
                "OUTPUT": map_path,
                "CONFIDENCE": out / "confidence.tif",
            },
        ),
    )
    reference = {"REFERENCE": scene["VALIDATION"], "CLASS_FIELD": "class_id", "JSON": out / "accuracy.json"}
    figures = _step("Assess", lambda: qgis.run("bdgf:assess", {"CLASSIFICATION": map_path, **reference}))
    command = [sys.executable, str(ROOT / "tools" / "render_map.py"), str(out), str(out / "map.png")]
    _step("Draw", lambda: subprocess.run(command, env=qgis.environment, check=True))
    print(f"Overall accuracy {figures['OVERALL_ACCURACY']:.3f}, kappa {figures['KAPPA']:.3f}; results in {out}")


def _step(name, work):  # type: ignore[no-untyped-def]
    start = time.monotonic()
    result = work()
    print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
    return result


def main() -> int:
    """Runs the demo in a fresh folder."""
    start = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        with tempfile.TemporaryDirectory(prefix="bdgf-demo-", ignore_cleanup_errors=True) as home:
            demo(QgisProcess(Path(home)), OUT)
    except (QgisProcessError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Demo: {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
