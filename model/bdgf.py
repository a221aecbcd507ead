"""A whole BDGF model: how bands become channels, the diffusion features, the classifier; and its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from .data.bands import BandScaler
from .diffusion.features import DiffusionFeatures
from .diffusion.unet import UNet
from .network.classifier import Classifier, PatchInputs
from .shared.header import KEY, Header, ModelFileError, checked_content, to_text
from .shared.infos import MOST_CHANNELS
from .shared.settings import Settings
from .shared.tensor_file import TensorInfo

_DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL"}


class UnusableWeights(ValueError):
    """A training has come to weights that are no numbers; the text says what to do."""


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
            Classifier(self.groups, self.bands, classes, settings.diffusion.width, settings.branches)
            if classes
            else None
        )

    @property
    def groups(self) -> list[int]:
        """Number of channels of each modality."""
        return [scaler.channels for scaler in self.scalers]  # type: ignore[misc]

    @property
    def bands(self) -> int:
        """Number of bands of all modalities."""
        return sum(len(each) for each in self.centres)

    @property
    def centres(self) -> list[Tensor]:
        """What the values of each modality's bands (C_m,) are counted from before they are scaled."""
        return [scaler.centre for scaler in self.scalers]  # type: ignore[misc]

    def scale(self, rasters: Sequence[Tensor], valid: Tensor) -> Tensor:
        """Rasters (B, C_m, H, W) less their centres to inputs (B, D + C, H, W); valid is (B, 1, H, W) bool.

        Inputs are the channels of the network, and then all bands, standardised.
        """
        scalers: list[BandScaler] = list(self.scalers)  # type: ignore[arg-type]
        bands = [scaler.standardise(raster, valid) for scaler, raster in zip(scalers, rasters, strict=True)]
        channels = [scaler.channels_of(own, valid) for scaler, own in zip(scalers, bands, strict=True)]
        return torch.cat([*channels, *bands], dim=1)

    def forward(self, inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        """Class probabilities (B, K, H, W) of patches of inputs (B, D + C, H, W) at grid positions `corners` (B, 2).

        Members without weight are not computed; where none that has any needs them, nor are the diffusion features.
        """
        classifier = self._trained()
        answer: Tensor = classifier.pool(self._ask(classifier, classifier.active_members, inputs, valid, corners))
        return answer

    def log_probabilities(self, inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        """Log-probabilities of every member, (B, V, K, H, W), of the same patches."""
        classifier = self._trained()
        return self._ask(classifier, classifier.members, inputs, valid, corners)

    def _trained(self) -> Classifier:
        if self.classifier is None:
            raise ValueError("a model that is only pre-trained cannot classify")
        return self.classifier

    def _ask(self, classifier: Classifier, asked: list[str], inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        seen = self._parts(inputs, valid)
        guides = self.features(seen.channels, valid, corners) if classifier.need_guides(asked) else None
        return classifier.log_probabilities(seen, guides, asked)

    def raw_features(self, inputs: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
        """What all probes see of the same patches before it is standardised, (B, F, H, W)."""
        seen = self._parts(inputs, valid)
        return self._trained().raw_features(seen, self.features(seen.channels, valid, corners))

    def _parts(self, inputs: Tensor, valid: Tensor) -> PatchInputs:
        channels, bands = inputs.split([sum(self.groups), self.bands], dim=1)
        scalers: list[BandScaler] = list(self.scalers)  # type: ignore[arg-type]
        own = bands.split([len(scaler.low) for scaler in scalers], dim=1)
        scores = torch.cat([scaler.scores(some) for scaler, some in zip(scalers, own, strict=True)], dim=1)
        return PatchInputs(channels, bands, scores, valid)


def save_model(model: BDGF, header: Header, path: str) -> None:
    """Writes weights and header as one safetensors file. Raises UnusableWeights where a weight is not finite."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    if not all(torch.isfinite(each).all() for each in tensors.values()):
        raise UnusableWeights(
            "The training came to weights that are no numbers, so no model was written: look for extreme values in the "
            "rasters, or try another seed or preset."
        )
    save_file(tensors, path, metadata={KEY: to_text(header)})


def load_model(path: str, digest: str = "") -> tuple[BDGF, Header]:
    """The model of a file, on the CPU; where a SHA-256 is given, of no other file.

    Raises ModelFileError where the file is damaged, its weights do not fit its header, or it is another than expected.
    """
    file, table, content = checked_content(path)
    if digest and digest != file.digest:
        raise ModelFileError(f"The model file {path} was replaced by another while this run began: run it again.")
    damaged = f"The model file {path} is damaged: "
    channels = [_channels(number, file.header, table.tensors) for number in range(len(file.header.modalities))]
    if sum(channels) > MOST_CHANNELS:
        raise ModelFileError(f"{damaged}it has {sum(channels):,} channels, where no model has over {MOST_CHANNELS:,}.")
    model = _model_of(file.header, channels)  # of the largest settings in range it takes 300 MiB
    for found in _misfits(model.state_dict(), table.tensors):
        raise ModelFileError(f"{damaged}its weights do not fit its header ({found}).")
    try:
        model.load_state_dict(load(content))
    except SafetensorError as error:
        raise ModelFileError(f"{damaged}its weights cannot be read.") from error
    for found in _unusable(model):
        raise ModelFileError(f"{damaged}{found}.")
    return model.eval(), file.header


def _channels(number: int, header: Header, tensors: Mapping[str, TensorInfo]) -> int:
    """Channels that the bands of a modality become: fewer only where there are more bands than components."""
    bands, components = len(header.modalities[number].bands), header.settings.components
    if bands <= components:
        return bands
    matrix = tensors.get(f"scalers.{number}.matrix")
    rows = matrix.shape[0] if matrix is not None and matrix.shape else 0
    return min(max(rows, 1), components)


def _model_of(header: Header, channels: Sequence[int]) -> BDGF:
    scalers = [BandScaler(len(each.bands), count) for each, count in zip(header.modalities, channels, strict=True)]
    unet = UNet(sum(channels), header.settings.diffusion.width)
    return BDGF(scalers, unet, header.settings, len(header.classes))


def _misfits(wanted: Mapping[str, Tensor], tensors: Mapping[str, TensorInfo]) -> list[str]:
    """What the table of tensors says otherwise than the network; at most the first of it."""
    for name in [*wanted, *tensors]:
        if name not in tensors:
            return [f"{name} is missing"]
        if name not in wanted:
            return ["it holds a tensor too many"]
        needed, found = (_DTYPES[wanted[name].dtype], tuple(wanted[name].shape)), tensors[name]
        if needed != (found.dtype, found.shape):
            return [f"{name} is {found.dtype} {list(found.shape)}, where {needed[0]} {list(needed[1])} was expected"]
    return []


def _unusable(model: BDGF) -> list[str]:
    """Why nothing can be computed with a model's weights."""
    found = [f"{name} is not finite" for name, each in model.state_dict().items() if not torch.isfinite(each).all()]
    scalers: list[BandScaler] = list(model.scalers)  # type: ignore[arg-type]
    if any((each.deviation <= 0).any() or (each.score_deviation <= 0).any() for each in scalers):
        found.append("a band has no deviation")
    if model.classifier is not None:
        weights = model.classifier.pool.weights
        if (weights < 0).any() or not (weights > 0).any():
            found.append("no member has any weight, or one less than none")
        if model.classifier.pool.sharpness <= 0:
            found.append("the pool's sharpness is not above 0")
        if (model.classifier.probe_features.deviation <= 0).any():
            found.append("a probe's feature has no deviation")
        if (model.classifier.local_mean_difference.scale <= 0).any():
            found.append("a local mean difference has no deviation")
    return found
