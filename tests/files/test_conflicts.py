"""What a result would destroy is found, however it is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.files.conflicts import ReadFiles, Written, clash, letters_that_fit


def suffering(result: Path | str, *reads: Path | str, beside: tuple[str, ...] = ()) -> str | None:
    found = ReadFiles(map(str, reads)).conflict(Written(str(result), beside))
    return found and found.file


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "Gebäude.tif"
    path.write_text("pixels")
    return path


def test_the_file_itself_by_all_its_names(tmp_path: Path, image: Path) -> None:
    (tmp_path / "link.tif").symlink_to(image)
    os.link(image, tmp_path / "hard.tif")
    (tmp_path / "folder").symlink_to(tmp_path)
    names = [
        "Gebäude.tif",
        "GEBÄUDE.TIF",
        "Geba\u0308ude.tif",
        "link.tif",
        "hard.tif",
        "folder/Gebäude.tif",
        "x/../gebäude.tif",
    ]
    for name in names:
        assert suffering(tmp_path / name, image) == str(image), name
        assert suffering(image, tmp_path / name) == str(tmp_path / name), name
    assert suffering(tmp_path / "other.tif", image) is None


def test_a_relative_path(tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert suffering("Gebäude.tif", image) and suffering(image, "./Gebäude.tif")


def test_what_belongs_beside_a_file_counts_whether_it_is_there_or_not(tmp_path: Path, image: Path) -> None:
    for name in (
        "Gebäude.tif.aux.xml",
        "Gebäude.tif.ovr",
        "gebäude.tif.msk",
        "Gebäude.qml",
        "GEBÄUDE.QML",
        "Gebäude.tfw",
    ):
        assert suffering(tmp_path / name, image) == str(image), name
    for name in ("Gebäude.html", "Gebäude.json", "Gebäude.tif.html", "Gebäude2.qml", "Gebäude.safetensors"):
        assert suffering(tmp_path / name, image) is None, name
    assert suffering(tmp_path / "a.gpkg-wal", tmp_path / "a.gpkg") and suffering(tmp_path / "a.shx", tmp_path / "a.shp")
    result = Written(str(tmp_path / "Gebäude.tiff"), (str(tmp_path / "Gebäude.qml"),))
    found = ReadFiles([str(image)]).conflict(result)
    assert found is not None and found.written.endswith("Gebäude.qml") and found.result.endswith(".tiff")


def test_a_map_may_be_named_after_its_model(tmp_path: Path) -> None:
    beside = (str(tmp_path / "town.qml"), str(tmp_path / "town.tif.aux.xml"))
    assert suffering(tmp_path / "town.tif", tmp_path / "town.safetensors", beside=beside) is None


def test_a_folder_that_is_cleared_holds_no_file_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "map.tif.bdgf-part").mkdir()
    (tmp_path / "map.tif.bdgf-part" / "block-0-classes.tif").write_text("")
    block = tmp_path / "map.tif.bdgf-part" / "block-0-classes.tif"
    assert suffering(tmp_path / "map.tif", block, beside=(str(block.parent),)) == str(block)


@pytest.mark.parametrize(
    "form", ["/vsizip/{}/a/b.tif", "/vsizip/{{{}}}/b.tif", "/vsitar//vsigzip/{}/b.tif", "/vsigzip/{}"]
)
def test_what_is_read_inside_an_archive_is_the_archive(tmp_path: Path, form: str) -> None:
    (tmp_path / "scene.zip").write_text("")
    assert suffering(tmp_path / "scene.zip", form.format(tmp_path / "scene.zip")) == str(tmp_path / "scene.zip")


@pytest.mark.parametrize(
    "read", ["", "/vsimem/a.tif", "/vsicurl/https://x.org/a.tif", "NETCDF:a.nc:b", "<VRT>\0", "a\ud800"]
)
def test_what_is_no_file_is_in_nobodys_way(tmp_path: Path, read: str) -> None:
    assert suffering(tmp_path / "a.tif", read) is None


def test_two_results(tmp_path: Path) -> None:
    style = (str(tmp_path / "a.qml"),)
    first = Written(str(tmp_path / "a.tif"), style)
    for other in (Written(str(tmp_path / "A.TIF")), Written(str(tmp_path / "a.tiff"), style), Written(style[0])):
        found = clash([first, other])
        assert found is not None and found.result == other.path and found.file == first.path
    assert clash([first, Written(str(tmp_path / "b.tif"))]) is None


@pytest.mark.parametrize(("letter", "fit"), [("a", 245), ("ä", 124), ("木", 84), ("🌲", 64)])
def test_how_many_letters_fit(tmp_path: Path, letter: str, fit: int) -> None:
    """With `.bdgf-part` there are 245 bytes for `aaa.tif`."""

    def fitting(count: int) -> int | None:
        path = str(tmp_path / "missing folder" / (letter * (count - 4) + ".tif"))
        return letters_that_fit(Written(path, (path + ".bdgf-part", path + ".ovr")))

    assert fitting(fit) is None and fitting(fit + 1) == fitting(240 if letter != "a" else 251) == fit
    (tmp_path / (letter * (fit - 4) + ".tif.bdgf-part")).mkdir()
