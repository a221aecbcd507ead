"""Files sorted into scenes by patterns of their names."""

from __future__ import annotations

import os
import random
import re
import time
import unicodedata
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.workflows.file_pattern import captures
from bdgf.bdgf_qgis.workflows.scene_files import FoundScenes, files_in, find_scenes, parse_patterns

TWO = ("optical", "dsm")


def found(patterns: str, *names: str, modalities: tuple[str, ...] = TWO) -> FoundScenes:
    return find_scenes([Path("/data") / each for each in names], parse_patterns(patterns, modalities))


def scenes(patterns: str, *names: str, modalities: tuple[str, ...] = TWO) -> dict[str, list[str]]:
    """Complete scenes by name."""
    all_found = found(patterns, *names, modalities=modalities).scenes
    return {each.name: [file.name for file in each.files] for each in all_found if not each.problem}


def problems(patterns: str, *names: str) -> dict[str, str]:
    return {each.name: each.problem for each in found(patterns, *names).scenes if each.problem}


def test_files_belong_together_where_the_star_stands_for_the_same() -> None:
    names = ("a_optical.tif", "b_dsm.tif", "a_dsm.tif", "b_optical.tif", "b_optical.tif.aux.xml", "notes.txt")
    together = {"a": ["a_optical.tif", "a_dsm.tif"], "b": ["b_optical.tif", "b_dsm.tif"]}
    assert scenes("*_optical.tif; *_dsm.tif", *names) == together
    assert scenes("", *names) == together, "the names of the rasters in training"
    assert scenes("*_OPTICAL.tif ;*_dsm.TIF; ", *names) == together
    reverse = {name: files[::-1] for name, files in together.items()}
    assert scenes("*_dsm.tif; *_optical.tif", *names) == reverse, "in the order of the patterns"


def test_a_folder_for_each_scene() -> None:
    names = ("north/optical.tif", "north/dsm.tif", "south/optical.tif", "south/dsm.tif", "south/other.tif")
    for patterns in ("optical.tif; dsm.tif", "*/optical.tif; */dsm.tif", "*\\optical.tif; *\\dsm.tif"):
        assert list(scenes(patterns, *names)) == ["north", "south"]
    assert list(scenes("*/s2_*.tif; */dem_*.tif", "x/s2_1.tif", "x/dem_1.tif", "y/dem_1.tif")) == ["x_1"]


def test_a_file_belongs_to_the_pattern_that_says_most_of_its_name() -> None:
    assert scenes("*.tif; *_dsm.tif", "a.tif", "a_dsm.tif") == {"a": ["a.tif", "a_dsm.tif"]}
    assert scenes("*_?.tif; *_dsm.tif", "a_1.tif", "a_dsm.tif") == {"a": ["a_1.tif", "a_dsm.tif"]}


def test_one_raster_and_names_without_a_star() -> None:
    assert list(scenes("", "one.tif", "two.TIF", "three.img", modalities=("image",))) == ["one", "two"]
    assert list(scenes("image*.tif", "image.tif", modalities=("image",))) == ["scene"]
    assert list(scenes("*_[1].tif", "a_[1].tif", "b_1.tif", modalities=("image",))) == ["a"], "signs are themselves"


def test_stars_stand_for_what_a_regular_expression_would_find() -> None:
    signs, dice = {"*": "([^/]*)", "?": "[^/]"}, random.Random(1)
    matched = 0
    for _ in range(20_000):
        pattern = "".join(dice.choice("aB*?/*.") for _ in range(dice.randint(0, 7)))
        path = "".join(dice.choice("abA/.") for _ in range(dice.randint(0, 9)))
        expression = "".join(signs.get(each, re.escape(each)) for each in pattern)
        expected = re.fullmatch(expression, path, re.IGNORECASE)
        assert captures(pattern, path) == (expected.groups() if expected else None), (pattern, path)
        matched += expected is not None
    assert matched > 1_000


@pytest.mark.parametrize("modalities", [("image",), ("a*a*a*a*a*a*a*a*b",)])
def test_no_pattern_holds_a_run_up(modalities: tuple[str, ...]) -> None:
    names = [f"{'a' * length}.tif" for length in range(200, 250)]
    text = "" if "*" in modalities[0] else "*a*a*a*a*a*a*a*a*b.tif"
    began = time.process_time()
    parsed = parse_patterns(text, (*modalities, "other")) if not text else parse_patterns(text, modalities)
    assert not any(each.files for each in find_scenes(map(Path, names), parsed[:1]).scenes)
    assert time.process_time() - began < 2


def test_names_that_cannot_be_shown_are_set_apart(tmp_path: Path) -> None:
    for name in (b"a_optical.tif", b"\xff_optical.tif", b"b\nc_optical.tif", b"\xff.txt"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    patterns = parse_patterns("*_optical.tif", ("optical",))
    sorted_out = find_scenes(files_in(tmp_path, patterns, tmp_path / "maps"), patterns)
    assert [each.name for each in sorted_out.scenes] == ["a"]
    assert [each.name for each in sorted_out.unreadable] == ["b\nc_optical.tif", "\udcff_optical.tif"]


def test_two_forms_of_an_umlaut_are_one() -> None:
    names = [
        unicodedata.normalize(form, "Übung_") + each for form, each in (("NFC", "optical.tif"), ("NFD", "dsm.tif"))
    ]
    assert len(scenes("*_optical.tif; *_dsm.tif", *names)) == 1


def test_what_is_missing_or_double_is_told() -> None:
    told = problems("*_optical.tif; *_dsm.tif", "a_optical.tif", "b_optical.tif", "b_Optical.tif", "b_dsm.tif")
    assert told["a"] == "There is no file for *_dsm.tif."
    assert "b_optical.tif" in told["b"] and "b_Optical.tif" in told["b"]


@pytest.mark.parametrize("text", ["*_optical.tif", "*a.tif; *b.tif; *c.tif", "*.tif; *.tif"])
def test_patterns_that_do_not_suit_the_model(text: str) -> None:
    with pytest.raises(ValueError, match="'optical', 'dsm'"):
        parse_patterns(text, TWO)


def test_only_files_at_the_depth_of_the_patterns_and_no_hidden_ones(tmp_path: Path) -> None:
    names = ["a.tif", ".draft.tif", "sub/b.tif", ".hidden/c.tif", "sub/sub/d.tif", "folder.tif/e.txt", "maps/f.tif"]
    names += ["a.tif.aux.xml", "a.TIF.OVR", "a.tif.bdgf-part/block-0-classes.tif"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for text, wanted in (("*.tif", ["a.tif"]), ("*/*.tif", ["e.txt", "b.tif"]), ("*/*/*.tif", ["d.tif"])):
        patterns = parse_patterns(text, ("image",))
        assert [each.name for each in files_in(tmp_path, patterns, tmp_path / "maps")] == wanted
    assert [each.name for each in files_in(tmp_path, parse_patterns("*.tif", ("image",)), tmp_path)] == ["a.tif"]


def test_maps_of_an_earlier_run_are_no_scenes_whatever_way_leads_to_them(tmp_path: Path) -> None:
    for name in ("scenes/north/a.tif", "scenes/maps/north.tif"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "scenes")
    patterns, scenes = parse_patterns("*/*.tif", ("image",)), tmp_path / "scenes"
    for maps in (scenes / "maps", tmp_path / "link" / "maps", scenes / "north" / ".." / "maps"):
        assert files_in(scenes, patterns, maps) == [scenes / "north" / "a.tif"]
