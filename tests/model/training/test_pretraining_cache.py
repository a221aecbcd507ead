"""A finished pre-training is found again by every job that would learn the same, and gives the model of a fresh one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bdgf.model.shared.jobs import CacheFolder, PretrainJob, TrainJob
from bdgf.model.shared.settings import BranchSettings, DiffusionSettings
from bdgf.model.training.curves import CurveLog
from bdgf.model.training.jobs import pretrain, train
from bdgf.model.training.pretraining_cache import PretrainingCache
from bdgf.model.training.state_file import State, write_state
from bdgf.tests.model.scene import SilentReporter, tiny_settings, train_job

REUSED = "Pre-training of this scene reused."


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def cache(tmp_path) -> CacheFolder:
    return CacheFolder(str(tmp_path / "cache" / "pre-training"), 1 << 30)


@pytest.fixture
def job(tmp_path, cache) -> TrainJob:
    return replace(train_job(tmp_path), cache=cache)


def entries(cache: CacheFolder) -> list[Path]:
    return sorted(Path(cache.path).iterdir())


def tensors(path: str) -> dict[str, torch.Tensor]:
    return load_file(path)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def trained(job: TrainJob) -> tuple[dict[str, torch.Tensor], Any, list[str]]:
    reporter = SilentReporter()
    result = train(job, reporter)
    assert reporter.fractions == sorted(reporter.fractions)
    return tensors(job.output), result, reporter.notes


def test_a_second_training_gives_the_same_model_without_pre_training(job, cache):
    alone = trained(replace(job, cache=None))
    first, second = trained(job), trained(job)
    assert REUSED not in first[2] and REUSED in second[2]
    assert equal(alone[0], first[0]) and equal(first[0], second[0])
    assert alone[1] == first[1] == second[1], "curves and figures too"
    assert len(entries(cache)) == 1


def test_pre_train_leaves_it_for_train_and_finds_it_itself(job, cache, tmp_path):
    given = PretrainJob(
        job.tiles, job.modalities, job.scene, job.settings, job.seed, "cpu", job.output, "test", cache=cache
    )
    first = SilentReporter()
    result = pretrain(given, first)
    model = tensors(job.output)
    second = SilentReporter()
    assert pretrain(given, second) == result and equal(tensors(job.output), model)
    assert REUSED in second.notes and REUSED not in first.notes
    assert REUSED in trained(job)[2]
    further = replace(given, pretrained=str(tmp_path / "start.safetensors"))
    Path(job.output).rename(tmp_path / "start.safetensors")
    for expected in (False, True):
        reporter = SilentReporter()
        pretrain(further, reporter)
        assert (REUSED in reporter.notes) == expected, "what goes on from a model is another pre-training"


def edited_polygons(job: TrainJob) -> TrainJob:
    points = np.load(job.tiles.training)
    np.save(job.tiles.training, points[5:])
    np.save(job.tiles.held_out, points[:5])
    return job


def more_tiles_for_labels(job: TrainJob) -> TrainJob:
    """As of a scene that is too large to be copied whole."""
    tiles = replace(job.tiles, blind=len(np.load(job.tiles.index)))
    for path in (tiles.index, tiles.valid, *tiles.modalities):
        values = np.load(path)
        more = values[:1] + np.array([0, 9], values.dtype) if path == tiles.index else values[:1]
        np.save(path, np.concatenate([values, more]))
    return replace(job, tiles=tiles)


@pytest.mark.parametrize(
    "change",
    [
        edited_polygons,
        more_tiles_for_labels,
        lambda job: replace(job, settings=replace(job.settings, preset="other", branches=BranchSettings(width=16))),
        lambda job: replace(job, modalities=tuple(replace(each, name="layer") for each in job.modalities)),
    ],
)
def test_what_pre_training_does_not_hang_on_changes_nothing(job, change: Callable[[TrainJob], TrainJob]):
    trained(job)
    changed = change(job)
    reused, fresh = trained(changed), trained(replace(changed, cache=None))
    assert REUSED in reused[2] and equal(reused[0], fresh[0])


def other_pixel(job: TrainJob) -> TrainJob:
    values = np.load(job.tiles.modalities[1])
    values[-1, 0, -1, -1] += 1
    np.save(job.tiles.modalities[1], values)
    return job


def fewer_bands(job: TrainJob) -> TrainJob:
    np.save(job.tiles.modalities[0], np.load(job.tiles.modalities[0])[:, :2])
    first = replace(job.modalities[0], bands=job.modalities[0].bands[:2])
    return replace(job, modalities=(first, *job.modalities[1:]))


@pytest.mark.parametrize(
    "change",
    [
        other_pixel,
        fewer_bands,
        lambda job: replace(job, seed=2),
        lambda job: replace(job, plugin_version="another"),
        lambda job: replace(job, settings=tiny_settings(components=2)),
        lambda job: replace(job, settings=tiny_settings(diffusion=DiffusionSettings(width=8, steps=7, batch=2))),
    ],
)
def test_another_pre_training_is_another_entry(job, cache, change: Callable[[TrainJob], TrainJob]):
    trained(job)
    assert REUSED not in trained(change(job))[2]
    assert len(entries(cache)) == 2


def test_without_a_cache_or_without_steps_nothing_is_kept(job, cache):
    trained(replace(job, cache=None))
    trained(replace(job, settings=job.settings.with_steps(0, None)))
    assert not Path(cache.path).exists()


def other_tensors(content: bytes, path: Path) -> bytes:
    write_state(str(path), path.stem, State(0, {"a": torch.zeros(1)}, {"curves": []}))
    return path.read_bytes()


def not_finite(content: bytes, path: Path) -> bytes:
    weights = tensors(str(path))
    next(iter(weights.values())).view(-1)[0] = float("nan")
    write_state(str(path), path.stem, State(0, weights, {"curves": []}))
    return path.read_bytes()


def flipped(content: bytes, path: Path) -> bytes:
    damaged = bytearray(content)
    damaged[-3] ^= 4
    return bytes(damaged)


@pytest.mark.parametrize(
    "damage",
    [flipped, other_tensors, not_finite, lambda content, path: content[:-9], lambda content, path: b""],
)
def test_a_damaged_entry_is_discarded_with_a_note(job, cache, damage: Callable[[bytes, Path], bytes]):
    fresh = trained(job)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole, entry))
    again = trained(job)
    (note,) = [each for each in again[2] if str(entry) in each]
    assert "is damaged (" in note and note.isprintable() and REUSED not in again[2]
    assert equal(again[0], fresh[0]) and again[1] == fresh[1]
    assert REUSED in trained(job)[2], "made anew"


def test_a_pipe_or_a_folder_in_place_of_an_entry_stops_nothing(job, cache):
    fresh = trained(job)
    (entry,) = entries(cache)
    entry.unlink()
    os.mkfifo(entry)
    assert equal(trained(job)[0], fresh[0]) and entry.is_file()
    entry.unlink()
    entry.mkdir()
    again = trained(job)
    assert equal(again[0], fresh[0]) and any("cannot be kept" in each for each in again[2])


def test_a_folder_that_cannot_be_made_stops_nothing(job, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = replace(job, cache=CacheFolder(str(tmp_path / "file" / "cache"), 1 << 30))
    assert sum("cannot be kept" in each for each in trained(blocked)[2]) == 1


# ---------------------------------------------------------------- bound


def kept(cache: CacheFolder, job: str, value: float = 0.0) -> Path:
    """An entry of about 4 KiB."""
    entry = PretrainingCache(cache, job, SilentReporter())
    entry.keep(network(value), CurveLog())
    return Path(entry.path)


def network(value: float = 0.0) -> Any:
    layer = torch.nn.Linear(1000, 1)
    torch.nn.init.constant_(layer.weight, value)
    return layer


def test_the_least_recently_used_goes_first(cache):
    bounded = replace(cache, most_bytes=15_000)
    first, second, third = (kept(bounded, each) for each in ("1", "2", "3"))
    for age, path in enumerate((third, second, first)):
        os.utime(path, (1000 - age, 1000 - age))
    stranger = Path(cache.path) / "notes.txt"
    stranger.write_text("x" * 50_000)
    assert PretrainingCache(bounded, "1", SilentReporter()).load(network(), CurveLog()), "used now"
    fourth = kept(bounded, "4")
    assert set(entries(cache)) == {first, third, fourth, stranger}
    assert not PretrainingCache(bounded, "2", SilentReporter()).load(network(), CurveLog())


def test_drafts_of_killed_runs_count_and_go(cache):
    bounded = replace(cache, most_bytes=10_000)
    entry = kept(bounded, "1")
    draft = entry.with_name(f"{entry.name}.ab12_cd.new")
    draft.write_bytes(b"x" * 9_000)
    os.utime(draft, (0, 0))
    linked = entry.with_name("0" * 32 + ".safetensors")
    linked.symlink_to("/dev/zero")
    other = kept(bounded, "2")
    assert set(entries(cache)) == {entry, other, linked}


def test_what_is_larger_than_the_bound_is_not_kept(cache):
    kept(replace(cache, most_bytes=1000), "1")
    assert entries(cache) == []


def test_weights_that_are_no_numbers_are_not_kept(cache):
    kept(cache, "1", float("nan"))
    assert not Path(cache.path).exists()


def test_many_runs_at_once_see_whole_entries_or_none(cache):
    """Four writers, each with a value of its own, readers and a bound that drops entries all the while."""
    bounded = replace(cache, most_bytes=11_000)
    wrong: list[str] = []

    def use(value: int) -> None:
        for round_ in range(40):
            name = str((round_ + value) % 4)
            if round_ % 2:
                kept(bounded, name, float(name))
            else:
                reporter, target = SilentReporter(), network(-1.0)
                if PretrainingCache(bounded, name, reporter).load(target, CurveLog()):
                    wrong.extend(["value"] * (not bool((target.weight == float(name)).all())))
                wrong.extend(each for each in reporter.notes if "damaged" in each)

    threads = [threading.Thread(target=use, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert sum(each.stat().st_size for each in entries(bounded)) <= 11_000
