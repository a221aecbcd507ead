"""The walls between the parts, read from the imports without running anything."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ["model", "shared"]  # the folder of model/ that QGIS imports too
WORKER_LIBRARIES = {"torch", "skimage", "safetensors", "sklearn", "scipy", "mamba_ssm", "triton"}
QGIS_LIBRARIES = {"qgis", "PyQt5", "PyQt6", "osgeo", "processing"}

QGIS_SIDE = sorted((ROOT / "bdgf_qgis").rglob("*.py"))
WORKER_SIDE = sorted((ROOT / "model").rglob("*.py"))
BOTH_SIDES = sorted((ROOT / "model" / "shared").rglob("*.py"))
OLD_PYTHON = [ROOT / "__init__.py", *QGIS_SIDE, *BOTH_SIDES, ROOT / "model" / "__init__.py"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports; those inside the plugin start at its root, as in 'bdgf.model.errors'."""
    package = ["bdgf", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = [*start, *(node.module.split(".") if node.module else [])]
            yield from (".".join([*base, each.name]) for each in node.names)


def inside(path: Path) -> list[list[str]]:
    """Imports of the plugin's own modules, as parts below the root."""
    return [parts[1:] for parts in (each.split(".") for each in imports(path)) if parts[0] == "bdgf"]


def libraries(path: Path) -> set[str]:
    return {each.split(".")[0] for each in imports(path)} - {"bdgf"}


@pytest.mark.parametrize("path", QGIS_SIDE, ids=name)
def test_qgis_side_never_imports_the_worker(path: Path) -> None:
    assert not libraries(path) & WORKER_LIBRARIES
    assert all(parts[:2] == SHARED for parts in inside(path) if parts[0] == "model"), "only model/shared"


@pytest.mark.parametrize("path", WORKER_SIDE, ids=name)
def test_worker_never_imports_qgis(path: Path) -> None:
    assert not libraries(path) & QGIS_LIBRARIES
    assert all(parts[0] == "model" for parts in inside(path)), "nothing above model/"


@pytest.mark.parametrize("path", BOTH_SIDES, ids=name)
def test_modules_of_both_sides_use_the_standard_library_only(path: Path) -> None:
    assert libraries(path) <= set(sys.stdlib_module_names)
    assert all(parts[:2] == SHARED for parts in inside(path))


@pytest.mark.parametrize(
    ("folder", "below"),
    [
        ("files", set()),
        ("raster", {"files"}),
        ("demo", {"files", "raster"}),
        ("engine", {"files", "raster"}),
        ("environment", {"engine", "files"}),
    ],
)
def test_folders_below_the_workflows_know_no_qgis(folder: str, below: set[str]) -> None:
    for path in sorted((ROOT / "bdgf_qgis" / folder).rglob("*.py")):
        assert not libraries(path) & (QGIS_LIBRARIES - {"osgeo"}), name(path)
        allowed = {folder, "feedback", *below}
        others = [parts for parts in inside(path) if parts[0] == "bdgf_qgis" and len(parts) > 2]
        assert all(parts[1] in allowed for parts in others), name(path)


def test_files_need_the_standard_library_and_shared_modules_only() -> None:
    for path in sorted((ROOT / "bdgf_qgis" / "files").glob("*.py")):
        assert libraries(path) <= set(sys.stdlib_module_names), name(path)
        assert all(parts[:2] in (["bdgf_qgis", "files"], SHARED) for parts in inside(path)), name(path)


def test_what_all_report_to_needs_nothing_else() -> None:
    path = ROOT / "bdgf_qgis" / "feedback.py"
    assert libraries(path) <= set(sys.stdlib_module_names) and not inside(path)


def test_algorithms_call_workflows_and_not_the_other_way_round() -> None:
    for path in sorted((ROOT / "bdgf_qgis" / "workflows").rglob("*.py")):
        others = {parts[1] for parts in inside(path) if parts[0] == "bdgf_qgis"}
        assert not others & {"algorithms", "gui", "provider", "plugin"}, name(path)


def test_algorithms_declare_and_call_and_do_nothing_themselves() -> None:
    for path in sorted((ROOT / "bdgf_qgis" / "algorithms").glob("*.py")):
        below = {parts[1] for parts in inside(path) if parts[0] == "bdgf_qgis"}
        assert not below & {"raster", "engine", "files", "environment", "report"}, name(path)


@pytest.mark.parametrize("path", OLD_PYTHON, ids=name)
def test_qgis_side_reads_as_python_39(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    assert not any(isinstance(node, (ast.Match, ast.TryStar)) for node in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            newer = {"slots", "kw_only"} if getattr(node.func, "id", "") == "dataclass" else set()
            newer |= {"strict"} if getattr(node.func, "id", "") == "zip" else set()
            assert not newer & {each.arg for each in node.keywords}, f"line {node.lineno}: Python 3.10"


def test_importing_the_plugin_imports_little() -> None:
    top = ast.parse((ROOT / "__init__.py").read_text()).body
    assert not any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in top)
    body = ast.parse((ROOT / "model" / "__init__.py").read_text()).body
    assert len(body) == 1 and isinstance(body[0], ast.Expr), "model/__init__.py is a docstring"
