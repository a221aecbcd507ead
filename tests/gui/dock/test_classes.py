"""The table of classes, its edits, and classes from and to files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import Qt

from bdgf.bdgf_qgis.gui.dock.class_edits import added, moved, recoded, renamed, without
from bdgf.bdgf_qgis.gui.dock.class_files import ClassFileError, classes_of_layer, export_classes, import_classes
from bdgf.bdgf_qgis.gui.dock.class_table import CODE, NAME, ClassTableModel
from bdgf.bdgf_qgis.gui.dock.samples import Samples
from bdgf.tests.gui.dock.layers import CLASSES, UTM, square, training_layer


@pytest.fixture
def samples(qgis_app: Any, tmp_path: Path) -> Iterator[Samples]:
    made = Samples(training_layer(tmp_path / "samples.gpkg"), "class_id", QgsProject.instance())
    yield made
    made.close()
    QgsProject.instance().clear()


def shown(model: ClassTableModel) -> list[list[Any]]:
    return [[model.index(row, column).data() for column in range(5)] for row in range(model.rowCount())]


def test_the_table(samples: Samples) -> None:
    model = ClassTableModel()
    model.show_samples(samples)
    assert shown(model) == [["Water", 1, 0, "", ""], ["Trees", 2, 0, "", ""], ["Grass", 7, 0, "", ""]]
    samples.add(square(), UTM, 2)
    samples.add(square(20), UTM, None)
    model.refresh()
    model.show_pixels({2: 3000, 7: 1000})
    assert shown(model)[1] == ["Trees", 2, 1, "3,000", "75.0%"] and model.unclassified == 1
    assert model.index(1, NAME).data(Qt.ItemDataRole.DecorationRole).name() == "#1b7837"
    model.show_samples(None)
    assert model.rowCount() == 0


def test_names_and_codes_are_edited_in_the_table(samples: Samples) -> None:
    model, failed = ClassTableModel(), []
    model.failed.connect(failed.append)
    model.show_samples(samples)
    samples.add(square(), UTM, 2)
    assert model.setData(model.index(1, NAME), "Wood") and model.setData(model.index(1, CODE), 12)
    assert [(info.code, info.name) for info in samples.classes][1] == (12, "Wood") and samples.counts() == {12: 1}
    assert not model.setData(model.index(1, NAME), "water") and not model.setData(model.index(1, CODE), 7)
    assert not model.setData(model.index(1, CODE), 70_000) and not model.setData(model.index(1, NAME), " ")
    assert [text.split(":")[0] for text in failed] == [
        "There is a class 'water' already.",
        "The code 7 is taken by another class.",
        "A class code is a whole number from 0 to 65,535.",
        "A class needs a name.",
    ]


def test_edits() -> None:
    assert added(CLASSES, "Rock")[-1].code == 8 and len({info.colour for info in added(CLASSES, "Rock")}) == 4
    assert [info.code for info in moved(CLASSES, 7, -5)] == [7, 1, 2]
    assert [info.code for info in moved(CLASSES, 1, 1)] == [2, 1, 7]
    assert [info.code for info in without(CLASSES, 2)] == [1, 7]
    assert recoded(CLASSES, 1, 1) == CLASSES and renamed(CLASSES, 1, "Water") == CLASSES


@pytest.mark.parametrize("name", ["classes.csv", "classes.qml"])
def test_there_and_back(qgis_app: Any, tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    export_classes(path, CLASSES)
    assert import_classes(path) == CLASSES
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_other_csv_files(qgis_app: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeff3;Wald\n4;Wiese;#00ff00\n", encoding="utf-8")
    assert [(info.code, info.name) for info in import_classes(str(tmp_path / "a.csv"))] == [(3, "Wald"), (4, "Wiese")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"x"),
        ("a.csv", b"1,Water\n1,Trees\n"),
        ("a.qml", b"<no"),
        ("a.safetensors", b"none"),
        ("a.csv", b"\xff\xfe"),
    ],
)
def test_files_that_are_none(qgis_app: Any, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ClassFileError, match="a\\."):
        import_classes(str(tmp_path / name))
    with pytest.raises(ClassFileError, match=r"nowhere\.csv"):
        import_classes(str(tmp_path / "nowhere.csv"))


def test_a_place_that_cannot_be_written(qgis_app: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClassFileError, match=r"classes\.csv"):
        export_classes(str(tmp_path / "file" / "classes.csv"), CLASSES)


def test_classes_that_layers_show(samples: Samples, scenes: Callable[[str], Path]) -> None:
    assert samples.layer is not None
    assert classes_of_layer(samples.layer) == CLASSES
    optical = QgsRasterLayer(str(scenes("nc_landsat") / "optical.tif"), "optical")
    assert classes_of_layer(optical) == ()
