"""A fresh session: the demo scene and a training layer from their dialogs, then algorithms as a model runs them."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from inside import HOME, Run, let_threads_end, main, tell, wait
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsTask,
    QgsVectorLayer,
)

CLASSES = [1, "water", "", 2, "grass", ""]
_kept: list[Any] = []  # tasks and what they use


def state(layers: list[QgsMapLayer]) -> dict[str, bool]:
    """By name, whether the reference system can be written down."""
    return {each.name(): each.crs().isValid() and bool(each.crs().toWkt()) for each in layers}


def without_wkt(project: str) -> int:
    """How many reference systems of a project file have a name and no definition."""
    with zipfile.ZipFile(project) as archive:
        root = ElementTree.fromstring(archive.read(f"{Path(project).stem}.qgs"))
    systems = list(root.iter("spatialrefsys"))
    assert [each for each in systems if each.findtext("authid")]
    return sum(bool(each.findtext("authid")) and not each.findtext("wkt") for each in systems)


def system_of(path: str) -> int:
    """The reference system that a GeoPackage's layer names."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT srs_id FROM gpkg_geometry_columns").fetchone()[0])


def in_a_thread(algorithm: str, parameters: dict[str, Any]) -> bool:
    """Prepare and run it in a thread of the pool, as a child of a model; whether it went well."""
    made = QgsApplication.processingRegistry().createAlgorithmById(f"bdgf:{algorithm}")
    ended: list[bool] = []

    def work(task: QgsTask) -> None:
        _, well = made.run(parameters, QgsProcessingContext(), QgsProcessingFeedback())
        ended.append(well)

    task = QgsTask.fromFunction("as in a model", work)
    _kept.extend((made, task))
    QgsApplication.taskManager().addTask(task)
    return wait(lambda: bool(ended), 30) and ended[0]


def from_dialogs() -> None:
    demo = Run("createdemoscene", {"FOLDER": str(HOME / "scene"), "SIZE": 120, "SEED": 1}).wait()
    project = QgsProject.instance()
    let_threads_end()
    layers = state(list(project.mapLayers().values()))
    saved = str(HOME / "saved.qgz")
    project.write(saved)
    drawn = str(HOME / "drawn.gpkg")
    training = Run("createtraininglayer", {"CLASSES": CLASSES, "CRS": project.crs(), "OUTPUT": drawn}).wait()
    tell(
        "dialogs",
        well=demo and training,
        layers=layers,
        project=bool(project.crs().toWkt()),
        saved_without=without_wkt(saved),
        drawn=system_of(drawn),
    )


def from_a_model() -> None:
    drawn = str(HOME / "in_3035.gpkg")
    well = in_a_thread("createtraininglayer", {"CLASSES": CLASSES, "CRS": "EPSG:3035", "OUTPUT": drawn})
    polygons = str(HOME / "in_25832.gpkg")
    drawn_before = str(HOME / "scene" / "validation.gpkg")
    gdal.VectorTranslate(polygons, drawn_before, format="GPKG", dstSRS="EPSG:25832", reproject=False)
    truth = str(HOME / "scene" / "truth.tif")
    given = {"CLASSIFICATION": truth, "REFERENCE": polygons, "CLASS_FIELD": "class_id", "JSON": str(HOME / "a.json")}
    well = in_a_thread("assess", given) and well
    layers = [QgsVectorLayer(each, Path(each).stem, "ogr") for each in (drawn, polygons)]
    let_threads_end()
    tell("model", well=well, layers=state(layers), drawn=system_of(drawn))


def act() -> None:
    from_dialogs()
    from_a_model()


main(act)
