"""Where results go that took work and that nobody placed: beside the project, named after scene and date.

A destination may hold words in braces. {project} is the folder of the project file or, without a saved project, the
folder of the user's profile; {scene} and {date} speak for themselves. A name made of them is never taken twice.
"""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    NULL,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsProperty,
)

from ...model.shared.text import plain_text
from ..files.locks import is_held
from ..resources import profile_home
from ..translation import tr

_PROJECT, _SCENE, _DATE = "{project}", "{scene}", "{date}"
MODEL_PLACE = f"{_PROJECT}/bdgf/models/{_SCENE} {_DATE}.safetensors"
PRETRAINED_PLACE = f"{_PROJECT}/bdgf/models/{_SCENE} {_DATE} pre-trained.safetensors"
MAPS_PLACE = f"{_PROJECT}/bdgf/maps/{_DATE}"
MAP_PLACE = f"{_PROJECT}/bdgf/maps/{_SCENE} {_DATE}.tif"
DEMO_PLACE = f"{_PROJECT}/bdgf/demo scene {_DATE}"
SAMPLES_PLACE = f"{_PROJECT}/bdgf/samples/samples {_DATE}.gpkg"
_NOT_IN_NAMES = '/\\:*?"<>|'
_LONGEST = 100  # bytes of a scene's name; files beside a result have longer names


def named_places(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, scene: str
) -> dict[str, Any]:
    """Destinations with their words in braces replaced, their defaults where they were left out.

    To be put over the parameters that a run was given; holds those alone that change.
    """
    places: dict[str, Any] = {}
    for definition in algorithm.destinationParameterDefinitions():
        given: Any = parameters.get(definition.name())
        layer = isinstance(given, QgsProcessingOutputLayerDefinition)
        text = given.sink.staticValue() if layer else given
        if is_left_out(text):
            text = definition.defaultValue()
        if not isinstance(text, str) or not any(word in text for word in (_PROJECT, _SCENE, _DATE)):
            continue
        place: Any = str(free_place(text, scene, project_folder(context.project())))
        if layer:
            path, place = place, QgsProcessingOutputLayerDefinition(given)
            place.sink = QgsProperty.fromValue(path)
        places[definition.name()] = place
    return places


def temporary_notes(algorithm: QgsProcessingAlgorithm, results: dict[str, Any]) -> list[str]:
    """A warning for each result that is meant to be kept and was asked for as a temporary file."""
    text = tr(
        "{label}: {path} is a temporary file that QGIS deletes when it is closed. Copy it if you want to keep it."
    )
    return [
        text.format(label=definition.description(), path=results[definition.name()])
        for definition in algorithm.destinationParameterDefinitions()
        if _PROJECT in str(definition.defaultValue()) and is_temporary(str(results.get(definition.name()) or ""))
    ]


def is_left_out(value: Any) -> bool:
    """Whether a destination says nothing, as a cell left empty in the batch dialog."""
    return value is None or value == NULL or value == ""


def project_folder(project: Optional[QgsProject]) -> Path:
    """The folder of the project's file where one may write there, else that of the user's profile."""
    folder = project.absolutePath() if project is not None else ""
    return Path(folder) if folder and os.access(folder, os.W_OK) else profile_home().parent


def free_place(text: str, scene: str, project: Path) -> Path:
    """The path that `text` names today, with a number where a file of that name is there or a run is to write it."""
    today = datetime.date.today().isoformat()
    path = Path(text.replace(_PROJECT, str(project)).replace(_DATE, today).replace(_SCENE, file_name(scene)))
    free, number = path, 1
    while os.path.lexists(free) or is_held(free):
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def file_name(text: str) -> str:
    """A text as part of a file's name, on every system."""
    name = "".join(" " if letter in _NOT_IN_NAMES else letter for letter in plain_text(text))
    name = name.encode("utf-8")[:_LONGEST].decode("utf-8", "ignore")
    return " ".join(name.split()).strip(". ") or "scene"


def is_temporary(path: str) -> bool:
    """Whether QGIS deletes a file when it is closed."""
    return bool(path) and Path(path).is_relative_to(QgsProcessingUtils.tempFolder())
