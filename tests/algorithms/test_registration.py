"""The public interface: ids, parameters, outputs, help, and what metadata.txt must say."""

from __future__ import annotations

import configparser
import re
from typing import Any

import pytest
from qgis.core import QgsProcessingParameterDefinition as Definition

from bdgf.bdgf_qgis.environment.python import PLUGIN_ROOT
from bdgf.bdgf_qgis.provider import BdgfProvider
from bdgf.tests.algorithms.helpers import algorithm

# name: type, '?' optional, '!' advanced
RASTERS = {"MODALITIES": "multilayer", "GRID": "raster?", "NODATA": "string?!"}
LEARNING = {"PRESET": "enum", "PRETRAINED": "file?", "SEED": "number", "DEVICE": "string"}
FIGURES = {"OVERALL_ACCURACY": "outputNumber", "AVERAGE_ACCURACY": "outputNumber", "KAPPA": "outputNumber"}
PARAMETERS: dict[str, dict[str, str]] = {
    "createdemoscene": {"FOLDER": "folderDestination", "SIZE": "number", "SEED": "number"},
    "createtraininglayer": {"CLASSES": "matrix", "CRS": "crs", "OUTPUT": "vectorDestination"},
    "pretrain": {**RASTERS, "EXTENT": "extent?", **LEARNING, "MODEL": "fileDestination"},
    "train": {
        **RASTERS,
        "SAMPLES": "source",
        "CLASS_FIELD": "field",
        "NAME_FIELD": "field?",
        **LEARNING,
        "HOLDOUT": "number",
        "PRETRAIN_STEPS": "number?!",
        "STEPS": "number?!",
        "CLASS_PRIOR": "enum!",
        "KEEP_PARTIAL": "boolean!",
        "MODEL": "fileDestination",
        "REPORT": "fileDestination?",
    },
    "classify": {
        "MODEL": "file",
        **RASTERS,
        "EXTENT": "extent?",
        "MASK": "source?",
        "DEVICE": "string",
        "OUTPUT": "rasterDestination",
        "CONFIDENCE": "rasterDestination?",
        "PROBABILITIES": "rasterDestination?",
        "COG": "boolean!",
    },
    "classifyfolder": {
        "MODEL": "file",
        "FOLDER": "file?",
        "FILES": "multilayer?",
        "PATTERNS": "string?",
        "CONFIDENCE": "boolean",
        "DEVICE": "string",
        "NODATA": "string?!",
        "OUTPUT_FOLDER": "folderDestination",
    },
    "assess": {
        "CLASSIFICATION": "raster",
        "REFERENCE": "source",
        "CLASS_FIELD": "field",
        "REPORT": "fileDestination?",
        "JSON": "fileDestination?",
    },
    "suggestsamples": {
        "CLASSIFICATION": "raster",
        "CONFIDENCE": "raster?",
        "PROBABILITIES": "raster?",
        "COUNT": "number",
        "MIN_DISTANCE": "distance?",
        "EXTENT": "extent?",
        "SAMPLES": "source?",
        "SEED": "number!",
        "OUTPUT": "vectorDestination",
    },
}
OUTPUTS: dict[str, dict[str, str]] = {
    "createdemoscene": {
        "FOLDER": "outputFolder",
        "OPTICAL": "outputRaster",
        "DSM": "outputRaster",
        "TRAINING": "outputVector",
        "VALIDATION": "outputVector",
        "TRUTH": "outputRaster",
    },
    "createtraininglayer": {"OUTPUT": "outputVector"},
    "pretrain": {"MODEL": "outputFile"},
    "train": {"MODEL": "outputFile", "REPORT": "outputHtml", **FIGURES},
    "classify": {
        "OUTPUT": "outputRaster",
        "CONFIDENCE": "outputRaster",
        "PROBABILITIES": "outputRaster",
        "CLASSIFIED_PIXELS": "outputNumber",
    },
    "classifyfolder": {
        "OUTPUT_FOLDER": "outputFolder",
        "TABLE": "outputFile",
        "MAPS": "outputNumber",
        "FAILURES": "outputNumber",
    },
    "assess": {"REPORT": "outputHtml", "JSON": "outputFile", **FIGURES},
    "suggestsamples": {"OUTPUT": "outputVector"},
}
each_algorithm = pytest.mark.parametrize("name", list(PARAMETERS))


