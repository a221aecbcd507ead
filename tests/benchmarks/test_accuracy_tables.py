"""Tables and pictures of rows with known figures, and baselines on scenes with a known answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.tests.benchmarks.accuracy.baselines import run_baseline, svm
from bdgf.tests.benchmarks.accuracy.figures import figures_of
from bdgf.tests.benchmarks.accuracy.masking import draw_masking, masking_table
from bdgf.tests.benchmarks.accuracy.rows import Measured, Row, RowStore
from bdgf.tests.benchmarks.accuracy.scene import Samples
from bdgf.tests.benchmarks.accuracy.table import page
from bdgf.tests.raster.helpers import box, make_raster, wkt


def measured(row: Row, right: int, skill: float = 0.5) -> Measured:
    """Of two classes with 100 pixels each so many of the first are right, and all of the second."""
    figures = figures_of(["grass", "road"], ((right, 100 - right), (0, 100)), 0.04)
    names = ("reliance", "skill", "masking rate")
    curves = {f"{name} {number}": ((0.0, 10.0), (0.0, skill * number)) for name in names for number in (1, 2)}
    curves["balance index"] = ((0.0, 10.0), (0.0, 0.5))
    seconds = {"pretrain": 20.0, "train": 10.0, "classify": 1.0}
    return Measured(row, figures, seconds, 200, {}, curves, {"modalities": "image, height", "code": "abc"})


WHOLE = Row("town", preset="quick")


def line(text: str, start: str) -> list[str]:
    return [cell.strip() for cell in next(each for each in text.splitlines() if each.startswith(start)).split("|")]


def test_parts_are_compared_seed_by_seed():
    rows = [measured(replace(WHOLE, seed=seed), right) for seed, right in enumerate((60, 80))]
    rows += [measured(replace(WHOLE, part="no-guidance", seed=seed), right) for seed, right in enumerate((56, 72))]
    rows.append(measured(replace(WHOLE, part="no-guidance", seed=9), 0))  # no whole beside it
    cells = line(page(rows), "| BDGF quick, no-guidance")
    assert cells[-3:-1] == ["-3.0 ± 1.4", "-3.0 ± 1.4"]
    assert line(page(rows), "| BDGF quick |")[2:5] == ["2", "0.850 ± 0.071", "0.850 ± 0.071"]
    assert line(page(rows), "| BDGF quick |")[7:9] == ["30.0", "1.0"]


def test_few_labels_are_compared_draw_by_draw_and_final_rows_stand_apart():
    few = replace(WHOLE, labels="10px", final=True)
    rows = [measured(replace(few, draw=draw, seed=seed), 80) for draw in (0, 1) for seed in (0, 1)]
    rows += [measured(replace(few, method="svm", preset="", draw=draw), 60 + 10 * draw) for draw in (0, 1)]
    rows.append(measured(replace(few, method="svm", preset="", final=False), 10))
    text = page(rows)
    final, held_out = text.index("town, validation polygons"), text.index("town, hold-outs of training polygons")
    assert line(text[final:held_out], "| RBF-SVM")[-2] == "+7.5 ± 2.9"
    assert line(text[held_out:], "| RBF-SVM")[3] == "0.550"


def test_rows_come_back_as_they_were_put(tmp_path):
    store = RowStore(tmp_path)
    row = measured(replace(WHOLE, modalities=("image",), steps=3), 70)
    assert row.row not in store
    store.put(row)
    assert row.row in store and list(store) == [row]
    assert replace(row.row, steps=None) not in store


def test_the_course_of_the_masking_is_told_and_drawn(tmp_path):
    rows = [measured(replace(WHOLE, part=part), 70, skill) for part, skill in (("all", 0.2), ("no-masking", 0.4))]
    table = "\n".join(masking_table(rows))
    assert line(table, "| no masking")[3:8] == ["0.50", "0.400", "0.800", "0.400", "0.800"]
    assert line(table, "| no masking")[-2] == "height"
    assert masking_table(rows[:1]) == []
    redrawn = [replace(each, row=replace(each.row, draw=1)) for each in rows]
    assert masking_table([*rows, *redrawn]) == masking_table(rows), "one pre-training, however polygons are drawn"
    other = measured(replace(WHOLE, preset="standard"), 70, 0.9)
    assert masking_table([*rows, other]) == masking_table(rows), "a preset with one masking compares nothing"
    (picture,) = draw_masking([*rows, other], tmp_path / "docs")
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def textures(tmp_path):
    """Left a chequered floor, right noise, of the same two values: a pixel alone tells nothing."""
    random = np.random.default_rng(0)
    image = 50 + 100 * (np.indices((60, 80)).sum(axis=0) % 2)
    image[:, 40:] = 50 + 100 * random.integers(0, 2, (60, 40))
    height = random.normal(0, 1, (60, 80)).astype(np.float32)
    sources = [
        make_raster(tmp_path / f"{name}.tif", array) for name, array in (("a", image.astype("u1")), ("b", height))
    ]
    with open_stack(sources) as stack:
        yield stack


def polygons(row: int) -> Samples:
    """Three squares a class."""
    places = [(1, 7 + 8 * number) for number in range(3)] + [(2, 47 + 8 * number) for number in range(3)]
    return Samples(tuple(box(fid, code, left, row, 5, 8) for fid, (code, left) in enumerate(places)), wkt(32633))


def test_the_patch_cnn_sees_texture_and_the_forest_does_not(textures):
    cnn = run_baseline("cnn", textures, polygons(8), polygons(40), 0, epochs=12)
    forest = run_baseline("forest", textures, polygons(8), polygons(40), 0)
    assert cnn.figures.overall > 0.95
    assert 0.3 < forest.figures.overall < 0.7
    assert cnn.figures.pixels == forest.figures.pixels == cnn.mapped == 240


def test_folds_of_the_svm_keep_polygons_together_where_there_are_enough(textures):
    samples = polygons(8)
    few = replace(samples, polygons=samples.polygons[1:])
    for some, kind in ((samples, StratifiedGroupKFold), (few, StratifiedKFold)):
        labels = rasterise_labels(textures, some.polygons, some.crs_wkt, holdout=0.0)
        model = svm(labels, 0)
        assert isinstance(model, GridSearchCV) and type(model.cv) is kind
