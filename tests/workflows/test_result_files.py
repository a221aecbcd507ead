"""Result files are whole or not there."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from qgis.core import QgsProcessingException

from bdgf.bdgf_qgis.feedback import SILENT
from bdgf.bdgf_qgis.files.conflicts import ReadFiles, Written
from bdgf.bdgf_qgis.workflows.result_files import (
    file_result,
    held_places,
    placed,
    put_all_in_place,
    write_texts,
)
from bdgf.tests.engine.helpers import Recorder


def hold(results: list[str | Written], reads: list[str] = []) -> None:  # noqa: B006
    """Hold the places of results for a moment."""
    wanted = [file_result(each) if isinstance(each, str) else each for each in results]
    with held_places(wanted, ReadFiles(reads), SILENT):
        pass


def test_a_file_appears_when_whole(tmp_path):
    target = tmp_path / "new folder" / "a.tif"
    with placed(str(target)) as draft:
        assert draft.parent == target.parent and draft.suffix == ".tif"
        draft.write_text("half")
        assert not target.exists()
        draft.write_text("whole")
    assert target.read_text() == "whole" and os.listdir(target.parent) == ["a.tif"]


def test_an_error_leaves_the_earlier_file(tmp_path):
    target = tmp_path / "a.gpkg"
    target.write_text("earlier")
    with pytest.raises(RuntimeError), placed(str(target)) as draft:
        draft.write_text("half")
        draft.with_name(draft.name + "-wal").write_text("journal")
        raise RuntimeError
    assert target.read_text() == "earlier" and os.listdir(tmp_path) == ["a.gpkg"]


def test_results_are_readable_by_others_as_usual(tmp_path):
    write_texts([(str(tmp_path / "a.html"), "page"), ("", "")])
    (tmp_path / "b.html").write_text("page")
    assert (tmp_path / "a.html").stat().st_mode == (tmp_path / "b.html").stat().st_mode


def test_all_files_or_none(tmp_path):
    (tmp_path / "source").write_text("model")
    (tmp_path / "file").write_text("no folder")
    wanted = [(tmp_path / "source", str(tmp_path / "a.safetensors"))]
    with pytest.raises(QgsProcessingException, match=r"file/b\.html"):
        put_all_in_place([*wanted, (tmp_path / "source", str(tmp_path / "file" / "b.html"))])
    assert sorted(os.listdir(tmp_path)) == ["file", "source"]
    put_all_in_place([*wanted, (tmp_path / "missing", "")])
    assert (tmp_path / "a.safetensors").read_text() == "model"


def test_where_one_file_cannot_be_placed_all_is_as_before(tmp_path, monkeypatch):
    (tmp_path / "source").write_text("new")
    (tmp_path / "a.html").write_text("old")
    replace = os.replace

    def locked(source, target):
        if os.path.basename(target) == "b.safetensors":
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", locked)
    places = [str(tmp_path / name) for name in ("b.safetensors", "a.html")]
    with pytest.raises(QgsProcessingException, match=r"b\.safetensors.*Permission denied"):
        put_all_in_place([(tmp_path / "source", each) for each in places])
    assert sorted(os.listdir(tmp_path)) == ["a.html", "source"] and (tmp_path / "a.html").read_text() == "old"


@pytest.mark.parametrize("place", ["file/a.html", "folder"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(QgsProcessingException, match=place):
        hold([str(tmp_path / place)])
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"] and os.listdir(tmp_path / "folder") == []


def test_a_check_leaves_nothing(tmp_path):
    hold([str(tmp_path / "a.html"), str(tmp_path / "new" / "folder" / "a.html"), "", ""])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("first", ["b.html", "a.html", "folder/../A.html"])
def test_results_of_one_place_or_that_of_an_input_are_refused(tmp_path, first):
    places = [str(tmp_path / name) for name in (first, "a.html")]
    inputs = ["/vsimem/optical.tif", str(tmp_path / "missing.tif"), str(tmp_path / "b.html")]
    (tmp_path / "target").write_text("read")
    (tmp_path / "b.html").symlink_to(tmp_path / "target")
    with pytest.raises(QgsProcessingException, match=r"b\.html would replace" if first == "b.html" else "Two results"):
        hold(places, inputs)
    assert sorted(os.listdir(tmp_path)) == ["b.html", "target"] and (tmp_path / "target").read_text() == "read"


def test_the_next_run_into_a_folder_finishes_what_a_killed_one_left(tmp_path):
    (tmp_path / "map.tif").write_text("old")
    code = f"""
import os
from bdgf.bdgf_qgis.files.atomic_file import AtomicFile, commit_together
draft, replace = AtomicFile({str(tmp_path / "map.tif")!r}), os.replace
draft.file.write_text("new")

def killed(source, target):
    replace(source, target)
    if "-old" in str(target):
        os.kill(os.getpid(), 9)

os.replace = killed
draft.commit()
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert not (tmp_path / "map.tif").exists(), "the old file made way, and the new one is not in its place"
    feedback = Recorder()
    with held_places([file_result(str(tmp_path / "other.html"))], ReadFiles(), feedback):
        assert (tmp_path / "map.tif").read_text() == "new"
    assert os.listdir(tmp_path) == ["map.tif"] and "now they are: map.tif" in feedback.notes[0]


def test_a_full_disk_leaves_nothing(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(200_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(QgsProcessingException, match=r"a\.safetensors cannot be written"):
            put_all_in_place([(source, str(tmp_path / "a.safetensors"))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == ["source"]
