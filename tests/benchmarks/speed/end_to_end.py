"""Classify through QGIS's Processing, start-up apart; run as a process of its own: `end_to_end MODEL SCENE MAP`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import bdgf.tests.home  # noqa: F401  # a home of its own, before Qt starts

# isort: split
from qgis.core import QgsApplication, QgsProcessingFeedback, QgsRasterLayer

_WARM_UP = 100  # pixels along a side


def measure(model: str, scene: str, target: str) -> dict[str, float]:
    """Seconds and pixels of a whole map by a worker that is warm, and peak memory (MiB) of QGIS and the worker."""
    import processing

    layer = QgsRasterLayer(scene)
    extent, step = layer.extent(), layer.rasterUnitsPerPixelX() * _WARM_UP
    corner = f"{extent.xMinimum()},{extent.xMinimum() + step},{extent.yMaximum() - step},{extent.yMaximum()}"
    given = {"MODEL": model, "MODALITIES": [scene], "DEVICE": "cpu", "OUTPUT": target}
    feedback = QgsProcessingFeedback(False)
    processing.run("bdgf:classify", {**given, "EXTENT": f"{corner} [{layer.crs().authid()}]"}, feedback=feedback)
    began = time.perf_counter()
    results = processing.run("bdgf:classify", given, feedback=feedback)
    took = time.perf_counter() - began
    worker = max((_peak(pid) for pid in _children(os.getpid())), default=0.0)
    return {"seconds": took, "pixels": results["CLASSIFIED_PIXELS"], "qgis": _peak(os.getpid()), "worker": worker}


def _peak(process: int) -> float:
    """Largest resident memory up to now, MiB; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _children(process: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if int(text[text.rindex(")") + 2 :].split()[1]) == process:
            found.append(int(path.parent.name))
    return found


def main(arguments: Sequence[str]) -> None:
    """Prints what was measured as JSON, as the last line."""
    os.environ["BDGF_PYTHON"] = sys.executable
    application = QgsApplication([], False)
    application.initQgis()
    sys.path.append(str(Path(QgsApplication.pkgDataPath()) / "python" / "plugins"))
    from processing.core.Processing import Processing

    from bdgf.bdgf_qgis.provider import BdgfProvider
    from bdgf.bdgf_qgis.workflows.session import end_idle_worker

    Processing.initialize()
    provider = BdgfProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    try:
        print(json.dumps(measure(*arguments)), flush=True)
    finally:
        end_idle_worker()
    os._exit(0)  # QGIS's own end is no part of this, and may crash in an embedding Python


if __name__ == "__main__":
    main(sys.argv[1:])
