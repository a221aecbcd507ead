"""What QGIS and the worker say to each other, as lines of JSON; and which events answer which job.

Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Union, get_args

from .events import BlockDone, Cancelled, Checked, Classified, Event, Failed, Grown, Pretrained, Segmented, Trained
from .jobs import CheckJob, ClassifyJob, GrowJob, Job, PretrainJob, SegmentJob, TrainJob
from .rebuild import rebuild
from .strict_json import parse

FOLDER_PREFIX = "bdgf-"  # how the name of every temporary folder begins
WITHOUT_TORCH = "--without-torch"  # the argument of a worker that does

ANSWERS: dict[type, tuple[type, ...]] = {
    PretrainJob: (Pretrained,),
    TrainJob: (Trained,),
    ClassifyJob: (BlockDone, Classified),
    CheckJob: (Checked,),
    GrowJob: (Grown,),
    SegmentJob: (Segmented,),
}
WORK = tuple(ANSWERS)
FINAL = (Pretrained, Trained, Classified, Checked, Grown, Segmented, Cancelled, Failed)  # the last event of a job

Message = Union[Job, Event]
_TYPES: dict[str, type] = {kind.__name__: kind for kind in get_args(Message)}


def encode(message: Message) -> str:
    """One line of JSON without its end."""
    return json.dumps({"type": type(message).__name__, **asdict(message)}, ensure_ascii=False)


def decode(line: str) -> Message:
    """The message of one line; ValueError where the line is none, or one of its values is not of its type."""
    data = parse(line)
    kind = _TYPES.get(str(data.pop("type", ""))) if isinstance(data, dict) else None
    if kind is None:
        raise ValueError(f"not a message: {line[:200]}")
    message: Message = rebuild(kind, data)
    return message