def kind_of(parameter: Any) -> str:
    flags = parameter.flags()
    optional = "?" if flags & Definition.FlagOptional else ""
    return parameter.type() + optional + ("!" if flags & Definition.FlagAdvanced else "")


def test_provider_holds_the_algorithms(provider: BdgfProvider):
    assert provider.id() == "bdgf"
    names = {each.name() for each in provider.algorithms()}
    assert names >= set(PARAMETERS)
    assert provider.icon().availableSizes() or not provider.icon().isNull()


@each_algorithm
def test_parameters_are_the_public_ones(name: str):
    found = {each.name(): kind_of(each) for each in algorithm(name).parameterDefinitions()}
    assert found == PARAMETERS[name]


@each_algorithm
def test_outputs_are_the_public_ones(name: str):
    assert {each.name(): each.type() for each in algorithm(name).outputDefinitions()} == OUTPUTS[name]


def test_every_algorithm_explains_itself(provider: BdgfProvider):
    for each in provider.algorithms():
        assert re.fullmatch(r"[a-z]+", each.name()) and re.fullmatch(r"[a-z]+", each.groupId())
        assert each.displayName() and each.group() and not each.icon().isNull()
        assert each.shortDescription().endswith(".")
        text = each.shortHelpString()
        for parameter in each.parameterDefinitions():
            assert parameter.help(), f"{each.name()} {parameter.name()} has no help"
            assert parameter.description() in text
            assert len(parameter.description()) < 50, "a longer label pushes buttons out of the dialog"
        assert not each.flags() & each.FlagNoThreading


def test_the_toolbox_shows_the_work_in_its_order(provider: BdgfProvider):
    steps = sorted(each.displayName() for each in provider.algorithms())[:4]
    assert steps == ["1 Create training layer", "2 Train", "3 Classify", "4 Assess"]


@pytest.mark.parametrize("word", ["random forest", "LiDAR", "hyperspectral", "LULC"])
def test_what_people_look_for_finds_it(provider: BdgfProvider, word: str):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(PLUGIN_ROOT / "metadata.txt", encoding="utf-8")
    assert word in parser["general"]["tags"].split(",")
    assert word in algorithm("train").tags() and word in algorithm("classify").tags()


def test_defaults_and_choices_are_the_public_ones():
    train = algorithm("train")
    preset = train.parameterDefinition("PRESET")
    assert preset.options() == ["instant", "quick", "standard", "thorough"] and preset.usesStaticStrings()
    prior = train.parameterDefinition("CLASS_PRIOR")
    assert prior.options() == ["learned", "drawn", "equal"] and prior.defaultValue() == "learned"
    assert train.parameterDefinition("HOLDOUT").defaultValue() == 0.2
    assert train.parameterDefinition("DEVICE").defaultValue() == "auto"
    assert {"auto", "cpu", "cuda", "cuda:0"} <= set(
        train.parameterDefinition("DEVICE").metadata()["widget_wrapper"]["value_hints"]
    )
    assert algorithm("createdemoscene").parameterDefinition("SIZE").defaultValue() == 300
    assert train.parameterDefinition("MODALITIES").minimumNumberInputs() == 1
    for name in ("train", "assess"):
        report = algorithm(name).parameterDefinition("REPORT")
        assert report.createByDefault() and report.flags() & Definition.FlagOptional
        assert report.defaultValue() is None, "a call that leaves it out writes none"
    for name in ("CONFIDENCE", "PROBABILITIES"):
        assert not algorithm("classify").parameterDefinition(name).createByDefault()


def test_metadata_has_what_the_plugin_repository_asks_for():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(PLUGIN_ROOT / "metadata.txt", encoding="utf-8")
    general = parser["general"]
    wanted = "name description about version changelog author email homepage tracker repository tags category icon"
    assert all(general.get(key, "").strip() for key in wanted.split())
    assert general["qgisMinimumVersion"] == "3.22" and general["qgisMaximumVersion"] == "4.99"
    assert general["hasProcessingProvider"] == "yes"
    assert "plugin" not in general["name"].lower()
    assert (PLUGIN_ROOT / general["icon"]).is_file() and (PLUGIN_ROOT / "LICENSE").is_file()
