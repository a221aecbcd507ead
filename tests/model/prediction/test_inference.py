"""Blocks: the same pixels whatever their size and place, nothing where nothing is valid, short memory survived."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bdgf.model.bdgf import BDGF, load_model, save_model
from bdgf.model.data.bands import BandScaler
from bdgf.model.diffusion.unet import UNet
from bdgf.model.errors import JobCancelled
from bdgf.model.prediction.batches import MOST_PATCHES, OutOfMemory, Predictor, patches_that_fit
from bdgf.model.prediction.blocks import CERTAIN, NO_CLASS, BlockClassifier
from bdgf.model.shared.header import FORMAT, Header, ModelFileError
from bdgf.model.shared.infos import ClassInfo, ModalityInfo, SceneInfo
from bdgf.model.shared.jobs import Block, ClassifyJob
from bdgf.tests.model.scene import SilentReporter, checkered, rasters_of, tiny_settings

SHAPE = (150, 130)


@pytest.fixture
def model_path(tmp_path):
    """An untrained model with weights of its own at the end of every block, so that every pixel's answer differs."""
    torch.manual_seed(0)
    settings = tiny_settings()
    rasters = rasters_of(checkered(*SHAPE), (3, 1))
    scalers = [BandScaler.fit(each.reshape(len(each), -1).T, 32) for each in rasters]
    model = BDGF(scalers, UNet(4, settings.diffusion.width), settings, classes=3)
    with torch.no_grad():
        for value in model.parameters():
            if value.abs().max() == 0:
                value.normal_(0, 0.3)
    header = Header(
        FORMAT, "classifier", "test",
        (ModalityInfo("a", ("1", "2", "3"), "float32"), ModalityInfo("b", ("1",), "uint16")),
        SceneInfo("", (1.0, 1.0), SHAPE), tuple(ClassInfo(code, str(code), "#000000") for code in (3, 5, 9)),
        settings, 0, "", (), (((0.0, 1.0),) * 3, ((0.0, 1.0),)),
    )  # fmt: skip
    path = str(tmp_path / "model.safetensors")
    save_model(model, header, path)
    return path


@pytest.fixture
def scene():
    valid = np.ones(SHAPE, dtype=bool)
    valid[60:100, 20:90] = False
    rasters = [np.where(valid, each, 0).astype(each.dtype) for each in rasters_of(checkered(*SHAPE), (3, 1))]
    return rasters, valid


