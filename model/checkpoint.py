"""The state of a long job, kept now and then, so that the same job goes on from there after it was cut.

A safetensors file: tensors, and in its header a JSON text. Nothing in it is executable.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .reporter import Reporter

EVERY = 60.0  # seconds between two states
_KEY = "bdgf-checkpoint"


@dataclass(frozen=True)
class State:
    """What a job has come to: steps done, tensors by name, and everything else as JSON has it."""

    step: int
    tensors: dict[str, Tensor]
    rest: dict[str, Any]


class CheckpointFile:
    """Where a job keeps its state; one written by another job is passed over, and overwritten in time.

    Args:
        path: of the file; '' keeps nothing.
        job: what the state belongs to, see digest().
        reporter: told of the first state, and where one cannot be written, which does not stop the job.
    """

    def __init__(self, path: str, job: str, reporter: Reporter) -> None:
        self.path = path
        self._job = job
        self._reporter = reporter
        self._last = time.monotonic()
        self._told = False

    @property
    def begun(self) -> bool:
        """Whether a state was kept: the run is long enough for it."""
        return self._told

    @property
    def due(self) -> bool:
        """Whether it is time for another state."""
        return bool(self.path) and time.monotonic() - self._last >= EVERY

    def save(self, state: State) -> None:
        """Keeps a state in place of the one before, whole or not at all."""
        if not self.path:
            return
        header = json.dumps({"job": self._job, "step": state.step, "rest": state.rest})
        tensors = {name: value.detach().cpu().contiguous() for name, value in state.tensors.items()}
        draft = self.path + ".new"
        try:
            save_file(tensors, draft, metadata={_KEY: header})
            os.replace(draft, self.path)
        except (OSError, SafetensorError) as error:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            self._tell("warning", f"The state of this run cannot be kept in {self.path} ({error}): if cut, it is lost.")
        else:
            self._tell("info", f"Should this run be cut, the same run goes on from its state in {self.path}.")
        self._last = time.monotonic()

    def load(self) -> State | None:
        """The state that this very job was cut at, None where there is none."""
        if not self.path or not os.path.exists(self.path):
            return None
        try:
            with safe_open(self.path, "pt") as file:
                header = json.loads((file.metadata() or {})[_KEY])
                if header["job"] != self._job:
                    return None
                state = State(header["step"], {name: file.get_tensor(name) for name in file.keys()}, header["rest"])
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return None  # cut while it was written, or no state at all
        self._told = True
        self._reporter.note("info", f"Going on from step {state.step} of a run that was cut.")
        return state

    def _tell(self, level: str, text: str) -> None:
        if not self._told:
            self._reporter.note(level, text)
        self._told = True


def digest(values: Iterable[object], files: Iterable[str | None]) -> str:
    """What makes a job the same: settings and such as their texts, files by their content."""
    found = hashlib.blake2b(digest_size=16)
    for value in values:
        found.update(repr(value).encode() + b"\0")
    for path in files:
        found.update(b"\0" if path is None else b"\1")
        if path is not None:
            with open(path, "rb") as file:
                while part := file.read(1 << 22):
                    found.update(part)
    return found.hexdigest()


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under a common prefix."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What named() put under a prefix."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(prefix + ".")}
