"""Which device will be used, and if it is not a GPU, why: one sentence from what the check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....model.shared.device_order import by_preference
from ....model.shared.events import Checked, DeviceInfo, KernelCheck


@dataclass(frozen=True)
class DeviceCheck:
    """A device and how the computations went on it; `trouble` says why it cannot be used, '' where it can."""

    info: DeviceInfo
    kernels: tuple[KernelCheck, ...]
    trouble: str


@dataclass(frozen=True)
class Verdict:
    """The device that will be used, '' where none works, and the sentence."""

    device: str
    sentence: str


def trouble_of(info: DeviceInfo, kernels: Sequence[KernelCheck]) -> str:
    """The first needed computation that failed."""
    if info.trouble:
        return info.trouble
    failed = [each for each in kernels if each.needed and each.trouble]
    return f"{failed[0].name}: {failed[0].trouble}" if failed else ""


def verdict(wish: str, facts: Checked, devices: Sequence[DeviceCheck]) -> Verdict:
    """What `wish` comes to: 'auto', or a named device. Follows the rules of the worker's choose_device."""
    wish = wish.strip().lower() or "auto"
    by_name = {each.info.device: each for each in devices}
    cpu = by_name["cpu"]
    if cpu.trouble:
        return Verdict(
            "", f"BDGF cannot compute here: the CPU itself failed ({cpu.trouble}). Run 'Install environment'."
        )
    if wish == "auto":
        return _automatic(facts, devices)
    named = by_name.get("cuda:0" if wish == "cuda" else wish)
    if wish == "cpu":
        return Verdict("cpu", "The CPU will be used, as it was asked for.")
    if named is None:
        return Verdict("", f"Device {wish} is not there{_why_not_seen(facts)}: runs with it will be refused.")
    if named.trouble:
        return Verdict("cpu", f"The CPU will be used, because {wish} does not work: {named.trouble}.")
    return Verdict(named.info.device, f"{named.info.name} ({named.info.device}) will be used, as it was asked for.")


def _automatic(facts: Checked, devices: Sequence[DeviceCheck]) -> Verdict:
    gpus = [each for each in devices if each.info.device != "cpu"]
    working = [each for each in gpus if not each.trouble]
    if working:
        best = by_preference([check.info for check in working])[0]
        several = ", the one with most free memory" if len(working) > 1 else ""
        return Verdict(best.device, f"{best.name} ({best.device}) will be used{several}.")
    if gpus:
        reasons = "; ".join(f"{each.info.name} ({each.info.device}): {each.trouble}" for each in gpus)
        return Verdict("cpu", f"The CPU will be used, because no GPU works: {reasons}.")
    reason = _why_not_seen(facts) or ", because there is no GPU that PyTorch can use"
    return Verdict("cpu", f"The CPU will be used{reason}.")


def _why_not_seen(facts: Checked) -> str:
    """Why an NVIDIA card that the driver lists is not among torch's devices; '' where there is none."""
    if not facts.cards or any(each.device.startswith("cuda") for each in facts.devices):
        return ""
    card = facts.cards[0]
    if not facts.build.startswith("CUDA"):
        return (
            f", because this PyTorch is a build for the CPU, although {card} is there: run 'Install environment' again"
        )
    return (
        f", because PyTorch cannot reach {card}: driver {facts.driver} may be too old for "
        f"{facts.build.partition(',')[0]} (update it), or the card is hidden from this program"
    )