@pytest.fixture(autouse=True)
def threads():
    """Each test decides on threads; the next one finds what was there."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def classify(path, scene, folder, rectangles, probabilities=False, halo=40):
    """Runs blocks and puts their results together: classes, confidence, probabilities of the whole scene."""
    rasters, valid = scene
    reporter = SilentReporter()
    classifier = BlockClassifier(ClassifyJob(path, "cpu", probabilities), reporter)
    classes, confidence = np.full(SHAPE, 7, np.uint16), np.full(SHAPE, -1, np.float32)
    shares = np.zeros((3, *SHAPE), np.uint16)
    for number, (row, column, height, width) in enumerate(rectangles):
        top, left = max(0, row - halo), max(0, column - halo)
        around = np.s_[top : row + height + halo, left : column + width + halo]
        names = [str(folder / f"{number}-{place}.npy") for place in range(2)]
        for name, raster in zip(names, rasters, strict=True):
            np.save(name, raster[(slice(None), *around)])
        flags = str(folder / f"{number}-valid.npy")
        np.save(flags, valid[around])
        block = Block(number, row, column, height, width, top, left, tuple(names), flags, str(folder / f"out{number}"))
        done = classifier.run(block)
        here = np.s_[row : row + height, column : column + width]
        classes[here], confidence[here] = np.load(block.classes), np.load(block.confidence)
        assert done.pixels == valid[here].sum()
        if valid[here].any() and height * width > 10_000:
            assert len(set(reporter.fractions)) > 2, "a block moves the bar"
        if probabilities:
            shares[(slice(None), *here)] = np.load(block.probabilities)
        else:
            assert not Path(block.probabilities).exists()
    return classes, confidence, shares


WHOLE = [(0, 0, *SHAPE)]
PIECES = [
    (row, column, min(47, SHAPE[0] - row), min(61, SHAPE[1] - column))
    for row in range(0, SHAPE[0], 47)
    for column in range(0, SHAPE[1], 61)
]


def test_block_size_and_extent_do_not_matter(model_path, scene, tmp_path):
    whole, sure, _ = classify(model_path, scene, tmp_path, WHOLE)
    pieces, sure_pieces, _ = classify(model_path, scene, tmp_path, PIECES)
    assert np.array_equal(whole, pieces)
    assert np.allclose(sure, sure_pieces, atol=1e-6, equal_nan=True)
    part, _, _ = classify(model_path, scene, tmp_path, [(31, 57, 40, 33)])
    assert np.array_equal(part[31:71, 57:90], whole[31:71, 57:90])
    assert len(np.unique(whole[scene[1]])) == 3, "the map is not of one class, so that equality says something"


def test_invalid_pixels_are_never_a_class(model_path, scene, tmp_path):
    classes, confidence, shares = classify(model_path, scene, tmp_path, WHOLE, probabilities=True)
    valid = scene[1]
    assert (classes[~valid] == NO_CLASS).all() and (classes[valid] < 3).all()
    assert np.isnan(confidence[~valid]).all() and (shares[:, ~valid] == NO_CLASS).all()
    total = shares[:, valid].astype(float).sum(axis=0) / CERTAIN
    assert np.allclose(total, 1, atol=1e-4)
    assert np.allclose(shares[:, valid].max(axis=0) / CERTAIN, confidence[valid], atol=1e-4)
    chosen = np.take_along_axis(shares[:, valid], classes[valid][None].astype(int), axis=0)[0]
    assert np.array_equal(chosen, shares[:, valid].max(axis=0))


def test_a_block_without_valid_pixels_costs_no_patch(model_path, scene, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("a patch was predicted")

    monkeypatch.setattr(Predictor, "_predict", never)
    rasters, valid = scene
    nothing = (rasters, np.zeros_like(valid))
    classes, _, _ = classify(model_path, nothing, tmp_path, WHOLE)
    assert (classes == NO_CLASS).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_short_memory_halves_the_batch_and_goes_on(model_path, scene, tmp_path, monkeypatch, threads):
    torch.set_num_threads(threads)
    wanted, _, _ = classify(model_path, scene, tmp_path, WHOLE)
    real, seen = Predictor._predict, []

    def short(self, inputs, valid, corners, batch):
        seen.append(batch)
        if batch > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 12 bytes.")
        return real(self, inputs, valid, corners, batch)

    monkeypatch.setattr(Predictor, "_predict", short)
    found, _, _ = classify(model_path, scene, tmp_path, WHOLE)
    assert sorted(set(seen)) == [1, 2, 4] and seen == sorted(seen, reverse=True)
    assert (found != wanted).mean() < 1e-3


def test_threads_change_nothing_but_the_time(model_path, scene, tmp_path):
    one, sure, _ = classify(model_path, scene, tmp_path, WHOLE)
    torch.set_num_threads(3)
    three, sure_three, _ = classify(model_path, scene, tmp_path, WHOLE)
    assert np.array_equal(one, three) and np.array_equal(sure, sure_three, equal_nan=True)
    assert torch.get_num_threads() == 3, "a training after it has all threads"


def test_cancel_leaves_no_batch_behind(model_path, scene, tmp_path, monkeypatch):
    torch.set_num_threads(2)
    real, at_work = Predictor._predict, []

    def slow(*arguments):
        at_work.append(True)
        answer = real(*arguments)
        at_work.pop()
        return answer

    class Stopping(SilentReporter):
        def progress(self, *_):
            raise JobCancelled

    monkeypatch.setattr(Predictor, "_predict", slow)
    monkeypatch.setattr(f"{__name__}.SilentReporter", Stopping)
    with pytest.raises(JobCancelled):
        classify(model_path, scene, tmp_path, WHOLE)
    assert not at_work


def test_a_batch_follows_the_free_memory():
    assert patches_that_fit(8 << 30, 64 << 20) == 64
    assert patches_that_fit(80 << 30, 1 << 20) == MOST_PATCHES
    assert patches_that_fit(1 << 20, 64 << 20) == patches_that_fit(0, 0) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_is_measured_before_the_first_batch(model_path, scene):
    model, _ = load_model(model_path)
    reporter = SilentReporter()
    predictor = Predictor(model, torch.device("cuda", 0), reporter)

    def cut(some):
        return torch.zeros(len(some), 4, 32, 32), torch.ones(len(some), 1, 32, 32, dtype=torch.bool)

    answers = list(predictor.batches(np.zeros((300, 2), np.int64), cut))
    assert len(answers[0][0]) == predictor.batch > model.settings.inference_batch
    assert sum(len(some) for some, _ in answers) == 300


def test_no_memory_for_a_single_patch_says_so(model_path, scene, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Predictor, "_predict", full)
    with pytest.raises(OutOfMemory, match="choose the device"):
        classify(model_path, scene, tmp_path, WHOLE)


def test_other_errors_are_not_taken_for_short_memory(model_path, scene, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Predictor, "_predict", broken)
    with pytest.raises(RuntimeError, match="multiplied"):
        classify(model_path, scene, tmp_path, WHOLE)


def test_a_model_that_gives_no_numbers_makes_no_map(model_path, scene, tmp_path):
    """Its weights are finite, what comes of them is not: no map whose confidence is NaN."""
    model, header = load_model(model_path)
    for value in model.parameters():
        value.data.fill_(1e38)
    save_model(model, header, model_path)
    with pytest.raises(ModelFileError, match="gives no numbers here"):
        classify(model_path, scene, tmp_path, [(0, 0, 40, 40)])
