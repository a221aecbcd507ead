"""A whole BDGF model: how bands become channels, the diffusion features, the classifier; and its file."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .data.bands import BandScaler
from .diffusion.features import DiffusionFeatures
from .diffusion.unet import UNet
from .header import KEY, Header, ModelFileError, read_header, to_text
from .network.classifier import Classifier
from .settings import Settings


class BDGF(nn.Module):
    """Everything that turns rasters into class probabilities.

    Args:
        scalers: one per modality, in order.
        unet: the pre-trained denoising network.
        settings: the whole preset.
        classes: number of classes; 0 for a model that is only pre-trained.
    """

    def __init__(self, scalers: Sequence[BandScaler], unet: UNet, settings: Settings, classes: int = 0) -> None:
        super().__init__()
        self.settings = settings
        self.scalers = nn.ModuleList(scalers)
        self.features = DiffusionFeatures(unet, sum(self.groups), settings)
        self.classifier = (
            Classifier(self.groups, classes, settings.diffusion.width, settings.branches) if classes else None
        )

    @property
    def groups(self) -> list[int]:
        """Number of channels of each modality."""
        return [scaler.channels for scaler in self.scalers]  # type: ignore[misc]

    @property
    def centres(self) -> list[Tensor]:
        """What the values of each modality's bands (C_m,) are counted from before they are scaled."""
        return [scaler.centre for scaler in self.scalers]  # type: ignore[misc]

    def scale(self, rasters: Sequence[Tensor], valid: Tensor) -> Tensor:
        """Rasters (B, C_m, H, W) less their centres to channels (B, D, H, W); valid is (B, 1, H, W) bool."""
        return torch.cat([scaler(raster, valid) for scaler, raster in zip(self.scalers, rasters, strict=True)], dim=1)

    def forward(self, inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        """Class probabilities (B, K, H, W) of windows of channels (B, D, H, W) at grid positions `corners` (B, 2).

        Voters without weight are not computed; where only the spectral voter has any, nor are the diffusion features.
        """
        classifier = self._trained()
        answer: Tensor = classifier.vote(self._ask(classifier, classifier.heard, inputs, valid, corners))
        return answer

    def opinions(self, inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        """Log-probabilities of every voter, (B, V, K, H, W), of the same windows."""
        classifier = self._trained()
        return self._ask(classifier, classifier.voters, inputs, valid, corners)

    def _trained(self) -> Classifier:
        if self.classifier is None:
            raise ValueError("a model that is only pre-trained cannot classify")
        return self.classifier

    def _ask(self, classifier: Classifier, asked: list[str], inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        guides = self.features(inputs, valid, corners) if classifier.branches.keys() & asked else None
        return classifier.opinions(inputs, valid, guides, asked)


def save_model(model: BDGF, header: Header, path: str) -> None:
    """Writes weights and header as one safetensors file."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, path, metadata={KEY: to_text(header)})


def load_model(path: str) -> tuple[BDGF, Header]:
    """The model of a file, on the CPU.

    Raises ModelFileError where the file is damaged or its weights do not fit its header.
    """
    header = read_header(path)
    try:
        tensors = load_file(path)
        scalers = []
        for number, modality in enumerate(header.modalities):
            matrix = tensors.get(f"scalers.{number}.matrix")
            scalers.append(BandScaler(len(modality.bands), len(modality.bands) if matrix is None else len(matrix)))
        unet = UNet(sum(scaler.channels for scaler in scalers), header.settings.diffusion.width)
        model = BDGF(scalers, unet, header.settings, len(header.classes))
        model.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise ModelFileError(f"The model file {path} is damaged: its weights do not fit its header.") from error
    return model.eval(), header
