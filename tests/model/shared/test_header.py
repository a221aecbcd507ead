"""Model files are read, and refused, by their header alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from bdgf.model.shared.header import FORMAT, KEY, Header, ModelFileError, read_header, to_text
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.settings import PRESETS

HEADER = Header(
    format=FORMAT,
    kind="classifier",
    plugin_version="0.1",
    modalities=(ModalityInfo("Übersicht", ("red", "nir"), "uint16"), ModalityInfo("dsm", ("Band 1",), "float32")),
    scene=SceneInfo("", (10.0, 10.0), (5, 7)),
    classes=(ClassInfo(1, "Wald", "#00ff00"), ClassInfo(2, "水", "#0000ff")),
    settings=PRESETS["standard"],
    seed=3,
    samples_hash="abc",
    confusion=((3, 1), (0, 4)),
    ranges=(((0.0, 1.0), (2.0, 3.0)), ((-5.5, 9.0),)),
)


def write(path: Path, text: str | None = None, key: str = KEY) -> Path:
    weights = {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.zeros(5, np.int64)}
    save_file(weights, path, metadata={key: to_text(HEADER) if text is None else text})
    return path


def rewrite_table(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    change(table)
    text = json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def test_round_trip_through_a_real_file(tmp_path: Path) -> None:
    assert read_header(str(write(tmp_path / "Modell ü.safetensors"))) == HEADER


def test_file_without_weights(tmp_path: Path) -> None:
    save_file({}, tmp_path / "m", metadata={KEY: to_text(HEADER)})
    assert read_header(str(tmp_path / "m")) == HEADER


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        read_header(str(tmp_path / "none"))
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_header(str(tmp_path))


@pytest.mark.parametrize(
    "data", [b"", b"abc", b"12345678", b"II*\0" + b"\0" * 5000, b"PK\3\4" + b"x" * 100, b"\xff" * 100, b"\0" * 100]
)
def test_other_files(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"is not a BDGF model, or it is damaged|is damaged"):
        read_header(str(path))


def test_cut_at_any_place(tmp_path: Path) -> None:
    data = write(tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    for length in [*range(0, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError):
            read_header(str(path))
    path.write_bytes(data + b"more")
    with pytest.raises(ModelFileError, match="bytes of weights where"):
        read_header(str(path))


@pytest.mark.parametrize("length", [0, 1, 2**40, 2**63, 2**64 - 1])
def test_length_that_cannot_be_is_not_believed(tmp_path: Path, length: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(length.to_bytes(8, "little") + write(tmp_path / "whole").read_bytes()[8:])
    with pytest.raises(ModelFileError):
        read_header(str(path))


def set_metadata(value: object) -> Callable[[dict[str, Any]], None]:
    return lambda table: table.__setitem__("__metadata__", value)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table["a"].pop("data_offsets"),
        lambda table: table.__setitem__("a", 3),
        lambda table: table["a"].__setitem__("data_offsets", ["0", "x"]),
        lambda table: table["a"].__setitem__("data_offsets", 7),
        lambda table: table.pop("__metadata__"),
        set_metadata(None),
        set_metadata([]),
        set_metadata({KEY: 3}),
        set_metadata({KEY: None}),
    ],
)
def test_broken_tables(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = write(tmp_path / "file")
    path.write_bytes(rewrite_table(path.read_bytes(), change))
    with pytest.raises(ModelFileError):
        read_header(str(path))


def test_safetensors_of_others(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not a BDGF model: choose a file that Train wrote"):
        read_header(str(write(tmp_path / "file", key="other")))


def test_other_format_version_says_which_and_what(tmp_path: Path) -> None:
    newer = to_text(replace(HEADER, format=FORMAT + 1))
    with pytest.raises(ModelFileError, match=f"format version {FORMAT + 1}; this plugin reads version {FORMAT}"):
        read_header(str(write(tmp_path / "file", newer)))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", json.dumps({"format": FORMAT})])
def test_header_texts_that_are_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelFileError, match="is damaged"):
        read_header(str(write(tmp_path / "file", text)))


@pytest.mark.parametrize("name", sorted(asdict(HEADER)))
@pytest.mark.parametrize("value", ["gone", None, 5, [[["x"]]]])
def test_header_with_one_wrong_field_is_refused_or_read(tmp_path: Path, name: str, value: object) -> None:
    """Never another error than ModelFileError."""
    data = asdict(HEADER)
    if value == "gone":
        del data[name]
    else:
        data[name] = value
    path = write(tmp_path / "file", json.dumps(data))
    if value == "gone" and name != "polygons":  # these may be missing
        with pytest.raises(ModelFileError):
            read_header(str(path))
    else:
        try:
            read_header(str(path))
        except ModelFileError:
            pass


def test_reading_needs_neither_torch_nor_numpy(tmp_path: Path) -> None:
    path = write(tmp_path / "file")
    code = (
        "import sys; from bdgf.model.shared.header import read_header; read_header(sys.argv[1]); "
        "print([name for name in ('torch', 'numpy', 'safetensors') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
