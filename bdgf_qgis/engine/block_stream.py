"""Classifies a scene block by block: reading, computing and writing overlap.

A reading thread makes blocks and hands them to the worker, at most two ahead of the one that is computed; the calling
thread takes results as they come.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Optional

from ...model.shared.events import BlockDone, Classified, Progress
from ...model.shared.jobs import Block, ClassifyJob, Finish
from ..feedback import Feedback
from .errors import BadAnswer, EngineError
from .pace import BlockPace, BlockTimer
from .run import Conversation
from .wait_timer import WaitTimer, in_words
from .worker import Worker

READ_LONG = 60.0  # seconds of waiting for a block to be read: then a warning
READ_END = 3600.0  # then the run ends
AHEAD = 2  # blocks that are read while another is computed
_PATIENCE = 1.5  # seconds for the reading thread to notice that it is to stop

Stopped = Callable[[], bool]
BlockSource = Callable[[Stopped], Iterator[Optional[Block]]]


def classify_blocks(
    worker: Worker,
    job: ClassifyJob,
    blocks: BlockSource,
    count: int,
    on_block: Callable[[Block], None],
    feedback: Feedback,
    finished: int = 0,
    areas: Sequence[int] = (),
    say: Callable[[BlockPace], str] = lambda pace: f"block {pace.block} of {pace.blocks}",
) -> Classified:
    """Classify `count` blocks and hand each result to `on_block`, in the thread of the caller.

    blocks    called once in the reading thread, with a function that says whether to stop (look at it between two
              reads); yields a Block whose files it has written, or None for a rectangle without valid pixels. Data
              sets that it opens are used and closed in that thread (close them in a `finally`).
    on_block  takes a block's results from the files that the block names; they are deleted when it returns. Raises
              BadAnswer where they are not what was asked for.
    finished  how many of the blocks an earlier run finished: `blocks` leaves them out.
    areas     pixels of what `blocks` yields, in its order, for the time that is left.
    say       makes the text of the bar.

    Raises what `blocks` and `on_block` raise, and RunCancelled, WorkerFailed or WorkerDied as run_job does; EngineError
    where a block is read for longer than an hour.
    """
    talk = Conversation(worker, job, feedback)
    reader = _Reader(worker, blocks, areas)
    watch = _ReadingWatch(reader, feedback)
    timer = BlockTimer(count, finished, areas)
    pixels = 0
    reader.start()
    try:
        while True:
            event = talk.poll(reader.stop)
            if reader.error is not None:
                raise reader.error
            watch.look()
            if isinstance(event, Progress):
                timer.computing(event.text)
            elif isinstance(event, BlockDone):
                block = reader.finished(event)
                on_block(block)
                _delete(block)
                pixels += event.pixels
                timer.done(block.height * block.width)
            elif isinstance(event, Classified):
                if not reader.all_finished or event.pixels != pixels:
                    raise BadAnswer("it said that all is done before it was")
                talk.bar.done()
                return event
            if isinstance(event, (BlockDone, Progress)):
                of_block = event.fraction if isinstance(event, Progress) else 0.0
                timer.skipped(reader.skipped, reader.skipped_pixels)
                talk.bar.report("classify", timer.fraction(of_block), say(timer.pace(of_block, reader.pixels)))
    except BadAnswer as error:
        raise worker.given_up(str(error)) from error
    except BaseException:
        reader.stop()
        talk.abandon()
        raise
    finally:
        reader.stop()
        reader.wait()


class _Reader(threading.Thread):
    """Makes blocks and sends them, with at most 1 + AHEAD under way."""

    def __init__(self, worker: Worker, blocks: BlockSource, areas: Sequence[int]) -> None:
        super().__init__(name="bdgf-blocks", daemon=True)
        self.error: Optional[BaseException] = None
        self.skipped = 0  # blocks that are None
        self.skipped_pixels = 0
        self._areas = iter(areas)
        self._worker = worker
        self._blocks = blocks
        self._stop_asked = threading.Event()
        self._places = threading.Semaphore(1 + AHEAD)
        self._give_up = 0.0
        self._under_way: dict[int, Block] = {}
        self.sent = 0  # blocks
        self._finish_sent = False

    def stop(self) -> None:
        """Make no further block."""
        if not self._stop_asked.is_set():
            self._give_up = time.monotonic() + _PATIENCE
            self._stop_asked.set()
            self._places.release()

    def wait(self) -> None:
        """WaitTimer for the thread after stop(). One that hangs in a read is left: its data sets are its own."""
        self.join(max(0.0, self._give_up - time.monotonic()))

    def finished(self, done: BlockDone) -> Block:
        """The block that is computed: its place is free for the next. Raises BadAnswer where it cannot be that one."""
        block = self._under_way.pop(done.number, None)
        if block is None:
            raise BadAnswer(f"it answered block {done.number}, which it was not given")
        if done.pixels > block.height * block.width:
            raise BadAnswer(f"it counted {done.pixels:,} pixels in block {done.number}, which has fewer")
        self._places.release()
        return block

    @property
    def all_finished(self) -> bool:
        """Whether no block is to come and each is answered."""
        return self._finish_sent and not self._under_way

    @property
    def waited_for(self) -> bool:
        """Whether the worker has nothing to do until the next block is read."""
        return not self._finish_sent and not self._under_way

    @property
    def pixels(self) -> int:
        """Of the block that is computed now."""
        blocks = list(self._under_way.values())  # at once: the thread adds to them
        return blocks[0].height * blocks[0].width if blocks else 0

    def run(self) -> None:
        """Read on as places become free."""
        try:
            source = self._blocks(self._stop_asked.is_set)
            try:
                self._send_all(source)
            finally:
                if isinstance(source, Generator):
                    source.close()  # here, so that its data sets are closed in the thread that opened them
        except BaseException as error:  # reaches the caller in its own thread
            if not self._stop_asked.is_set():
                self.error = error

    def _send_all(self, source: Iterator[Optional[Block]]) -> None:
        while True:
            self._places.acquire()
            while not self._stop_asked.is_set():
                block, area = next(source, _OVER), next(self._areas, 0)
                if block is not None:
                    break
                self.skipped += 1
                self.skipped_pixels += area
            if self._stop_asked.is_set():
                return
            if not isinstance(block, Block):
                self._finish_sent = True
                self._worker.send(Finish())
                return
            self._under_way[block.number] = block
            self.sent += 1
            self._worker.send(block)


_OVER = object()


class _ReadingWatch:
    """Sees to it that waiting for the rasters is neither silent nor without end."""

    def __init__(self, reader: _Reader, feedback: Feedback) -> None:
        self._reader = reader
        self._feedback = feedback
        self._wait = WaitTimer()
        self._count = 0

    def look(self) -> None:
        """Warns after a minute without a block. Raises EngineError after an hour."""
        count = self._reader.sent + self._reader.skipped
        if count != self._count or not self._reader.waited_for:
            self._count = count
            self._wait.over()
            return
        seconds = self._wait.look()
        if seconds >= READ_END:
            raise EngineError(
                f"The rasters of block {count + 1} were not read within {in_words(READ_END)}: check the disk or "
                "network drive that they lie on, or copy them to this computer, then run it again."
            )
        if seconds >= READ_LONG and not self._wait.warned:
            self._wait.warned = True
            self._feedback.note(
                "warning",
                f"The rasters of block {count + 1} have been read for {in_words(READ_LONG)}: the disk or network drive "
                "that they lie on is slow or does not answer.",
            )


def _delete(block: Block) -> None:
    """Delete the files of a block; one that Windows still holds goes with the folder."""
    for name in (*block.modalities, block.valid, block.classes, block.confidence, block.probabilities):
        with contextlib.suppress(OSError):
            Path(name).unlink()
