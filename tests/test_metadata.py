"""What the QGIS plugin repository asks of metadata.txt."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def general() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    return parser["general"]


@pytest.mark.parametrize(
    "key", "name description about version changelog author email homepage tracker repository tags category".split()
)
def test_every_field_is_filled(general: configparser.SectionProxy, key: str) -> None:
    assert general[key].strip()


def test_versions_and_provider(general: configparser.SectionProxy) -> None:
    assert (general["qgisMinimumVersion"], general["qgisMaximumVersion"]) == ("3.22", "4.99")
    assert general.getboolean("hasProcessingProvider")
    assert "plugin" not in general["name"].lower()
    assert f"## [{general['version']}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_icon_and_licence_are_there(general: configparser.SectionProxy) -> None:
    assert (ROOT / general["icon"]).is_file()
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("library", ["PyTorch", "NumPy", "SciPy", "scikit-image", "safetensors"])
def test_external_dependencies_are_named(general: configparser.SectionProxy, library: str) -> None:
    assert library in general["about"]
