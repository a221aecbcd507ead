"""Errors as sentences for the map maker: those of all folders below, and never a traceback."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from qgis.core import Qgis, QgsMessageLog, QgsProcessingException

from ...model.shared.header import ModelFileError
from ...model.shared.text import plain_text
from ..engine.errors import EngineError
from ..environment.installation.errors import InstallationError
from ..feedback import RunCancelled
from ..files.errors import FileError
from ..raster.errors import RasterError
from ..translation import tr

LOG = "BDGF"


@contextmanager
def told_to_user(cancelled: str = "") -> Iterator[None]:
    """Turns errors of files, rasters, engine, environment and model files into what Processing shows.

    cancelled  the sentence after Cancel; '' says that nothing was written
    """
    try:
        yield
    except RunCancelled as error:
        raise QgsProcessingException(cancelled or tr("Cancelled; nothing was written.")) from error
    except (FileError, RasterError, EngineError, InstallationError, ModelFileError) as error:
        raise QgsProcessingException(str(error)) from error
    except sqlite3.Error as error:
        text = tr(
            "A GeoPackage could not be read or written ({reason}): free some disk space, or check the folder's rights."
        )
        raise QgsProcessingException(text.format(reason=error)) from error
    except OSError as error:
        text = tr("A file could not be read or written ({reason}): free some disk space, or check the folder's rights.")
        raise QgsProcessingException(text.format(reason=_reason(error))) from error


def _reason(error: OSError) -> str:
    said = error.strerror or str(error)
    return f"{error.filename}: {said}" if error.filename else said


@contextmanager
def only_sentences(what: str) -> Iterator[None]:
    """Turns every exception into a QgsProcessingException; one that nobody foresaw goes to QGIS's log whole.

    QGIS prints the traceback of anything else, and aborts qgis_process where checkParameterValues raises it.
    """
    try:
        with told_to_user():
            yield
    except QgsProcessingException as error:
        text = plain_text(str(error))
        if text == str(error):
            raise
        raise QgsProcessingException(text) from error
    except Exception as error:
        QgsMessageLog.logMessage(plain_text(traceback.format_exc(), lines=True), LOG, Qgis.Critical)
        reason = plain_text(f"{type(error).__name__}: {error}")[:300]
        text = tr(
            "An unexpected error stopped {what} ({reason}). Please report it with what stands in "
            "View > Panels > Log Messages under BDGF."
        )
        raise QgsProcessingException(text.format(what=what, reason=reason)) from error
