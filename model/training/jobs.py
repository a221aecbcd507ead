"""The two jobs that make a model: pre-training without labels, and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..bdgf import BDGF, load_model, save_model
from ..data.bands import BandScaler
from ..data.fill_values import describe as describe_fill_values
from ..data.fill_values import find_fill_values
from ..data.tiles import TileScene, sample_pixels
from ..device.choice import choose_device, describe
from ..diffusion.unet import UNet
from ..errors import JobCancelled
from ..job.progress import Span
from ..job.reporter import Reporter
from ..prediction.points import held_out_confusion
from ..shared.events import Pretrained, Trained
from ..shared.header import FORMAT, Header, ModelFileError
from ..shared.infos import ClassInfo, TrainingPolygons
from ..shared.jobs import PretrainJob, TrainJob
from ..shared.settings import Settings
from .checkpoint import CheckpointFile
from .classifier_training import train_classifier
from .curves import CurveLog
from .pretraining import pretrain_unet
from .pretraining_cache import PretrainingCache, pretraining_digest


def pretrain(job: PretrainJob, reporter: Reporter) -> Pretrained:
    """Learns the diffusion model of a scene and writes it to `job.output`."""
    device = _begin(job, reporter)
    log = CurveLog()
    base, settings = _base(job, reporter)
    scene = TileScene(job.tiles, list(base.scalers)).kept_on(device)  # type: ignore[arg-type]
    model = _pretrained(base, settings, scene, job, device, Span(reporter, "pretrain", 0.05, 0.99), log)
    save_model(model, _header(job, "pretrained", settings, base.scalers), job.output)  # type: ignore[arg-type]
    return Pretrained(log.curves())


def train(job: TrainJob, reporter: Reporter) -> Trained:
    """Pre-trains where no pre-trained model is given, trains the classifier, and writes the model to `job.output`.

    Cancelled while the classifier learns, a job with `keep_partial` writes the state it has reached, without figures.
    """
    device = _begin(job, reporter)
    log = CurveLog()
    base, settings = _base(job, reporter)
    scalers: list[BandScaler] = list(base.scalers)  # type: ignore[arg-type]
    scene = TileScene(job.tiles, scalers).kept_on(device)
    start = 0.05
    if job.pretrained is None:
        start = 0.35 if settings.branches.use else 0.85
        base = _pretrained(base, settings, scene, job, device, Span(reporter, "pretrain", 0.05, start), log)
    torch.manual_seed(job.seed + 1)
    model = BDGF(scalers, base.features.unet, settings, len(job.classes))
    model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    confusion: tuple[tuple[int, ...], ...] = ()
    partial = False
    try:
        train_classifier(model, scene, len(job.classes), job.seed, Span(reporter, "train", start, 0.95), log)
        confusion = held_out_confusion(model, scene, len(job.classes), device, Span(reporter, "assess", 0.95, 0.99))
    except JobCancelled:
        if not job.keep_partial or not log.has("train loss"):  # nothing was learned yet
            raise
        partial = True
    header = _header(job, "classifier", settings, scalers, job.classes, confusion, job.samples_hash)
    save_model(model, header, job.output)
    return Trained(confusion, log.curves(), partial)


def _begin(job: PretrainJob | TrainJob, reporter: Reporter) -> torch.device:
    torch.manual_seed(job.seed)
    device = choose_device(job.device, reporter)
    reporter.note("info", f"Training on {describe(device)}.")
    return device


def _base(job: PretrainJob | TrainJob, reporter: Reporter) -> tuple[BDGF, Settings]:
    """The model to start from: the pre-trained one that was given, or scalers fitted here and a fresh U-Net."""
    if job.pretrained is not None:
        base, header = load_model(job.pretrained, job.pretrained_digest)
        if [each.bands for each in header.modalities] != [each.bands for each in job.modalities]:
            raise ModelFileError(f"The pre-trained model {job.pretrained} was made for other bands.")
        diffusion = header.settings.diffusion
        if isinstance(job, PretrainJob):  # how to train on is this job's; what the U-Net is comes with its file
            diffusion = replace(job.settings.diffusion, width=diffusion.width, schedule=diffusion.schedule)
        settings = replace(job.settings, diffusion=diffusion, components=header.settings.components)
        return BDGF(list(base.scalers), base.features.unet, settings), settings  # type: ignore[arg-type]
    scalers = []
    for number in range(len(job.modalities)):
        reporter.check()
        reporter.progress("prepare", 0.05 * number / len(job.modalities), "statistics of the bands")
        pixels = sample_pixels(job.tiles, number, job.seed)
        fills, measured = find_fill_values(pixels)
        if fills:
            modality = job.modalities[number]
            reporter.note("warning", describe_fill_values(modality.name, modality.bands, fills))
        scalers.append(BandScaler.fit(pixels, job.settings.components, measured))
    unet = UNet(sum(scaler.channels for scaler in scalers), job.settings.diffusion.width)
    return BDGF(scalers, unet, job.settings), job.settings


def _pretrained(
    base: BDGF,
    settings: Settings,
    scene: TileScene,
    job: PretrainJob | TrainJob,
    device: torch.device,
    span: Span,
    log: CurveLog,
) -> BDGF:
    unet = base.features.unet.requires_grad_(True).train()
    unet = unet.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    given = (FORMAT, settings.diffusion, settings.components, job.seed, job.plugin_version)
    digest = pretraining_digest(given, job.tiles, job.pretrained) if job.checkpoint or job.cache else ""
    folder = job.cache if settings.diffusion.steps else None
    cache = PretrainingCache(folder, f"{digest} {device.type} {torch.__version__}", span.reporter)
    if cache.load(unet, log):
        span.at(1.0)
        trained = unet
    else:
        checkpoint = CheckpointFile(job.checkpoint, digest, span.reporter)
        trained = pretrain_unet(unet, scene.blind(), base.groups, settings.diffusion, job.seed, span, log, checkpoint)
        cache.keep(trained, log)
    return BDGF(list(base.scalers), trained, settings)  # type: ignore[arg-type]


def _header(
    job: PretrainJob | TrainJob,
    kind: str,
    settings: Settings,
    scalers: Sequence[BandScaler],
    classes: tuple[ClassInfo, ...] = (),
    confusion: tuple[tuple[int, ...], ...] = (),
    samples_hash: str = "",
) -> Header:
    return Header(
        format=FORMAT,
        kind=kind,
        plugin_version=job.plugin_version,
        modalities=job.modalities,
        scene=job.scene,
        classes=classes,
        settings=settings,
        seed=job.seed,
        samples_hash=samples_hash,
        confusion=confusion,
        ranges=tuple(scaler.ranges() for scaler in scalers),
        polygons=job.polygons if isinstance(job, TrainJob) else TrainingPolygons(),
    )
