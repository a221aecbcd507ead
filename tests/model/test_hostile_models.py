"""Model files that are broken or made to do harm: each is refused in one plain sentence, soon, and without taking
memory, by QGIS's reader and by the worker."""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import torch
from safetensors.torch import load_file, save_file

from bdgf.model.bdgf import UnusableWeights, load_model, save_model
from bdgf.model.shared.header import Header, ModelFileError, read_header, read_model_file
from bdgf.model.shared.limits import Count, OneOf, Pattern, Range, Text
from bdgf.model.shared.rebuild import hints_of
from bdgf.model.shared.tensor_file import MOST_BYTES
from bdgf.model.shared.text import is_plain
from bdgf.tests.model.model_files import METADATA, header_of, small_model, table_of, with_header, with_table, with_text

SOON = 3.0  # seconds for one file, on a busy machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    torch.set_num_threads(1)
    return small_model(tmp_path_factory.mktemp("whole") / "model.safetensors")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def said_by(read: Any, path: object) -> str:
    """What a reader refuses a file with, '' where it takes it."""
    began = time.monotonic()
    try:
        read(str(path))
    except ModelFileError as error:
        said = str(error)
        assert is_plain(said) and said.endswith(".") and 10 < len(said) < 500, said
    else:
        said = ""
    assert time.monotonic() - began < SOON, said
    return said


def refused(path: Path, data: bytes | None = None) -> str:
    """What both readers refuse a file with."""
    if data is not None:
        path.write_bytes(data)
    said = said_by(read_header, path)
    assert said and said_by(load_model, path) == said
    return said


def refused_by_worker(path: Path, data: bytes) -> str:
    """What the worker refuses a file with that reads well without its weights."""
    path.write_bytes(data)
    assert not said_by(read_header, path)
    said = said_by(load_model, path)
    assert said
    return said


# ---------------------------------------------------------------- fields of the header


def unbounded(kind: Any, name: str = "", limits: tuple[Any, ...] = ()) -> Iterator[str]:
    """Names of numbers, texts and lists below a type that have no range, choice or length beside them."""
    if get_origin(kind) is Annotated:
        yield from unbounded(get_args(kind)[0], name, get_args(kind)[1:])
    elif is_dataclass(kind):
        for each, hint in hints_of(kind).items():  # type: ignore[arg-type]
            yield from unbounded(hint, f"{name}.{each}")
    elif get_origin(kind) is tuple:
        if get_args(kind)[-1] is Ellipsis and not any(isinstance(each, Count) for each in limits):
            yield name
        for each in get_args(kind):
            if each is not Ellipsis:
                yield from unbounded(each, f"{name}[]")
    elif kind in (int, float):
        yield from () if any(isinstance(each, Range) for each in limits) else (name,)
    elif kind is str:
        yield from () if any(isinstance(each, (Text, OneOf, Pattern)) for each in limits) else (name,)
    else:
        assert kind is bool, f"{name}: the reader knows no {kind}"


def test_every_field_states_what_it_may_be() -> None:
    assert list(unbounded(Header)) == []
    assert list(unbounded(Annotated[tuple[int, ...], Range(0, 1)])) == ["", "[]"], "this test finds what is missing"


