"""The check of a device: what passes, what is caught, and which device is chosen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from bdgf.model.device import choice as module
from bdgf.model.device.check import check, driver_of
from bdgf.model.device.choice import DeviceError, choose_device, no_build_for_card
from bdgf.model.device.kernels import Kernel, first_trouble, kernels, try_kernel
from bdgf.model.job.reporter import Reporter
from bdgf.model.shared.device_order import by_preference
from bdgf.model.shared.events import DeviceInfo, Event, Note
from bdgf.model.shared.jobs import CheckJob
from bdgf.model.shared.messages import decode, encode

CPU = torch.device("cpu")


def reporter(events: list[Event] | None = None) -> Reporter:
    return Reporter((events if events is not None else []).append, lambda: False)


def test_the_cpu_computes_all_kinds_right() -> None:
    found = check(CheckJob("cpu"), reporter())
    assert {"convolution", "depthwise convolution", "selective scan", "attention", "normalisation", "gradient"} <= {
        each.name for each in found.kernels
    }
    assert all(not each.trouble and 0 <= each.error < 1e-4 for each in found.kernels)
    assert found.devices[0].device == "cpu" and found.torch == torch.__version__
    assert {each.name: each.version for each in found.packages}["torch"]
    assert decode(encode(found)) == found
    assert check(CheckJob(), reporter()).kernels == ()
    assert first_trouble(CPU) == ""


def test_cuda_gets_mixed_precision_and_the_fast_scan_too() -> None:
    names = {each.name: each.needed for each in kernels(torch.device("cuda"))}
    assert names["mixed precision"] and not names["fast scan (Triton)"]


def wrong(x: torch.Tensor) -> torch.Tensor:
    return x * (1.0 if x.dtype == torch.float64 else 1.1)


def nan(x: torch.Tensor) -> torch.Tensor:
    return x * (1.0 if x.dtype == torch.float64 else float("nan"))


def raises(x: torch.Tensor) -> torch.Tensor:
    if x.dtype == torch.float64:
        return x
    raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nmore lines")


@pytest.mark.parametrize(
    ("compute", "word"),
    [(wrong, "off by 10"), (nan, "off by nan"), (raises, "no kernel image")],
    ids=["wrong", "nan", "raises"],
)
def test_a_device_that_computes_wrong_is_caught(compute, word: str) -> None:  # type: ignore[no-untyped-def]
    result = try_kernel(Kernel("some kind", compute, ((4, 4),)), CPU)
    assert word in result.trouble and "more lines" not in result.trouble


@pytest.mark.parametrize(
    ("capability", "architectures", "word"),
    [
        ((8, 6), ("sm_75", "sm_80", "sm_86"), ""),
        ((8, 9), ("sm_75", "sm_86"), ""),
        ((12, 0), ("sm_90", "compute_90"), ""),
        ((6, 1), ("sm_75", "sm_90", "compute_90"), "too old"),
        ((12, 0), ("sm_80", "sm_90"), "too new"),
        ((8, 0), ("sm_75", "sm_86", "sm_90"), "of another kind"),
        ((9, 0), ("gfx90a",), ""),
    ],
)
def test_cards_and_builds(capability: tuple[int, int], architectures: Sequence[str], word: str) -> None:
    found = no_build_for_card(capability, architectures)
    assert word in found and bool(found) == bool(word)


def test_driver_listing() -> None:
    assert driver_of("580.65, NVIDIA RTX A4000\n580.65, NVIDIA GTX 1080\n") == (
        "580.65",
        ("NVIDIA RTX A4000", "NVIDIA GTX 1080"),
    )
    assert driver_of("NVIDIA-SMI has failed") == ("", ())


# ---------------------------------------------------------------- choosing

CARDS = (
    DeviceInfo("cpu", "CPU", 0, 0, "", ""),
    DeviceInfo("cuda:0", "Small", 8, 2, "8.6", ""),
    DeviceInfo("cuda:1", "Large", 16, 15, "9.0", ""),
    DeviceInfo("cuda:2", "Old", 0, 0, "6.1", "too old"),
    DeviceInfo("mps", "Apple GPU", 0, 0, "", ""),
)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A computer with the cards above; the dictionary says which fail when they compute."""
    troubles: dict[str, str] = {}
    monkeypatch.setattr(module, "survey", lambda: CARDS)
    monkeypatch.setattr(module, "trouble", lambda device: troubles.get(str(device), ""))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    return troubles


def test_auto_takes_the_most_free_memory_that_works(cards: dict[str, str]) -> None:
    assert str(choose_device("auto", reporter())) == "cuda:1"
    events: list[Event] = []
    cards["cuda:1"] = "no kernel image"
    assert str(choose_device("", reporter(events))) == "cuda:0"
    assert any(isinstance(each, Note) and "Large (cuda:1) is there but cannot be used" in each.text for each in events)
    cards["cuda:0"] = "driver fault"
    assert str(choose_device("auto", reporter())) == "mps"
    cards["mps"] = "not implemented"
    events.clear()
    assert str(choose_device("auto", reporter(events))) == "cpu"
    assert len([each for each in events if isinstance(each, Note)]) == 4, "each is told"


def test_a_named_device_that_fails_falls_back_with_a_warning(cards: dict[str, str]) -> None:
    assert str(choose_device("cuda:1", reporter())) == "cuda:1"
    cards["cuda:1"] = "no kernel image"
    events: list[Event] = []
    assert str(choose_device("CUDA:1", reporter(events))) == "cpu"
    assert any(isinstance(each, Note) and "computing on the CPU instead" in each.text for each in events)


@pytest.mark.parametrize("wish", ["cuda:7", "banana", "xpu", "mps"])
def test_a_device_that_is_not_there_is_refused_with_what_to_do(cards: dict[str, str], wish: str) -> None:
    with pytest.raises(DeviceError, match=r"Use auto or cpu|use auto, cpu"):
        choose_device(wish, reporter())


def test_preference() -> None:
    assert [each.device for each in by_preference(CARDS)] == ["cuda:1", "cuda:0", "cuda:2", "mps"]


def test_a_card_that_this_build_cannot_see_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(module.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(torch.version, "cuda", None)
    events: list[Event] = []
    assert str(choose_device("auto", reporter(events))) == "cpu"
    assert any(isinstance(each, Note) and "a build for the CPU" in each.text for each in events)
