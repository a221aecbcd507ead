"""The worker process as QGIS sees it: started, spoken to in messages, and ended for certain."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Optional, Union, cast, get_args

from ...model.shared.events import Event, Failed, Ready
from ...model.shared.jobs import Cancel, Job, Quit
from ...model.shared.messages import FINAL, WORK, decode, encode
from ...model.shared.text import plain_text
from ..files.workspace import Workspace
from . import child_process
from .errors import WorkerDied
from .worker_log import WorkerLog

_EVENTS = get_args(Event)
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
_LONGEST = 64 * 1024 * 1024  # bytes of a line; the curves of the longest training take a tenth
_WAITING = 10_000  # events that may wait here for a caller who writes a large block; more wait in the worker


@dataclass(frozen=True)
class WorkerCommand:
    """What a worker is started with: program and arguments, and the environment variables of the process."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class _Broken:
    """A line that is no event, and why."""

    line: str
    why: str


@dataclass(frozen=True)
class _End:
    """Nothing more is heard from the worker, or nothing more reaches it; and why, where its end is not the reason."""

    why: str = ""


_Item = Union[Event, _Broken, _End]


class Worker:
    """One worker process. It stays alive between jobs and can be started again after it ended.

    Not for several threads, except that send() may be called from any.
    """

    def __init__(self, command: WorkerCommand, workspace: Workspace) -> None:
        self._command = command
        self._workspace = workspace
        self.log = WorkerLog(workspace.path)
        self.ready: Optional[Ready] = None
        self._at_work = False
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._inbox: queue.Queue[_Item] = queue.Queue()
        self._outbox: queue.Queue[Optional[bytes]] = queue.Queue()
        self._over = threading.Event()  # nobody takes events any more
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
        heard = lives and self._inbox.empty() and all(thread.is_alive() for thread in self._threads)
        return heard and not self._at_work and self._workspace.path.is_dir()

    @property
    def process_id(self) -> Optional[int]:
        """The process id while the worker runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process; nothing happens where it runs already. Raises WorkerDied where it cannot be started."""
        if self._process is not None:
            return
        folder = str(self._workspace.path)
        variables = {**self._command.variables, **dict.fromkeys(_TEMPORARY, folder)}
        try:
            with self.log.open() as stderr:
                process = child_process.start(self._command.arguments, variables, folder, stderr)
        except OSError as error:
            raise WorkerDied(
                f"The worker's Python {self._command.arguments[0]} could not be started: {error.strerror}."
            ) from error
        self._process, self.ready, self._at_work = process, None, False
        self._inbox, self._outbox, self._over = queue.Queue(), queue.Queue(), threading.Event()
        lines = (self._inbox, self._over), (self._outbox, self._inbox)
        self._threads = (
            threading.Thread(target=_read, args=(process.stdout, *lines[0]), name="bdgf-read", daemon=True),
            threading.Thread(target=_write, args=(process.stdin, *lines[1]), name="bdgf-write", daemon=True),
        )
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:  # the system gives no further thread
            self._threads = tuple(thread for thread in self._threads if thread.is_alive())
            self.stop(grace=0)
            raise WorkerDied(f"The worker could not be spoken to ({error}): close other programs.") from error

    def send(self, message: Job) -> None:
        """Hand a message over; never waits for the worker, which may still be loading torch."""
        if isinstance(message, WORK):
            self._at_work = True
        self._outbox.put((encode(message) + "\n").encode("utf-8", "surrogatepass"))

    def next_event(self, timeout: float) -> Optional[Event]:
        """The next event, or None after `timeout` seconds without one.

        Raises WorkerDied, with the cause and the place of the log, where the process has ended or sent what is no
        event, or where it is not read from or written to any longer, for whatever reason.
        """
        if self._process is None:
            raise WorkerDied("The worker is not running: start the run again.")
        try:
            item = self._inbox.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            self.log.trim()
            return None
        if isinstance(item, _End):
            raise self._died(item.why)
        if isinstance(item, _Broken):
            raise self.given_up(f"it sent a line that is no message ({item.why}: {item.line})")
        if isinstance(item, Ready):
            if self.ready is not None:
                raise self.given_up("it said twice that it is ready")
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

    def given_up(self, cause: str) -> WorkerDied:
        """End the process at once; returns the error that tells why."""
        self.stop(grace=0)
        return WorkerDied(self._story(cause))

    def stop(self, grace: float = 0.5) -> None:
        """End the process: a message, then terminate, then kill with its children; at most 1.6 seconds in all.

        Always leaves no child. `grace` seconds are given to a worker that has loaded torch to end by itself.
        """
        process = self._process
        if process is None:
            return
        self.send(Quit())
        self._outbox.put(None)
        if not (self.ready is not None and grace > 0 and child_process.ended_within(process, grace)):
            child_process.terminate(process)
            child_process.ended_within(process, 0.3)
        child_process.kill(process)
        child_process.ended_within(process, 0.5)
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

    def _died(self, why: str) -> WorkerDied:
        """End what is left and tell why the worker is gone: by how the process ended, or else by `why`."""
        process = cast("subprocess.Popen[bytes]", self._process)
        child_process.ended_within(process, 1.0)  # its output ends a moment before it does
        status = process.returncode
        child_process.kill(process)
        child_process.ended_within(process, 0.5)
        self._forget()
        return WorkerDied(self._story(why if why and not status else child_process.cause_of(status)))

    def _story(self, cause: str) -> str:
        lines = self.log.last_lines()
        said = " It last wrote: " + " | ".join(lines) if lines else ""
        return f"The BDGF worker is gone: {cause}. Its log is {self.log.keep()}.{said}"

    def _forget(self) -> None:
        process = self._process
        self._process, self.ready = None, None
        self._outbox.put(None)
        self._over.set()
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


def _read(stream: IO[bytes], inbox: queue.Queue[_Item], over: threading.Event) -> None:
    """Hand on events until the output ends, a line is none, or nobody takes them; whatever ends it is told."""
    end = _End()
    try:
        while line := stream.readline(_LONGEST):
            item = _event_of(line)
            inbox.put(item)
            if isinstance(item, _Broken):
                break
            while inbox.qsize() > _WAITING and not over.wait(0.05):
                pass
    except BaseException as error:  # a thread that ends in silence would leave the run waiting for ever
        end = _End(f"it can no longer be listened to ({type(error).__name__}: {error})")
    finally:
        inbox.put(end)


def _event_of(line: bytes) -> Union[Event, _Broken]:
    try:
        event = decode(line.decode("utf-8", "surrogatepass"))
        if not isinstance(event, _EVENTS):
            raise ValueError(f"{type(event).__name__} is for the worker, not from it")
        return cast(Event, event)
    except Exception as error:  # of whatever kind: it is told in the words of the run
        return _Broken(
            *(plain_text(each) for each in (line[:200].decode("utf-8", "replace").strip(), str(error)[:200]))
        )


def _write(stream: IO[bytes], outbox: queue.Queue[Optional[bytes]], inbox: queue.Queue[_Item]) -> None:
    """Send lines until None; that a line cannot be sent is told like an end of the output."""
    try:
        while (line := outbox.get()) is not None:
            stream.write(line)
            stream.flush()
    except BaseException as error:
        inbox.put(_End(f"it takes no more messages ({type(error).__name__}: {error})"))
        while outbox.get() is not None:  # not closed before: the worker would think that QGIS is gone, and clear away
            pass
    finally:
        with contextlib.suppress(OSError, ValueError):
            stream.close()