def wrong_values(kind: Any, value: Any) -> Iterator[Any]:
    """Values that a field of this type must not have, for each of its types and limits."""
    if get_origin(kind) is Annotated:
        inner, *limits = get_args(kind)
        for each in limits:
            if isinstance(each, Range):
                low, high = each.least - 1, each.most * (2 if inner is float else 1) + 1
                yield from (low, high) if abs(each.most) < 1e300 else ()
                yield from (each.least + 1,) if each.step else ()
            elif isinstance(each, OneOf):
                yield "another"
            elif isinstance(each, Text):
                yield from ("x" * (each.most + 1), "a\0b", "a\nb", "\ud800")
            elif isinstance(each, Pattern):
                yield from ("red;background:url(http://example.org/x)", "#12345", "#0000001", "#00000g", "#000000\n")
            elif isinstance(each, Count):
                if each.most <= 1000:
                    yield (value or [[]]) * (each.most + 1)
                yield from ([],) if each.least else ()
        yield from wrong_values(inner, value)
    elif get_origin(kind) is tuple:
        yield from (None, {}, "ab", 3, True, *([*value, each] for each in ({}, None, [[[[]]]], "\ud800x", 10**40)))
    elif is_dataclass(kind):
        yield from (None, [], "ab", 3, {}, {**value, "more": 1})
        yield from ({name: each for name, each in value.items() if name != left} for left in value)
    elif kind is str:
        yield from (None, 3, 1.5, True, [], {})
    elif kind is bool:
        yield from (None, 0, 1, "true", [], {})
    else:
        yield from (None, True, "1", [], {}, [1], float("nan"), float("inf"), 10**400)
        yield from (1.5,) if kind is int else ()


def mutations(kind: Any, value: Any) -> Iterator[Any]:
    """Values of a type in which one thing, anywhere below, is wrong."""
    yield from wrong_values(kind, value)
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if is_dataclass(kind):
        for name, hint in hints_of(kind).items():  # type: ignore[arg-type]
            yield from ({**value, name: wrong} for wrong in mutations(hint, value[name]))
    elif get_origin(kind) is tuple and value:
        yield from ([wrong, *value[1:]] for wrong in mutations(get_args(kind)[0], value[0]))


def test_every_field_of_the_header_is_held_to_its_type_and_range(whole: bytes, file: Path) -> None:
    good, count = header_of(whole), 0
    for wrong in mutations(Header, good):
        count += 1
        file.write_bytes(with_header(whole, wrong))
        said = said_by(read_header, file)
        if not said or count % 8 == 0:
            assert said_by(load_model, file) == said or not said, wrong
        if not said:  # a field that has a default may be missing
            assert json.dumps(wrong) != json.dumps(good) and len(json.dumps(wrong)) < len(json.dumps(good)), wrong
    assert count >= 500


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("classes.0.code", -1, "classes[0].code is -1, where a number from 0 to 65,535 was expected"),
        ("classes.0.code", 1, "two classes have one code"),
        ("classes.0.name", "\ud800", "classes[0].name is \ufffd, where a text"),
        ("classes.0.colour", "red;background:url(x)", "where a colour as #rrggbb was expected"),
        ("confusion", [[1]], "the confusion matrix is not of 3 classes"),
        ("kind", "pretrained", "there are 3 classes in a model of the kind pretrained"),
        ("ranges", [[[0, 1]]], "not one range a band"),
        ("ranges.1.0", [2, 1], "a range ends before it begins"),
        ("settings.stride", 4, "cannot be blended"),
        ("settings.patch_size", 30, "settings.patch_size is 30, where a multiple of 4 from 8 to 128 was expected"),
        ("settings.inference_batch", 10**9, "settings.inference_batch is 1000000000"),
        ("settings.branches.depth", 10**9, "settings.branches.depth is 1000000000"),
        ("settings.branches.width", 10**9, "settings.branches.width is 1000000000"),
        ("settings.branches.use", ["cnn"] * 100_000, "settings.branches.use is a list of 100,000 entries"),
        ("settings.branches.timesteps", [9000], "diffusion steps beyond 1000"),
        ("settings.diffusion.width", 10**9, "settings.diffusion.width is 1000000000"),
        ("settings.diffusion.schedule", 10**9, "settings.diffusion.schedule is 1000000000"),
        ("settings.training.patch_sizes", [16] * 99, "a list of 1 to 4 entries was expected"),
        ("modalities.0.bands", [], "modalities[0].bands is a list of 0 entries"),
        ("scene.pixel_size", [0, 1], "scene.pixel_size[0] is 0, where"),
        ("seed", True, "seed is True, where a whole number was expected"),
    ],
)
def test_the_sentence_says_which_field_is_wrong(whole: bytes, file: Path, where: str, value: object, said: str) -> None:
    header = header_of(whole)
    *path, last = [int(each) if each.isdigit() else each for each in where.split(".")]
    place: Any = header
    for each in path:
        place = place[each]
    place[last] = value
    assert said in refused(file, with_header(whole, header))


