"""How far accuracy figures can be trusted: the polygons that they come from, and the interval that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from ...model.shared.accuracy import Accuracy, wilson_interval
from ..translation import tr

_NARROW = 0.02  # width of an interval in which tenths of a per cent say something
_WIDE = 0.5  # width of an interval in which no figure says anything


@dataclass(frozen=True)
class Reliability:
    """Figures, and the reference polygons of each class that they come from.

    Pixels of a polygon are alike, so the polygon is the unit of the interval, as if each were mapped right or wrong as
    a whole: rather too wide than too narrow.
    """

    accuracy: Accuracy
    polygons: Sequence[int]

    @property
    def count(self) -> int:
        """Polygons of all classes."""
        return sum(self.polygons)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the overall accuracy, 95 %."""
        return wilson_interval(self.accuracy.overall, max(1, self.count))

    @property
    def too_few(self) -> bool:
        """Whether the polygons are too few for any figure."""
        return self._width > _WIDE

    @property
    def _width(self) -> float:
        low, high = self.interval
        return high - low

    def percent(self, share: Optional[float]) -> str:
        """A share in per cent with the digits that the interval bears; a dash where no pixel supports it."""
        return "-" if share is None else f"{share:.{self._digits}%}"

    def number(self, figure: float) -> str:
        """A figure up to 1 in the same manner."""
        return f"{figure:.{2 + self._digits}f}"

    @property
    def _digits(self) -> int:
        return 1 if self._width < _NARROW else 0

    @property
    def basis(self) -> str:
        """The interval and what it comes from, to be said before any figure."""
        low, high = (self.number(each) for each in self.interval)
        covered = sum(count > 0 for count in self.polygons)
        text = tr(
            "Overall accuracy between {low} and {high} (95 % interval from {polygons} polygons of {covered} of "
            "{classes} classes, as if each polygon were right or wrong as a whole)"
        )
        if self.count == 1:
            text = tr(
                "Overall accuracy between {low} and {high} (95 % interval from 1 polygon of 1 of {classes} classes)"
            )
        said = text.format(low=low, high=high, polygons=self.count, covered=covered, classes=len(self.polygons))
        return said + (tr(": too few to say.") if self.too_few else ".")

    @property
    def sentences(self) -> tuple[str, ...]:
        """For the log: the basis, then the figures unless the polygons are too few for any."""
        if self.too_few:
            return (self.basis,)
        text = tr("Overall accuracy {overall}, average {average}, kappa {kappa}.")
        figures = (self.accuracy.overall, self.accuracy.average, self.accuracy.kappa)
        overall, average, kappa = (self.number(each) for each in figures)
        return self.basis, text.format(overall=overall, average=average, kappa=kappa)
