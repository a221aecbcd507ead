"""The worker process as QGIS sees it: started, spoken to in messages, and ended for certain."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Optional, Union, cast

from ...model.messages import (
    Cancel,
    Cancelled,
    Checked,
    CheckJob,
    Classified,
    ClassifyJob,
    Event,
    Failed,
    Job,
    Pretrained,
    PretrainJob,
    Quit,
    Ready,
    Trained,
    TrainJob,
    decode,
    encode,
)
from . import process as processes
from .environment import worker_environment
from .errors import WorkerDied
from .log import Log
from .workspace import Workspace

_WORK = (PretrainJob, TrainJob, ClassifyJob, CheckJob)
FINAL = (Pretrained, Trained, Classified, Checked, Cancelled, Failed)  # the last event of a job
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")


@dataclass(frozen=True)
class _Broken:
    """A line that is no message, and why."""

    line: str
    why: str


class _End:
    """The worker's output has ended."""


class Worker:
    """One worker process. It stays alive between jobs and can be started again after it ended.

    Not for several threads, except that send() may be called from any.
    """

    def __init__(self, command: Sequence[str], workspace: Workspace) -> None:
        self._command = tuple(command)
        self._workspace = workspace
        self.log = Log(workspace.path)
        self.ready: Optional[Ready] = None
        self._at_work = False
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._inbox: queue.Queue[Union[Event, _Broken, _End]] = queue.Queue()
        self._outbox: queue.Queue[Optional[bytes]] = queue.Queue()
        self._threads: tuple[threading.Thread, ...] = ()

    @property
    def workspace(self) -> Workspace:
        """The folder in which the worker runs and where files of jobs lie."""
        return self._workspace

    @property
    def running(self) -> bool:
        """Whether a process is there that has not been seen to end."""
        return self._process is not None

    @property
    def at_rest(self) -> bool:
        """Whether the process lives, has no job, and its folder is there, so that the next run may have it."""
        lives = self._process is not None and self._process.poll() is None
        return lives and not self._at_work and self._workspace.path.is_dir()

    @property
    def process_id(self) -> Optional[int]:
        """The process id while the worker runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process; nothing happens where it runs already. Raises WorkerDied where it cannot be started."""
        if self._process is not None:
            return
        folder = str(self._workspace.path)
        environment = {**worker_environment(), **dict.fromkeys(_TEMPORARY, folder)}
        try:
            with self.log.open() as stderr:
                process = processes.start(self._command, environment, folder, stderr)
        except OSError as error:
            raise WorkerDied(
                f"The worker's Python {self._command[0]} could not be started: {error.strerror}."
            ) from error
        self._process, self.ready, self._at_work = process, None, False
        self._inbox, self._outbox = queue.Queue(), queue.Queue()
        self._threads = (
            threading.Thread(target=_read, args=(process.stdout, self._inbox), name="bdgf-read", daemon=True),
            threading.Thread(target=_write, args=(process.stdin, self._outbox), name="bdgf-write", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def send(self, message: Job) -> None:
        """Hand a message over; never waits for the worker, which may still be loading torch."""
        if isinstance(message, _WORK):
            self._at_work = True
        self._outbox.put((encode(message) + "\n").encode("utf-8", "surrogatepass"))

    def next_event(self, timeout: float) -> Optional[Event]:
        """The next event, or None after `timeout` seconds without one.

        Raises WorkerDied, with the cause and the place of the log, where the process has ended or sent no message.
        """
        if self._process is None:
            raise WorkerDied("The worker is not running: start the run again.")
        try:
            item = self._inbox.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            self.log.trim()
            return None
        if isinstance(item, _End):
            raise self._died()
        if isinstance(item, _Broken):
            self.stop(grace=0)
            raise WorkerDied(self._story(f"it sent a line that is no message ({item.why}: {item.line})"))
        if isinstance(item, Ready):
            self.ready = item
        elif isinstance(item, FINAL):
            self._at_work = False
        return item

    def cancel(self, grace: float = 0.8) -> Optional[Event]:
        """Stop the job under way and return its last event; the worker then takes further jobs.

        Where it does not answer within `grace` seconds, is still loading torch, or breaks, it is ended instead: None.
        """
        if self._process is not None and self.ready is not None:
            self.send(Cancel())
            end = time.monotonic() + grace
            with contextlib.suppress(WorkerDied):
                while (left := end - time.monotonic()) > 0:
                    event = self.next_event(min(left, 0.1))
                    if breaks(event):
                        break
                    if isinstance(event, FINAL):
                        return event
        self.stop(grace=0)
        return None

    def stop(self, grace: float = 0.5) -> None:
        """End the process: a message, then terminate, then kill with its children; at most 1.6 seconds in all.

        Always leaves no child. `grace` seconds are given to a worker that has loaded torch to end by itself.
        """
        process = self._process
        if process is None:
            return
        self.send(Quit())
        self._outbox.put(None)
        if not (self.ready is not None and grace > 0 and processes.waited(process, grace)):
            processes.terminate(process)
            processes.waited(process, 0.3)
        processes.kill(process)
        processes.waited(process, 0.5)
        self._forget()

    def close(self) -> None:
        """End the process and delete its folder."""
        self.stop()
        self._workspace.close()

    def __enter__(self) -> Worker:
        """Start the process."""
        self.start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        """End the process and delete its folder."""
        self.close()

    def _died(self) -> WorkerDied:
        """End what is left and tell why the worker is gone."""
        process = cast("subprocess.Popen[bytes]", self._process)
        processes.waited(process, 1.0)  # its output ends a moment before it does
        status = process.returncode
        processes.kill(process)
        processes.waited(process, 0.5)
        self._forget()
        return WorkerDied(self._story(processes.cause_of(status)))

    def _story(self, cause: str) -> str:
        lines = self.log.last_lines()
        said = " It last wrote: " + " | ".join(lines) if lines else ""
        return f"The BDGF worker is gone: {cause}. Its log is {self.log.keep()}.{said}"

    def _forget(self) -> None:
        process = self._process
        self._process, self.ready = None, None
        self._outbox.put(None)
        for thread in self._threads:
            thread.join(0.2)  # their pipes are closed by now, unless the process hangs in its driver
        reading = any(thread.is_alive() for thread in self._threads)
        self._threads = ()
        if process is not None and process.stdout is not None and not reading:
            with contextlib.suppress(OSError):
                process.stdout.close()


def breaks(event: Optional[Event]) -> bool:
    """Whether a job failed so that what is left of the process is not to be trusted."""
    return isinstance(event, Failed) and event.reason != "input"


def _read(stream: IO[bytes], inbox: queue.Queue[Union[Event, _Broken, _End]]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            inbox.put(_event_of(line))
    inbox.put(_End())


def _event_of(line: bytes) -> Union[Event, _Broken]:
    try:
        return cast(Event, decode(line.decode("utf-8", "surrogatepass")))
    except (ValueError, RecursionError) as error:
        return _Broken(line[:200].decode("utf-8", "replace").strip(), str(error)[:200])


def _write(stream: IO[bytes], outbox: queue.Queue[Optional[bytes]]) -> None:
    """Send lines until None; a closed pipe is told by the reading side."""
    with contextlib.suppress(OSError, ValueError):
        while (line := outbox.get()) is not None:
            stream.write(line)
            stream.flush()
    with contextlib.suppress(OSError, ValueError):
        stream.close()