def test_very_many_entries_are_counted_before_they_are_read(whole: bytes, file: Path) -> None:
    header = {**header_of(whole), "confusion": [[]] * 500_000}
    assert "confusion is a list of 500,000 entries" in refused(file, with_header(whole, header))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"format": 5, "format": 5}', "twice"),
        ('{"format": ' + "9" * 1_000_000 + "}", "too many digits"),
        ('{"format": 1e999}', "too large"),
        ("null", "no format version"),
        ('{"format": true}', "no format version"),
        ('{"format": 4}', "format version 4; this plugin reads version 5"),
        ('{"format": 5}', "plugin_version is missing|kind is missing"),
    ],
)
def test_header_texts_that_are_none(whole: bytes, file: Path, text: str, said: str) -> None:
    found = refused(file, with_header(whole, text))
    assert any(each in found for each in said.split("|")), found


# ---------------------------------------------------------------- the file and its table


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, Infinity]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1e999]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, ' + "9" * 100_000 + "]}}",
        '{"a": {"dtype": "F32", "shape": [' + "99999999999, " * 7 + '1], "data_offsets": [0, 4]}}',
        '{"__metadata__": {"bdgf": {"a": 1}}}',
        '{"__metadata__": {"bdgf": "{}"}, "__metadata__": {}}',
        json.dumps({str(each): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for each in range(30_000)}),
        "[]", "3", "{", "", "\ud800", '"', "nul",
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_tables_that_are_none(file: Path, text: str) -> None:
    refused(file, with_text(text, b"\0" * 4))


def test_the_table_of_tensors_is_held_to_the_network(whole: bytes, file: Path) -> None:
    table, _ = table_of(whole)
    names = [name for name in table if name != METADATA]
    count = 0
    for number, name in enumerate(random.Random(1).sample(names, 12)):
        entry, other = table[name], names[number]
        for wrong in (
            None,
            *({**entry, "dtype": each} for each in ("F16", "I32", "F8", "", None)),
            *(
                {**entry, "shape": each}
                for each in ([*entry["shape"], 1], entry["shape"][:-1], [-1], ["1"], [0], [2**40])
            ),
            *({**entry, "data_offsets": each} for each in ([0, 0], [0, 2**63], [-4, 0], [True, False], "ab", [0])),
        ):
            if wrong == entry:
                continue
            count += 1
            file.write_bytes(with_table(whole, lambda each, name=name, wrong=wrong: each.__setitem__(name, wrong)))  # type: ignore[misc]
            assert said_by(load_model, file), (name, wrong)
            said_by(read_header, file)
        file.write_bytes(with_table(whole, lambda each, name=name: each.pop(name)))  # type: ignore[misc]
        assert said_by(load_model, file), name
        renamed = with_table(whole, lambda each, name=name: each.__setitem__(f"{name}x", each.pop(name)))  # type: ignore[misc]
        assert f"{name} is missing" in refused_by_worker(file, renamed)
        if table[other] != entry and name != other:
            swapped = {name: table[other], other: entry}
            file.write_bytes(with_table(whole, lambda each, swapped=swapped: each.update(swapped)))  # type: ignore[misc]
            said_by(load_model, file)
    assert count > 100


def test_bytes_changed_at_random_places(whole: bytes, file: Path) -> None:
    chance, end = random.Random(7), 8 + int.from_bytes(whole[:8], "little")
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 3))):
            data[chance.randrange(end)] = chance.randrange(256)
        file.write_bytes(data)
        if said_by(read_header, file):
            assert said_by(load_model, file)
        else:
            said_by(load_model, file)


