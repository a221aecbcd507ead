"""Parameters that several algorithms take, declared once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Optional

from qgis.core import QgsProcessingContext

from ...model.shared.accuracy import Accuracy
from ...model.shared.header import ModelFile, ModelFileError
from ...model.shared.settings import PRESETS
from ..preferences import DEVICES, wished_device
from ..translation import tr
from ..workflows.model_files import PRETRAINED, TRAINED, model_header, opened_model
from ..workflows.raster_inputs import rasters_problem
from .base import BdgfAlgorithm

_DEVICE = re.compile(r"\s*(auto|cpu|mps|cuda(:\d+)?)?\s*", re.IGNORECASE)
_LEARNABLE = ("classifier", "pretrained")  # kinds of models that Train and Pre-train start from


def add_model(algorithm: BdgfAlgorithm) -> None:
    """MODEL."""
    algorithm.add_model(
        "MODEL", tr("Model"), tr("A model file of Train; the list offers those that were trained last."), (TRAINED,)
    )


def add_rasters(algorithm: BdgfAlgorithm, default_grid: str) -> None:
    """MODALITIES and GRID; the help says which grid rules where none is chosen."""
    algorithm.add_rasters(
        "MODALITIES",
        tr("Rasters"),
        tr(
            "Co-registered rasters of one place, each a modality: a spectral image, a surface model, radar ... Pixel "
            "size, extent and coordinate system may differ. Only pixels that are valid in all of them are used."
        ),
    )
    algorithm.add_raster(
        "GRID",
        tr("Reference grid"),
        tr("The raster to whose pixels the others are warped on the fly.") + " " + default_grid,
        optional=True,
    )


def add_learned_rasters(algorithm: BdgfAlgorithm) -> None:
    """MODALITIES and GRID of algorithms that learn."""
    add_rasters(
        algorithm,
        tr("Left empty, the one with the smallest pixels, of equal ones the first. The log and the report name it."),
    )


def add_nodata(algorithm: BdgfAlgorithm, remembered: str) -> None:
    """NODATA; the help ends in what becomes of the numbers."""
    usage = tr(
        "Numbers that are no data although the rasters do not say so. -9999; 65535 : in all rasters. dsm: -9999 0 : in "
        "the raster of that name alone. Where a band has a scale, values as QGIS shows them count."
    )
    algorithm.add_text(
        "NODATA", tr("Additional no-data values"), f"{usage} {remembered}", "", optional=True, advanced=True
    )


def add_preset(algorithm: BdgfAlgorithm) -> None:
    """PRESET."""
    algorithm.add_choice(
        "PRESET",
        tr("Preset"),
        tr(
            "instant: a first map within a minute, from each pixel by itself. quick: a minute or two without a GPU, to "
            "try out. standard: for results. thorough: for a GPU or a night."
        ),
        list(PRESETS),
        "standard",
    )


def add_seed_and_device(algorithm: BdgfAlgorithm) -> None:
    """SEED and DEVICE."""
    algorithm.add_integer(
        "SEED",
        tr("Seed"),
        tr("The same seed, data and machine give the same result; another seed another one of its kind."),
        0,
    )
    add_device(algorithm)


def add_device(algorithm: BdgfAlgorithm) -> None:
    """DEVICE."""
    algorithm.add_text(
        "DEVICE",
        tr("Device"),
        tr(
            "Where to compute: cpu, cuda, cuda:1, mps ...; auto takes the device set in Settings > Options > BDGF and, "
            "where none is set there, the best GPU that works, else the CPU."
        ),
        "auto",
        DEVICES,
    )


def add_pretrained(algorithm: BdgfAlgorithm, help_text: str) -> None:
    """PRETRAINED."""
    algorithm.add_model("PRETRAINED", tr("Pre-trained model"), help_text, (PRETRAINED, TRAINED), optional=True)


def device_problem(algorithm: BdgfAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
    """What is wrong with DEVICE, or with the setting that 'auto' stands for; '' where nothing is.

    Whether the device is there only the worker knows.
    """
    given = algorithm.parameterAsString(parameters, "DEVICE", context)
    wish = wished_device(given)
    if _DEVICE.fullmatch(wish):
        return ""
    if wish == given:
        return tr("There is no device '{wish}': use auto, cpu, cuda, cuda:0 or mps.").format(wish=wish)
    text = tr(
        "The device '{wish}', set in Settings > Options > BDGF, is none: there use auto, cpu, cuda, cuda:0 or mps."
    )
    return text.format(wish=wish)


def model_problem(
    algorithm: BdgfAlgorithm, parameters: dict[str, Any], key: str, kinds: Iterable[str], context: QgsProcessingContext
) -> str:
    """What is wrong with a model file, '' where nothing is or none was chosen."""
    path = algorithm.parameterAsFile(parameters, key, context)
    if not path:
        return ""
    try:
        model_header(path, kinds)
    except ModelFileError as error:
        return str(error)
    return ""


def learning_problem(algorithm: BdgfAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
    """What is wrong with the pre-trained model, the device or the rasters of what learns; '' where nothing is."""
    preset = PRESETS[algorithm.parameterAsEnumString(parameters, "PRESET", context)]
    pretrained = algorithm.parameterAsFile(parameters, "PRETRAINED", context)
    return (
        model_problem(algorithm, parameters, "PRETRAINED", _LEARNABLE, context)
        or device_problem(algorithm, parameters, context)
        or rasters_problem(algorithm, parameters, context, 0 if pretrained else preset.components)
    )


def pretrained_of(
    algorithm: BdgfAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Optional[ModelFile]:
    """PRETRAINED, opened; None where it was left empty. Raises ModelFileError where the file is damaged."""
    path = algorithm.parameterAsFile(parameters, "PRETRAINED", context)
    return opened_model(path, _LEARNABLE) if path else None


def optional_integer(
    algorithm: BdgfAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> Optional[int]:
    """A whole number, or None where it was left empty."""
    return None if parameters.get(key) is None else algorithm.parameterAsInt(parameters, key, context)


def add_accuracy(algorithm: BdgfAlgorithm, overall: str) -> None:
    """OVERALL_ACCURACY, described by `overall`, AVERAGE_ACCURACY and KAPPA."""
    algorithm.add_number_result("OVERALL_ACCURACY", overall)
    algorithm.add_number_result("AVERAGE_ACCURACY", tr("Mean of the classes' accuracies, 0 to 1"))
    algorithm.add_number_result("KAPPA", tr("Cohen's kappa"))


def accuracy_results(accuracy: Optional[Accuracy]) -> dict[str, Optional[float]]:
    """What add_accuracy() declares; None each where there are no figures."""
    if accuracy is None:
        return {"OVERALL_ACCURACY": None, "AVERAGE_ACCURACY": None, "KAPPA": None}
    return {"OVERALL_ACCURACY": accuracy.overall, "AVERAGE_ACCURACY": accuracy.average, "KAPPA": accuracy.kappa}
