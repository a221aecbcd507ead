"""The field for a model file, made as Processing's own dialogs make it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingModelAlgorithm, QgsSettings
from qgis.gui import QgsProcessingModelerParameterWidget
from qgis.PyQt.QtWidgets import QDialog

from bdgf.bdgf_qgis.algorithms.classify import Classify
from bdgf.bdgf_qgis.algorithms.classify_folder import ClassifyFolder
from bdgf.bdgf_qgis.algorithms.train import Train
from bdgf.bdgf_qgis.workflows.model_files import PRETRAINED, TRAINED, remember_model


class AlgorithmDialog(QDialog):
    pass


class BatchAlgorithmDialog(QDialog):
    pass


class ModelerParametersDialog(QDialog):
    def __init__(self) -> None:
        super().__init__()
        self.model = QgsProcessingModelAlgorithm("a model", "tests")
        self.childId = ""
        self.context = QgsProcessingContext()


@pytest.fixture(autouse=True)
def models(qgis_app: Any, qgis_processing: Any, tmp_path: Path) -> Iterator[list[str]]:
    QgsSettings().remove("bdgf_recent")
    paths = [str(tmp_path / f"{name}.safetensors") for name in ("old", "new", "pre-trained")]
    for path, kind in zip(paths, (TRAINED, TRAINED, PRETRAINED), strict=True):
        Path(path).write_text("")
        remember_model(kind, path)
    yield paths
    QgsSettings().remove("bdgf_recent")


def wrapper(algorithm: Any, key: str, dialog: QDialog) -> Any:
    from processing.gui.wrappers import WidgetWrapperFactory

    made = algorithm.create()
    dialog.algorithm = made  # owns the parameter
    return WidgetWrapperFactory.create_wrapper(made.parameterDefinition(key), dialog)


@pytest.mark.parametrize("kind", [AlgorithmDialog, BatchAlgorithmDialog])
@pytest.mark.parametrize("algorithm", [Classify(), ClassifyFolder()])
def test_the_newest_model_is_chosen_and_the_others_are_offered(
    models: list[str], kind: type[QDialog], algorithm: Any
) -> None:
    old, new, _ = models
    dialog = kind()
    field = wrapper(algorithm, "MODEL", dialog)
    widget = field.createWrappedWidget(QgsProcessingContext())
    assert widget is not None and field.parameterValue() == new
    assert [field.box.itemText(number) for number in range(field.box.count())] == [new, old]
    heard: list[Any] = []
    field.widgetValueHasChanged.connect(heard.append)
    field.box.setCurrentIndex(1)
    assert field.parameterValue() == old and heard
    field.setParameterValue("/typed.safetensors", QgsProcessingContext())
    assert field.parameterValue() == "/typed.safetensors"


def test_what_may_be_left_out_is_only_offered(models: list[str]) -> None:
    old, new, pretrained = models
    dialog = AlgorithmDialog()
    field = wrapper(Train(), "PRETRAINED", dialog)
    widget = field.createWrappedWidget(QgsProcessingContext())
    assert widget is not None and field.parameterValue() is None
    assert [field.box.itemText(number) for number in range(field.box.count())] == [pretrained, new, old]


def test_without_models_the_field_is_empty(models: list[str]) -> None:
    for each in models:
        Path(each).unlink()
    dialog = AlgorithmDialog()
    field = wrapper(Classify(), "MODEL", dialog)
    assert field.createWrappedWidget(QgsProcessingContext()) is not None and field.parameterValue() is None


def test_the_model_designer_keeps_its_own_field() -> None:
    dialog = ModelerParametersDialog()
    assert isinstance(wrapper(Classify(), "MODEL", dialog), QgsProcessingModelerParameterWidget)
