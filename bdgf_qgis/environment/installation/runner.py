"""Runs one step: reads what it prints, moves the progress, hears Cancel, ends it with its children."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Optional

from ....model.shared.text import plain_text
from ...engine import child_process
from ...engine.wait_timer import WaitTimer, in_words
from ...feedback import Feedback, RunCancelled
from .errors import StepFailed
from .install_log import InstallLog
from .output import PackageProgress, explanation
from .steps import Step

_POLL = 0.1  # seconds
_QUIET = 600.0  # seconds without a line: then a warning (a large package on a slow line)
_QUIET_END = 12 * 3600.0  # then the step has failed
_LINES_KEPT = 60
_LONGEST = 4_096  # bytes of a line; the rest makes a further one
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class StepRunner:
    """Runs steps in a folder with given variables, one after another."""

    def __init__(self, folder: Path, variables: Mapping[str, str], log: InstallLog, feedback: Feedback) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._log = log
        self._feedback = feedback

    def run(self, step: Step, begin: float, end: float, variables: Optional[Mapping[str, str]] = None) -> list[str]:
        """Run a step, the bar going from `begin` to `end`; returns its last lines.

        Raises StepFailed with the cause, RunCancelled where the user cancels; the process and its children are gone.
        """
        environment = {**(self._variables if variables is None else variables), **dict(step.extra)}
        self._log.write("$ " + " ".join(step.command))
        self._feedback.at(begin, step.title)
        try:
            process = child_process.start(step.command, environment, str(self._folder), subprocess.STDOUT)
        except OSError as error:
            raise StepFailed(f"{step.title}: {step.command[0]} could not be started ({error.strerror}).") from error
        if process.stdin is not None:
            process.stdin.close()
        try:
            lines = self._follow(process, step, begin, end)
            child_process.ended_within(process, 5.0)
        finally:
            child_process.kill(process)
            child_process.ended_within(process, 2.0)
        if process.returncode != 0:
            status = child_process.cause_of(process.returncode)
            self._log.write(f"({status})")
            why = explanation(lines, status)
            said = "" if not why.startswith(status) else f" It last wrote: {' | '.join(lines[-3:])}"
            raise StepFailed(self._log.clean(f"{step.title} failed: {why}{said} The log is {self._log.path}."))
        self._feedback.at(end, step.title)
        return lines

    def _follow(self, process: subprocess.Popen[bytes], step: Step, begin: float, end: float) -> list[str]:
        """Read to the end of the output."""
        inbox: queue.Queue[Optional[str]] = queue.Queue()
        threading.Thread(target=_read, args=(process.stdout, inbox.put), name="bdgf-install", daemon=True).start()
        lines: list[str] = []
        packages = PackageProgress()
        started = shown = time.monotonic()
        said = ""
        quiet = WaitTimer()
        while True:
            if self._feedback.is_cancelled():
                self._log.write("(cancelled)")
                child_process.terminate(process)
                child_process.ended_within(process, 0.5)
                raise RunCancelled
            try:
                line = inbox.get(timeout=_POLL)
            except queue.Empty:
                line = ""
                self._look(quiet, process.pid, step)
            if line is None:
                return lines[-_LINES_KEPT:]
            if line:
                quiet.over()
                self._log.write("  " + line)
                lines = [*lines[-_LINES_KEPT:], line]
                packages.feed(line)
            if packages.text != said or time.monotonic() - shown > 0.3:
                said = packages.text
                shown = time.monotonic()
                seconds = (shown - started) // 5 * 5  # a sign of life while one large package comes
                waited = f", {seconds:.0f} s" if seconds else ""
                what = f": {packages.text}" if packages.text else ""
                self._feedback.at(begin + packages.fraction * (end - begin), f"{step.title}{what}{waited}")

    def _look(self, quiet: WaitTimer, process: int, step: Step) -> None:
        """Nothing was printed just now: warn, or end what has no end."""
        seconds = quiet.look()
        if seconds >= _QUIET_END:
            raise StepFailed(
                self._log.clean(
                    f"{step.title} failed: process {process} printed nothing for {in_words(seconds)} and was ended. "
                    f"Run it again. The log is {self._log.path}."
                )
            )
        if seconds >= _QUIET and not quiet.warned:
            quiet.warned = True
            text = (
                f"{step.title}: nothing was heard from process {process} for {in_words(seconds)}. A large package on a "
                "slow line takes long; if nothing comes over the network any more, cancel and run it again: it goes on "
                "where it stopped."
            )
            self._log.write(text)
            self._feedback.note("warning", text)


def _read(stream: IO[bytes], put: Callable[[Optional[str]], None]) -> None:
    try:
        while line := stream.readline(_LONGEST):
            put(plain_text(_COLOUR.sub("", line.decode("utf-8", "replace")).rstrip()) or " ")
    except (OSError, ValueError):
        pass
    finally:
        put(None)
        stream.close()
