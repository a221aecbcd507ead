"""Calls into GDAL whose failures become RasterError.

GDAL's exception mode is process-wide and belongs to QGIS and other plugins, so it is left as it is: failures are heard
through a handler of this thread, and exceptions are understood too where somebody switched them on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from osgeo import gdal

from .errors import RasterError


class GdalMessages:
    """What GDAL complained about while some calls ran; `what` is how the error's sentence begins."""

    def __init__(self, what: str) -> None:
        self.failures: list[str] = []
        self._what = what

    def hear(self, severity: int, number: int, text: str) -> None:
        """Take a message of GDAL's; warnings are not kept."""
        if severity >= gdal.CE_Failure:
            self.failures.append(text)

    def require(self, done: object) -> None:
        """Raise RasterError with GDAL's reason where a call gave nothing."""
        if done is None or done is False:
            raise self.error()

    def error(self, reason: str = "") -> RasterError:
        """The failure as a sentence for the map maker."""
        reason = (reason or "; ".join(dict.fromkeys(self.failures[:3]))).strip().rstrip(".")
        return RasterError(f"{self._what} ({reason})." if reason else f"{self._what}.")


@contextmanager
def gdal_errors(what: str, strict: bool = False) -> Iterator[GdalMessages]:
    """Run GDAL calls quietly.

    Raises RasterError, beginning with `what`, where GDAL raises, where `require` misses a result, and, if `strict`,
    where GDAL reported any failure (some, as on closing a file, have no other sign).
    """
    messages = GdalMessages(what)
    gdal.PushErrorHandler(messages.hear)
    try:
        yield messages
    except RuntimeError as error:
        raise messages.error(str(error)) from error
    finally:
        gdal.PopErrorHandler()
    if strict and messages.failures:
        raise messages.error()
