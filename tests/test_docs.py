"""What docs/ says of the tree is there: files, folders, links, and the names of the glossary."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
HISTORY = ["validation-uses.md"]  # a log: what it names may be gone


def tree() -> set[str]:
    """Files and folders of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [file for file in listed.stdout.split("\n") if file]
    return {*files, *(str(folder) for file in files for folder in PurePosixPath(file).parents)}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    there = tree()
    named = re.findall(r"`([\w./-]+(?:\.py|/))`", page.read_text(encoding="utf-8"))
    paths = {path.rstrip("/") for path in named if not path.startswith(("build/", "bdgf/"))}
    gone = {path for path in paths if not any(f"/{item}".endswith(f"/{path}") for item in there)}
    assert not gone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert all((page.parent / link).exists() for link in links if not link.startswith("https://"))


def test_names_of_the_glossary_are_in_the_code() -> None:
    rows = re.findall(r"^\|.*\| (.*) \|$", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+(?:\.\w+)?)`", row)]
    names = {part for name in named for part in name.split(".")} - {"py"}
    code = "\n".join(
        file.read_text(encoding="utf-8") for side in ("bdgf_qgis", "model") for file in (ROOT / side).rglob("*.py")
    )
    assert len(names) > 20
    assert not {name for name in names if not re.search(rf"\b{name}\b", code)}
