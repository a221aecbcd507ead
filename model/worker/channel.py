"""The worker's end of the line to QGIS: messages in by a thread of their own, events out.

Standard library only. The thread starts after torch and numpy are loaded: a thread that waits on stdin while native
libraries initialise is a known hang on Windows.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ..shared.events import Event
from ..shared.jobs import Cancel, Quit
from ..shared.messages import WORK, Message, decode, encode


@dataclass(frozen=True)
class Received:
    """A message and the number of the job that it starts or belongs to; `broken` says why a line is no message."""

    job: int
    message: Message | None
    broken: str = ""


class Channel:
    """Private copies of stdin and stdout.

    Native libraries print too: once these copies are made, descriptor 0 is the null device and 1 goes to stderr.
    """

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self.stdin = stdin
        self._stdout = stdout
        self._lock = threading.Lock()

    @classmethod
    def take_over(cls) -> Channel:
        """Copy descriptors 0 and 1, then point them elsewhere."""
        stdin, stdout = os.dup(0), os.dup(1)
        if sys.platform == "win32":
            import msvcrt

            for descriptor in (stdin, stdout):
                msvcrt.setmode(descriptor, os.O_BINARY)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        return cls(os.fdopen(stdin, "rb"), os.fdopen(stdout, "wb"))

    def send(self, event: Event) -> None:
        """Write one event. A broken line is no error here: the end of stdin tells that QGIS is gone."""
        line = (encode(event) + "\n").encode("utf-8", "surrogatepass")
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stdout.write(line)
            self._stdout.flush()


class Inbox:
    """Reads messages while jobs run, so that Cancel is seen at once.

    `on_end` is called from the reading thread when no more messages come.
    """

    def __init__(self, stdin: BinaryIO, on_end: Callable[[Inbox], None]) -> None:
        self.parent_gone = False
        self._stdin = stdin
        self._on_end = on_end
        self._messages: queue.Queue[Received | None] = queue.Queue()
        self._latest_job = 0
        self._cancelled_up_to = 0
        self._ended = threading.Event()
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> Received | None:
        """Wait for the next message; None once no more come."""
        if self._ended.is_set():
            return None
        return self._messages.get()

    def cancelled(self, job: int) -> bool:
        """Whether job number `job` is to stop."""
        return self._ended.is_set() or job <= self._cancelled_up_to

    def _read(self) -> None:
        try:
            self._read_lines()
        finally:
            self._ended.set()
            self._messages.put(None)
            self._on_end(self)

    def _read_lines(self) -> None:
        for line in self._stdin:
            try:
                message = decode(line.decode("utf-8", "surrogatepass"))
            except (ValueError, RecursionError) as error:
                self._messages.put(Received(self._latest_job, None, broken=str(error)))
                continue
            if isinstance(message, Quit):
                return
            if isinstance(message, WORK):
                self._latest_job += 1
            if isinstance(message, Cancel):
                self._cancelled_up_to = self._latest_job
            self._messages.put(Received(self._latest_job, message))
        self.parent_gone = True
