"""Has the worker try each device. A device whose driver takes the worker down is named, and the next one is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, cast

from ....model.shared.events import Checked, DeviceInfo, KernelCheck
from ....model.shared.jobs import CheckJob
from ...engine.errors import WorkerDied, WorkerFailed
from ...engine.run import run_job
from ...engine.worker import Worker
from ...feedback import Feedback
from ..python import WorkerPython
from .verdict import DeviceCheck, Verdict, trouble_of, verdict


@dataclass(frozen=True)
class Diagnosis:
    """What was found: `facts` of the worker's Python, each device with its computations, and what that comes to."""

    python: WorkerPython
    facts: Checked
    devices: tuple[DeviceCheck, ...]
    wish: str
    verdict: Verdict


def diagnose(worker: Worker, python: WorkerPython, wish: str, feedback: Feedback) -> Diagnosis:
    """Try all devices. Raises WorkerDied or WorkerFailed where the worker cannot even start, RunCancelled."""
    facts = cast(Checked, run_job(worker, CheckJob(), feedback.part(0.0, 0.5)))
    found = []
    for number, info in enumerate(facts.devices):
        share = 0.5 / len(facts.devices)
        part = feedback.part(0.5 + number * share, 0.5 + (number + 1) * share)
        found.append(_try(worker, info, part))
    devices = tuple(found)
    return Diagnosis(python, facts, devices, wish, verdict(wish, facts, devices))


def prove_cpu(worker: Worker, feedback: Feedback) -> Optional[str]:
    """Why the worker cannot compute on the CPU; None where it can. Raises as diagnose does."""
    facts = cast(Checked, run_job(worker, CheckJob("cpu"), feedback))
    return trouble_of(facts.devices[0], facts.kernels) or None


def _try(worker: Worker, info: DeviceInfo, feedback: Feedback) -> DeviceCheck:
    if info.trouble:
        return DeviceCheck(info, (), info.trouble)
    kernels: tuple[KernelCheck, ...] = ()
    try:
        kernels = cast(Checked, run_job(worker, CheckJob(info.device), feedback)).kernels
    except WorkerDied as error:
        return DeviceCheck(info, (), f"the worker crashed when it computed on it ({error})")
    except WorkerFailed as error:
        return DeviceCheck(info, (), str(error).rstrip("."))
    return DeviceCheck(info, kernels, trouble_of(info, kernels))
