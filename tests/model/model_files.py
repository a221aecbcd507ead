"""Model files for tests: a small whole one, and others made of it with something changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bdgf.model.bdgf import BDGF, save_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.diffusion.unet import UNet
from bdgf.model.shared.header import FORMAT, KEY, Header
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.settings import BranchSettings
from bdgf.tests.model.scene import checkered, rasters_of, tiny_settings

METADATA = "__metadata__"
BANDS = (3, 1)


def small_model(path: Path, classes: int = 3) -> bytes:
    """A whole, untrained model on disk, and its bytes; without classes it is a pre-trained one."""
    torch.manual_seed(0)
    settings = tiny_settings(branches=BranchSettings(width=8, depth=1, use=("cnn",)), components=2)
    rasters = rasters_of(checkered(), BANDS)
    scalers = [BandScaler.fit(each.reshape(len(each), -1).T, settings.components) for each in rasters]
    model = BDGF(scalers, UNet(sum(each.channels for each in scalers), 8), settings, classes)
    header = Header(
        FORMAT, "classifier" if classes else "pretrained", "test",
        (ModalityInfo("a", ("1", "2", "3"), "float32"), ModalityInfo("b", ("1",), "uint16")),
        SceneInfo("", (1.0, 1.0), (150, 130)),
        tuple(ClassInfo(code, f"class {code}", "#000000") for code in range(classes)),
        settings, 0, "ab" * 32, ((1,) * classes,) * classes, tuple(each.ranges() for each in scalers),
    )  # fmt: skip
    save_model(model, header, str(path))
    return path.read_bytes()


def table_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The table of a safetensors file, and what follows it."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def with_table(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file with its table changed in place."""
    table, rest = table_of(data)
    change(table)
    return with_text(json.dumps(table), rest)


def with_text(text: str, rest: bytes = b"") -> bytes:
    """A file whose table is this text."""
    encoded = text.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(8, "little") + encoded + rest


def header_of(data: bytes) -> dict[str, Any]:
    """Our header as JSON has it."""
    found: dict[str, Any] = json.loads(table_of(data)[0][METADATA][KEY])
    return found


def with_header(data: bytes, header: object) -> bytes:
    """The file with another header; a text stands as it is."""
    text = header if isinstance(header, str) else json.dumps(header)
    return with_table(data, lambda table: table[METADATA].__setitem__(KEY, text))
