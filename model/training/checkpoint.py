"""The state of a long job, kept now and then, so that the same job goes on from there after it was cut.

A safetensors file: tensors, and in its header a JSON text and a checksum over both. Nothing in it is executable.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from ..job.reporter import Reporter
from ..shared.rebuild import rebuild, rebuildable
from ..shared.strict_json import parse
from ..shared.tensor_file import TensorFileError, read_whole

EVERY = 60.0  # seconds between two states
_KEY, _CHECKSUM = "bdgf-checkpoint", "bdgf-checksum"
_DRAFT_END = ".new"
_OLD = 24 * 3600.0  # seconds after which nobody writes a draft any more


@dataclass(frozen=True)
class State:
    """What a job has come to: steps done, tensors by name, and everything else as JSON has it."""

    step: int
    tensors: dict[str, Tensor]
    rest: dict[str, Any]


@rebuildable
@dataclass(frozen=True)
class _Text:
    """What a file says beside its tensors; `rest` is a JSON text."""

    job: str
    step: int
    rest: str


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
        text = json.dumps({"job": self._job, "step": state.step, "rest": json.dumps(state.rest)})
        tensors = {name: value.detach().cpu().contiguous() for name, value in state.tensors.items()}
        draft = ""
        try:
            draft = self._new_draft()
            save_file(tensors, draft, metadata={_KEY: text, _CHECKSUM: _checksum(text, tensors)})
            os.replace(draft, self.path)
        except (OSError, SafetensorError) as error:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            self._tell("warning", f"The state of this run cannot be kept in {self.path} ({error}): if cut, it is lost.")
        else:
            self._tell("info", f"Should this run be cut, the same run goes on from its state in {self.path}.")
        self._last = time.monotonic()

    def load(self) -> State | None:
        """The state that this very job was cut at, None where there is none; a damaged one is discarded with a note."""
        if not self.path or not os.path.lexists(self.path):
            return None
        try:
            table, content = read_whole(self.path)
            text = table.texts[_KEY]
            tensors = load(content)
            if _checksum(text, tensors) != table.texts[_CHECKSUM]:
                raise ValueError("its checksum is another")
            found: _Text = rebuild(_Text, parse(text))
            rest = parse(found.rest)
            if not isinstance(rest, dict):
                raise ValueError("it is no state of a run")
            state = State(found.step, tensors, rest)
        except (TensorFileError, SafetensorError, ValueError, KeyError) as error:
            self.discard(str(error) if isinstance(error, ValueError) else "it is no state of a run")
            return None
        return state if found.job == self._job else None

    def discard(self, reason: str) -> None:
        """Take a state that cannot be used away, so that it does not stop the next run either."""
        text = f"The state of an earlier run in {self.path} cannot be used ({reason}): this run begins again."
        self._reporter.note("warning", text)
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def resumed(self, state: State) -> None:
        """Tell that the job has taken a state up."""
        self._told = True
        self._reporter.note("info", f"Going on from step {state.step} of a run that was cut.")

    def _new_draft(self) -> str:
        """A file beside the state, of this run alone; those that killed runs left a day ago are removed."""
        folder, name = os.path.split(self.path)
        prefix = f"{name}."
        with os.scandir(folder or ".") as entries:
            for each in entries:
                ours = each.name.startswith(prefix) and each.name.endswith(_DRAFT_END)
                with contextlib.suppress(OSError):
                    if ours and each.is_file(follow_symlinks=False) and time.time() - each.stat().st_mtime > _OLD:
                        os.unlink(each.path)
        handle, draft = tempfile.mkstemp(_DRAFT_END, prefix, folder or ".")
        os.close(handle)
        return draft

    def _tell(self, level: str, text: str) -> None:
        if not self._told:
            self._reporter.note(level, text)
        self._told = True


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    """A hash of all that a state holds."""
    found = hashlib.blake2b(text.encode(), digest_size=16)
    for name in sorted(tensors):
        value = tensors[name]
        found.update(f"\0{name} {value.dtype} {list(value.shape)}\0".encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


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
