"""Starts a child process in a group of its own, and ends it with all its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Optional, Union

_WINDOWS_CAUSES = {
    0xC0000005: "an access violation",
    0xC0000017: "memory ran out",
    0xC00000FD: "a stack overflow",
    0xC0000135: "a missing DLL",
    0xC0000409: "a fatal error in a library",
}


def output_of(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> Optional[str]:
    """What a short command prints; None where it cannot be started or takes longer than `seconds`."""
    try:
        process = start(command, environment, None, subprocess.DEVNULL)
    except OSError:
        return None
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:  # with its children, and even one that cannot be killed is waited for no longer
        kill(process)
        ended_within(process, 0.5)
        return None
    return said.decode("utf-8", "replace")


def start(
    command: Sequence[str], environment: Mapping[str, str], folder: Optional[str], stderr: Union[int, IO[bytes]]
) -> subprocess.Popen[bytes]:
    """Start `command` in `folder` (None: the current one) with pipes for stdin and stdout.

    Raises OSError where it cannot be started.
    """
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    else:
        flags = 0
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=folder,
        env=dict(environment),
        start_new_session=sys.platform != "win32",
        creationflags=flags,
    )


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Ask the process and its children to end; on Windows there is no such request that a busy process obeys."""
    if sys.platform != "win32":
        _signal_group(process.pid, signal.SIGTERM)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children at once. What is left of a group whose leader has ended goes too."""
    if sys.platform == "win32":
        if process.poll() is None:
            tool = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "taskkill.exe")
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [tool, "/T", "/F", "/PID", str(process.pid)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    creationflags=subprocess.CREATE_NO_WINDOW,
                    timeout=1.0,
                    check=False,
                )
            process.kill()
    else:
        _signal_group(process.pid, signal.SIGKILL)


def ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process has ended within `seconds`."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=max(seconds, 0.0))
    return process.returncode is not None


def cause_of(status: Optional[int]) -> str:
    """How a process ended, in words: 'it was killed by signal SIGKILL ...', 'it ended with exit code 3'."""
    if status is None:
        return "it stopped answering"
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = str(-status)
        hint = " (most often because the computer ran out of memory)" if name == "SIGKILL" else ""
        return f"it was killed by signal {name}{hint}"
    cause = _WINDOWS_CAUSES.get(status)
    return f"it ended with {cause} (0x{status:08X})" if cause else f"it ended with exit code {status}"


def _signal_group(group: int, number: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody left (macOS: only the unreaped leader)
            os.killpg(group, number)
