"""The state of a job as a file: tensors, and everything else as JSON, for the same job to take up another time.

A safetensors file, in whose header a JSON text stands and a checksum over all. Nothing in it is executable.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from ..shared.rebuild import rebuild, rebuildable
from ..shared.strict_json import parse
from ..shared.tensor_file import TensorFileError, read_whole

_KEY, _CHECKSUM = "bdgf-checkpoint", "bdgf-checksum"
_DRAFT_END = ".new"
_OLD = 24 * 3600.0  # seconds after which nobody writes a draft any more


class DamagedState(ValueError):
    """What stands there is no state of a job; the text says why."""


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


def write_state(path: str, job: str, state: State) -> None:
    """Puts a job's state in place of what stood there, whole or not at all. Raises OSError."""
    text = json.dumps({"job": job, "step": state.step, "rest": json.dumps(state.rest)})
    tensors = {name: value.detach().cpu().contiguous() for name, value in state.tensors.items()}
    draft = ""
    try:
        draft = _new_draft(path)
        save_file(tensors, draft, metadata={_KEY: text, _CHECKSUM: _checksum(text, tensors)})
        os.replace(draft, path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise error if isinstance(error, OSError) else OSError(str(error)) from error


def read_state(path: str, job: str) -> State | None:
    """The state of a job; None where there is none, or another job's. Raises DamagedState."""
    if not os.path.lexists(path):
        return None
    try:
        table, content = read_whole(path)
        text = table.texts[_KEY]
        tensors = load(content)
        if _checksum(text, tensors) != table.texts[_CHECKSUM]:
            raise ValueError("its checksum is another")
        found: _Text = rebuild(_Text, parse(text))
        rest = parse(found.rest)
        if not isinstance(rest, dict):
            raise ValueError("it is no state of a run")
    except (TensorFileError, SafetensorError, ValueError, KeyError) as error:
        if not os.path.lexists(path):  # another process has removed it just now
            return None
        raise DamagedState(str(error) if isinstance(error, ValueError) else "it is no state of a run") from error
    return State(found.step, tensors, rest) if found.job == job else None


def _new_draft(path: str) -> str:
    """A file beside the state, of this run alone; those that killed runs left a day ago are removed."""
    folder, name = os.path.split(path)
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


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    """A hash of all that a state holds."""
    found = hashlib.blake2b(text.encode(), digest_size=16)
    for name in sorted(tensors):
        value = tensors[name]
        found.update(f"\0{name} {value.dtype} {list(value.shape)}\0".encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under a common prefix."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What named() put under a prefix."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(prefix + ".")}
