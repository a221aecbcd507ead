"""What the worker says is held against what it was asked, and made fit to be shown; its types are checked before."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from ...model.shared.events import (
    Alive,
    Cancelled,
    Event,
    Failed,
    Note,
    Pretrained,
    Progress,
    Ready,
    Trained,
)
from ...model.shared.jobs import TrainJob, WorkJob
from ...model.shared.messages import ANSWERS
from ...model.shared.text import plain_text

_ALWAYS = (Ready, Alive, Progress, Note, Cancelled, Failed)
_LONGEST = 10_000  # characters of a text


def problem_with(event: Event, job: WorkJob) -> str:
    """Why `event` is no answer to `job`, or '' where it is one. (Blocks are held against their own rectangle.)"""
    if not isinstance(event, (*_ALWAYS, *ANSWERS[type(job)])):
        return f"{type(event).__name__} is no answer to {type(job).__name__}"
    if isinstance(event, (Pretrained, Trained)):
        for each in event.curves:
            if len(each.steps) != len(each.values):
                return f"curve {each.name[:40]} has {len(each.steps)} steps and {len(each.values)} values"
    if isinstance(event, Trained) and isinstance(job, TrainJob):
        count = len(job.classes)
        lengths = [len(row) for row in event.confusion]
        if event.confusion and lengths != [count] * count:
            return f"its confusion matrix has {len(lengths)} rows and {max(lengths)} columns for {count} classes"
        if event.partial and not job.keep_partial:
            return "it kept a partial state that nobody asked for"
    return ""


def made_plain(event: Event) -> Event:
    """The same event; its texts are bounded and hold nothing that Qt, a terminal or a log would stumble over."""
    fit: Event = _fit(event)
    return fit


def _fit(value: Any) -> Any:
    if isinstance(value, str):
        return plain_text(value[:_LONGEST], lines=True)
    if isinstance(value, tuple):
        return value if value and isinstance(value[0], (int, float)) else tuple(_fit(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _fit(getattr(value, each.name)) for each in fields(value)})
    return value
