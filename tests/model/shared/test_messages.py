"""Messages survive the way through a line of JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bdgf.model.shared.events import (
    BlockDone,
    Cancelled,
    Classified,
    Curve,
    Failed,
    Grown,
    Note,
    Pretrained,
    Progress,
    Ready,
    Segmented,
    Trained,
)
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.jobs import (
    Block,
    Cancel,
    ClassifyJob,
    Finish,
    GrowJob,
    PretrainJob,
    Quit,
    SegmentJob,
    TileFiles,
    TrainJob,
    VisiblePixels,
)
from bdgf.model.shared.messages import Message, decode, encode
from bdgf.model.shared.settings import PRESETS, BranchSettings

TILES = TileFiles(64, "/tmp/ä b/index.npy", ("0.npy", "1.npy"), "valid.npy", "training.npy", None)
MODALITIES = (
    ModalityInfo("optical", ("blue", "Nahes Infrarot"), "uint16"),
    ModalityInfo("dsm", ("Band 1",), "float32"),
)
SCENE = SceneInfo('PROJCS["Grün"]', (2.0, 2.5), (300, 200))
CLASSES = (ClassInfo(0, "Straße", "#ff0000"), ClassInfo(65535, "水", "#0000ff"))
ODD = replace(PRESETS["thorough"], branches=BranchSettings(use=("cnn",), guidance=(), timesteps=(1, 2, 3)))
MESSAGES: list[Message] = [
    PretrainJob(TILES, MODALITIES, SCENE, PRESETS["quick"], 7, "auto", "out.safetensors", "0.1", None),
    TrainJob(TILES, MODALITIES, SCENE, CLASSES, ODD, 7, "cuda:0", "out", "0.1", "hash", "pre", keep_partial=True),
    ClassifyJob("model", "cpu", True),
    Block(3, 0, 64, 10, 20, -5, 59, ("a", "b"), "valid", "out"),
    GrowJob(VisiblePixels(("a", "b"), "valid"), (1.0, 0.5), 3, 4, 1000, "out"),
    SegmentJob(VisiblePixels(("a",), "valid"), (), "slic", 20, "out"),
    Finish(),
    Cancel(),
    Quit(),
    Ready("3.11", "2.13"),
    Progress("train", 0.25, "Schritt 3", 2, 8),
    Note("warning", 'quotes " and \\ and \u2028'),
    BlockDone(3, 200),
    Pretrained((Curve("loss", (1.0,), (0.5,)),)),
    Trained(((1, 2), (3, 4)), (), partial=True),
    Classified(10**12),
    Grown(3, 4),
    Segmented(500),
    Cancelled(),
    Failed("memory", "text"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_round_trip_on_one_line(message: Message) -> None:
    line = encode(message)
    assert "\n" not in line
    assert decode(line) == message


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_travel_whole(preset: object) -> None:
    job = replace(MESSAGES[0], settings=preset)  # type: ignore[call-arg]
    assert decode(encode(job)).settings == preset  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no json",
        "[]",
        "3",
        "null",
        "{}",
        '{"type": "Nonsense"}',
        '{"type": ["Note"]}',
        '{"type": "Note", "level": "info"}',
        '{"type": "Note", "level": "info", "text": "", "more": 1}',
        '{"type": "Pretrained", "output": "x", "curves": [{"name": "loss"}]}',
        '{"type": "Pretrained", "output": "x", "curves": 3}',
        '{"type": "Note", "level": "info", "text": 3}',
        '{"type": "Note", "level": "info", "text": "a", "text": "b"}',
        '{"type": "Classified", "pixels": true}',
        '{"type": "Classified", "pixels": 1.5}',
        '{"type": "Progress", "phase": "train", "fraction": NaN}',
        '{"type": "Progress", "phase": "train", "fraction": "0.5"}',
        '{"type": "BlockDone", "number": 1, "classes": ["a"], "confidence": "b", "probabilities": null, "pixels": 1}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError):
        decode(line)


def test_file_names_that_are_no_unicode_pass() -> None:
    job = ClassifyJob("/tmp/\udcff.safetensors", "cpu", False)
    assert decode(encode(job).encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")) == job
