"""The accuracy harness on a small town with few steps: rows, what resumes them, the guard, the tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.demo.scene import write_scene
from bdgf.tests.benchmarks.accuracy.__main__ import main
from bdgf.tests.benchmarks.accuracy.rows import Row, RowStore

FEW = ["--pretrain-steps", "2", "--steps", "2", "--epochs", "1"]


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """A scene whose validation polygons cannot be read: who opens them fails."""
    folder = tmp_path_factory.mktemp("scenes") / "town"
    scene = write_scene(str(folder), 100, 0)
    shutil.move(scene.validation, folder.parent / "validation.gpkg")
    scene.validation.write_text("not to be opened", encoding="utf-8")
    scene.truth.unlink()
    (folder / "info.json").write_text(json.dumps({"rasters": ["optical.tif", "dsm.tif"]}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("accuracy")


def measure(town: Path, out: Path, *arguments: str) -> int:
    return main(["--scene", str(town), "--out", str(out), "--uses", str(out / "uses.md"), *FEW, *arguments])


def rows(out: Path, **wanted: object) -> list[Path]:
    found = [each.row for each in RowStore(out / "rows")]
    names = [row.name for row in found if all(getattr(row, key) == value for key, value in wanted.items())]
    return [out / "rows" / f"{name}.json" for name in names]


def test_all_methods_are_measured_on_the_same_pixels_without_the_validation_polygons(town, out):
    assert measure(town, out, "--baselines", "forest", "cnn", "--parts", "all", "no-mutual-learning") == 0
    measured = {(each.row.method, each.row.part): each for each in RowStore(out / "rows")}
    assert set(measured) == {("forest", "all"), ("cnn", "all"), ("bdgf", "all"), ("bdgf", "no-mutual-learning")}
    assert len({each.figures.pixels for each in measured.values()}) == 1
    assert measured["forest", "all"].figures.overall > 0.5
    whole, part = measured["bdgf", "all"], measured["bdgf", "no-mutual-learning"]
    assert part.settings["mutual"]["entropy"] == 0 < whole.settings["mutual"]["entropy"]
    assert part.seconds["pretrain"] == whole.seconds["pretrain"], "both share one pre-training"
    assert len(list((out / "pretrained").glob("*.safetensors"))) == 1
    assert {"skill 1", "train loss"} <= set(whole.curves) and 0 <= whole.figures.ece <= 1
    assert not (out / "uses.md").exists()
    table = (out / "accuracy.md").read_text(encoding="utf-8")
    assert "random forest, 500 trees" in table and "no-mutual-learning" in table and "± " not in table


def test_only_rows_without_a_file_are_measured_again(town, out):
    before = {path: path.stat().st_mtime_ns for path in rows(out)}
    lost = rows(out, method="forest")[0]
    lost.unlink()
    assert measure(town, out, "--baselines", "forest", "cnn", "--parts", "all", "no-mutual-learning") == 0
    after = {path: path.stat().st_mtime_ns for path in rows(out)}
    assert after.keys() == before.keys()
    assert [path for path in after if after[path] != before[path]] == [lost]
    assert not list((out / "rows").glob("*.part"))


def test_the_validation_polygons_are_opened_by_final_alone_and_that_is_written_down(town, out):
    arguments = ["--parts", "--baselines", "forest", "--final"]
    assert measure(town, out, *arguments) == 2, "the file is no GeoPackage: it was opened"
    uses = (out / "uses.md").read_text(encoding="utf-8")
    assert uses.count("| town | 1: forest") == 1, "also what fails has looked"
    shutil.copy(town.parent / "validation.gpkg", town / "validation.gpkg")
    try:
        assert measure(town, out, *arguments) == 0
        assert measure(town, out, *arguments) == 0, "nothing is left to look at"
    finally:
        (town / "validation.gpkg").write_text("not to be opened", encoding="utf-8")
    log = (out / "validation-uses.log").read_text(encoding="utf-8")
    assert len(log.splitlines()) == 2 and rows(out, final=True)[0].stem in log
    assert "town, validation polygons" in (out / "accuracy.md").read_text(encoding="utf-8")


def test_few_labels_are_drawn_several_times(town, out):
    arguments = ["--labels", "3px", "--draws", "2", "--parts", "--baselines", "svm", "--modality", "optical"]
    assert measure(town, out, *arguments) == 0
    found = [each for each in RowStore(out / "rows") if each.row.labels]
    assert [each.notes["modalities"] for each in found] == ["optical", "optical"]
    assert {each.row.draw for each in found} == {0, 1}
    table = (out / "accuracy.md").read_text(encoding="utf-8").partition("3px a class")[2]
    line = next(each for each in table.splitlines() if each.startswith("| RBF-SVM, optical alone"))
    assert line.count("±") >= 3


def test_what_cannot_be_measured_is_said(town, out, capsys):
    assert main(["--scene", "nowhere", "--out", str(out)]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert measure(town, out, "--parts", "no-such-part") == 2
    assert "no-masking" in capsys.readouterr().err, "the parts that there are"
    assert measure(town, out, "--modality", "radar") == 2
    assert "optical" in capsys.readouterr().err
    before = len(rows(out))
    assert measure(town, out, "--labels", "many") == 2
    assert "10px" in capsys.readouterr().err and len(rows(out)) == before


def test_a_name_tells_rows_apart_that_read_alike():
    one, other = Row("a", part="training.balance=1"), Row("a", part="training.balance=1", draw=1)
    assert one.name != other.name and one.kind == other.kind
