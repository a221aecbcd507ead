"""What leaves an algorithm: a sentence for the map maker, never a traceback."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from qgis.core import Qgis, QgsMessageLog, QgsProcessingException

from ...model.shared.text import plain_text
from ..translation import tr
from .running import told_to_user

LOG = "BDGF"


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
