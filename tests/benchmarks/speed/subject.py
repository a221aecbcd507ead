"""The model whose speed is measured: a preset with random weights, which compute as long as trained ones."""

from __future__ import annotations

from pathlib import Path

import torch

from bdgf.model.bdgf import BDGF, save_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.diffusion.unet import UNet
from bdgf.model.shared.header import FORMAT, Header
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.settings import Settings
from bdgf.tests.benchmarks.speed.scene import BANDS, CLASSES, pixels


def write_model(path: Path, settings: Settings) -> None:
    """A model file for the synthetic scene."""
    torch.manual_seed(0)
    scaler = BandScaler.fit(pixels(0, 100, 100).reshape(BANDS, -1).T, settings.components)
    model = BDGF([scaler], UNet(BANDS, settings.diffusion.width), settings, CLASSES)
    with torch.no_grad():
        for value in model.parameters():
            if not value.any():  # the ends of blocks begin at zero: a trained model has none
                value.normal_(0, 0.1)
    classes = tuple(ClassInfo(code, f"class {code}", f"#{code * 25:02x}8040") for code in range(1, CLASSES + 1))
    modality = ModalityInfo("scene", tuple(f"Band {number}" for number in range(1, BANDS + 1)), "uint16")
    low, high = (each.double().tolist() for each in (scaler.low, scaler.high))
    header = Header(
        FORMAT, "classifier", "benchmark", (modality,), SceneInfo("", (10.0, 10.0), (100, 100)), classes,
        settings, 0, "", (), (tuple(zip(low, high, strict=True)),),
    )  # fmt: skip
    save_model(model, header, str(path))
