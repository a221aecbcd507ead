"""Model files that do harm reach no further than a sentence: nothing hangs, aborts, or maps with another's legend."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingContext

from bdgf.model.shared.header import KEY
from bdgf.model.shared.text import is_plain
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, algorithm, changes, listing, refused
from bdgf.tests.model.model_files import METADATA, header_of, with_header, with_table, with_text


def named(header: dict[str, Any], name: str) -> dict[str, Any]:
    """The header with another name of its first class."""
    first, *rest = header["classes"]
    return {**header, "classes": [{**first, "name": name}, *rest]}


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "deep nesting": (lambda data: with_text("[" * 500_000), "is not valid JSON"),
    "deep nesting inside": (lambda data: with_header(data, '{"format":' * 200_000), "nested too deeply"),
    "infinite offset": (lambda data: with_table(data, _infinite), "is not valid JSON"),
    "surrogate": (lambda data: with_header(data, named(header_of(data), "\ud800")), "classes[0].name"),
    "control character": (lambda data: with_header(data, named(header_of(data), "a\0b\x1b[2J")), "classes[0].name"),
    "no text": (
        lambda data: with_table(data, lambda table: table[METADATA].update({KEY: ["x"]})),
        "texts that are none",
    ),
    "tensors": (lambda data: with_table(data, _many), "no model has over 2,000"),
}


def _infinite(table: dict[str, Any]) -> None:
    next(each for name, each in table.items() if name != METADATA)["data_offsets"][1] = float("inf")


def _many(table: dict[str, Any]) -> None:
    table.update({str(each): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for each in range(20_000)})


def said_of(path: object, scene: Scene) -> str:
    """What checkParameterValues says of a model for Classify and of a pre-trained one for Train."""
    sentences = []
    for name, given in (("classify", {"MODEL": str(path)}), ("train", {"PRETRAINED": str(path)})):
        began = time.monotonic()
        more = {"MODALITIES": scene.rasters, "SAMPLES": scene.training, "OUTPUT": "x.tif", "MODEL": "m", **given}
        fine, said = algorithm(name).create().checkParameterValues(more, QgsProcessingContext())
        assert not fine and time.monotonic() - began < 5 and is_plain(said), said
        sentences.append(said)
    assert sentences[0] == sentences[1]
    return sentences[0]


@pytest.mark.parametrize("kind", HOSTILE)
def test_checking_the_parameters_ends_with_a_sentence(trained: Trained, scene: Scene, tmp_path: Path, kind: str):
    change, said = HOSTILE[kind]
    path = tmp_path / "model.safetensors"
    path.write_bytes(change(Path(trained.model).read_bytes()))
    assert said in said_of(path, scene)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_is_no_file_blocks_nothing(scene: Scene, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe, not a file" in said_of(tmp_path / "pipe", scene)
    assert "it is a folder" in said_of(tmp_path, scene)
    assert "it is a device" in said_of("/dev/zero", scene)


def replacing(model: Path, at: str) -> Log:
    """A feedback that puts another whole model in place of this one when the bar says `at`."""
    data = model.read_bytes()
    other = with_header(data, named(header_of(data), "of another model"))

    def replace(log: Log, text: str) -> None:
        if at in text and model.read_bytes() != other:
            (model.parent / "other").write_bytes(other)
            os.replace(model.parent / "other", model)

    return Log(replace)


def test_a_model_replaced_while_the_run_begins_makes_no_map(trained: Trained, scene: Scene, tmp_path: Path):
    model = tmp_path / "model.safetensors"
    model.write_bytes(Path(trained.model).read_bytes())
    before = listing(tmp_path)
    given = {"MODEL": str(model), "MODALITIES": scene.rasters, "OUTPUT": str(tmp_path / "map.tif"), "DEVICE": "cpu"}
    said = refused("classify", given, replacing(model, "Comparing with the training"))
    assert f"{model} was replaced by another while this run began: run it again." in said
    assert changes(tmp_path, before) == ["model.safetensors"]


@pytest.mark.parametrize("name", ["train", "pretrain"])
def test_a_pre_trained_model_replaced_while_the_run_begins(trained: Trained, scene: Scene, tmp_path: Path, name: str):
    base = tmp_path / "base.safetensors"
    base.write_bytes(Path(trained.model).read_bytes())
    before = listing(tmp_path)
    given = {"PRETRAINED": str(base), "MODALITIES": scene.rasters, "MODEL": str(tmp_path / "model.safetensors")}
    given |= {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", **QUICK} if name == "train" else QUICK
    assert "was replaced by another while" in refused(name, given, replacing(base, "Reading the rasters"))
    assert changes(tmp_path, before) == ["base.safetensors"]