def test_files_cut_or_grown(whole: bytes, file: Path) -> None:
    for length in [*range(0, len(whole), len(whole) // 60), len(whole) - 1]:
        refused(file, whole[:length])
    refused(file, whole + b"\0")


def with_weights(whole: bytes, file: Path, changed: dict[str, float]) -> bytes:
    """The file with the first value of some tensors changed."""
    file.write_bytes(whole)
    tensors = load_file(file)
    for name, value in changed.items():
        tensors[name] = tensors[name].clone()
        tensors[name].view(-1)[0 if tensors[name].dim() else ...] = value
    save_file(tensors, file, metadata=table_of(whole)[0][METADATA])
    return file.read_bytes()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"features.unet.stem.weight": float("nan")}, "features.unet.stem.weight is not finite"),
        ({"classifier.probes.score_probe.bias": float("inf")}, "classifier.probes.score_probe.bias is not finite"),
        ({"scalers.0.deviation": 0.0}, "a band has no deviation"),
        ({"classifier.pool.weights": -1.0}, "no member has any weight"),
        ({"classifier.local_mean_difference.scale": 0.0}, "a local mean difference has no deviation"),
    ],
)
def test_weights_that_compute_nothing(whole: bytes, file: Path, changed: dict[str, float], said: str) -> None:
    assert said in refused_by_worker(file, with_weights(whole, file, changed))


def test_weights_that_are_no_numbers_are_not_written(whole: bytes, file: Path, tmp_path: Path) -> None:
    file.write_bytes(whole)
    model, header = load_model(str(file))
    model.features.unet.token.data[0] = float("inf")
    with pytest.raises(UnusableWeights, match="no model was written"):
        save_model(model, header, str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_a_pool_without_any_weight(whole: bytes, file: Path) -> None:
    file.write_bytes(whole)
    tensors = load_file(file)
    tensors["classifier.pool.weights"] = torch.zeros_like(tensors["classifier.pool.weights"])
    save_file(tensors, file, metadata=table_of(whole)[0][METADATA])
    assert "no member has any weight" in refused_by_worker(file, file.read_bytes())


def test_the_largest_network_in_range_takes_bounded_memory(whole: bytes, file: Path) -> None:
    """The largest settings in range, on the weights of a small network."""
    header = header_of(whole)
    header["settings"]["diffusion"]["width"] = header["settings"]["branches"]["width"] = 128
    header["settings"]["branches"]["depth"] = 8
    header["settings"]["components"] = 128
    header["modalities"] = [{**header["modalities"][0], "bands": ["b"] * 128}] * 30
    header["ranges"] = [[[0, 1]] * 128] * 30
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "do not fit its header" in refused_by_worker(file, with_header(whole, header))
    header["modalities"], header["ranges"] = header["modalities"] * 8, header["ranges"] * 8
    assert "channels, where no model has over 4,096" in refused_by_worker(file, with_header(whole, header))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024, "KiB"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe, not a file" in refused(tmp_path / "pipe")
    assert "it is a folder, not a file" in refused(tmp_path)
    assert "it is a device, not a file" in refused(Path("/dev/zero"))
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    assert "it is a pipe" in refused(tmp_path / "link")
    for name in ("a\0b", "a\ud800b"):
        with pytest.raises(ModelFileError, match="no file can have this name"):
            read_header(str(tmp_path / name))


def test_a_file_of_five_gigabytes_is_not_read(tmp_path: Path, whole: bytes) -> None:
    """It takes no room on the disk, but would in memory."""
    path = tmp_path / "sparse"
    path.write_bytes(whole)
    os.truncate(path, 5 * 10**9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert f"no model holds more than {MOST_BYTES:,}" in refused(path)
    assert said_by(read_model_file, path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024, "KiB"


def test_the_worker_takes_no_other_file_than_qgis_has_looked_at(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(whole)
    digest = read_model_file(str(path)).digest
    assert load_model(str(path), digest)[1].kind == "classifier"
    header = header_of(whole)
    header["classes"] = header["classes"][::-1]
    path.write_bytes(with_header(whole, header))
    load_model(str(path))
    with pytest.raises(ModelFileError, match="was replaced by another while this run began"):
        load_model(str(path), digest)
