"""Model files: looked at, opened, put in place, with the state that a run keeps beside them; the newest remembered."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from qgis.core import QgsSettings

from ...model.shared.header import Header, ModelFile, ModelFileError, read_header, read_model_file
from ..files.conflicts import Written
from ..translation import tr
from .result_files import file_result, put_all_in_place

_KEY = "bdgf_recent/"
_MOST = 10
TRAINED, PRETRAINED = "trained", "pretrained"


def model_header(path: str, kinds: Iterable[str]) -> Header:
    """The header of a model file of one of the kinds 'classifier' and 'pretrained'.

    Raises ModelFileError where the file is damaged or of another kind.
    """
    header = read_header(path)
    _check_kind(header, path, kinds)
    return header


def opened_model(path: str, kinds: Iterable[str]) -> ModelFile:
    """A model file for a run, which uses this very content or ends. Raises ModelFileError as model_header() does."""
    model = read_model_file(os.path.abspath(path))  # the worker has a working folder of its own
    _check_kind(model.header, path, kinds)
    return model


def _check_kind(header: Header, path: str, kinds: Iterable[str]) -> None:
    if header.kind not in kinds:
        text = tr(
            "The model file {path} is only pre-trained and knows no classes: give it to Train as PRETRAINED first."
        )
        raise ModelFileError(text.format(path=path))


def checkpoint_of(model: str) -> str:
    """Where the state of a long pre-training is kept until its model is written: beside it."""
    return f"{os.path.abspath(model)}.bdgf-pretraining.safetensors"  # the worker has a working folder of its own


def model_result(model: str) -> Written:
    """A model file with the state that is kept beside it while it comes into being."""
    temporary = checkpoint_of(model) + ".12345678.new"  # as long as the worker's names for its temporary files
    return file_result(model, checkpoint_of(model), temporary)


def place_model(kind: str, source: Path, model: str, *others: tuple[Path, str]) -> None:
    """Put a whole model of a kind (TRAINED or PRETRAINED) in its place, with other results of its run: all or none.
    It is remembered as the newest, unless the kind is ''.

    The run need not go on then, and the state beside the model goes.
    """
    put_all_in_place([(source, model), *others])
    with contextlib.suppress(OSError):  # a file that is held open does no harm
        Path(checkpoint_of(model)).unlink(missing_ok=True)
    if kind:
        remember_model(kind, model)


def remember_model(kind: str, path: str) -> None:
    """A model of a kind (TRAINED or PRETRAINED) was written."""
    path = os.path.abspath(path)
    older = [other for other in _remembered(kind) if other != path]
    QgsSettings().setValue(_KEY + kind, [path, *older][:_MOST])


def recent_models(kind: str) -> list[str]:
    """Paths of the files of a kind (TRAINED or PRETRAINED) that are still there, the newest first."""
    return [path for path in _remembered(kind) if os.path.isfile(path)]


def _remembered(kind: str) -> list[str]:
    value = QgsSettings().value(_KEY + kind)
    return [value] if isinstance(value, str) and value else [path for path in value or [] if isinstance(path, str)]
