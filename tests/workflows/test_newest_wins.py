"""Answers to somebody who moves on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bdgf.bdgf_qgis.workflows.newest_wins import NewestWins


class Desk:
    """Work that waits to be let go, and what became of it."""

    def __init__(self, idle_seconds: float = 60.0) -> None:
        self.done: list[tuple[str, bool]] = []
        self.rests = 0
        self.go = threading.Event()
        self.begun = threading.Event()
        self.thread = NewestWins("test", self.rest, idle_seconds)

    def rest(self) -> None:
        self.rests += 1

    def ask(self, slot: str, name: str) -> None:
        def work(wanted: Callable[[], bool]) -> None:
            self.begun.set()
            self.go.wait(5)
            self.done.append((name, wanted()))

        self.thread.ask(slot, work)

    def end(self) -> None:
        self.go.set()
        end = time.monotonic() + 5
        while self.thread.busy and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.05)


def test_of_two_in_a_slot_the_newer_and_the_order_of_slots() -> None:
    desk = Desk()
    desk.ask("a", "first")
    assert desk.begun.wait(5)
    desk.ask("b", "older")
    desk.ask("c", "other")
    desk.ask("b", "newer")
    desk.ask("a", "second")
    desk.end()
    assert desk.done == [("first", False), ("other", True), ("newer", True), ("second", True)]
    assert desk.thread.close(5) and desk.rests == 1


def test_what_is_withdrawn_and_what_is_asked_after_the_end() -> None:
    desk = Desk()
    desk.ask("a", "first")
    assert desk.begun.wait(5)
    desk.ask("b", "second")
    desk.thread.withdraw("a")
    desk.thread.withdraw("b")
    assert not desk.thread.busy
    desk.end()
    assert desk.done == [("first", False)]
    assert desk.thread.close(5)
    desk.ask("c", "third")
    assert not desk.thread.busy and desk.thread.close(5) and len(desk.done) == 1


def test_closing_tells_the_work_under_way_and_waits() -> None:
    desk = Desk()
    desk.ask("a", "first")
    assert desk.begun.wait(5)
    desk.ask("b", "second")
    assert not desk.thread.close(0.05), "it goes on until it looks"
    desk.go.set()
    assert desk.thread.close(5)
    assert desk.done == [("first", False)] and desk.rests == 1


def test_rest_when_nothing_is_asked_and_work_after_it() -> None:
    desk = Desk(idle_seconds=0.05)
    desk.go.set()
    desk.ask("a", "first")
    time.sleep(0.4)
    assert desk.done == [("first", True)] and desk.rests == 1
    desk.ask("a", "second")
    time.sleep(0.4)
    assert len(desk.done) == 2 and desk.rests == 2
    assert desk.thread.close(5)
