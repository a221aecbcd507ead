"""Suggest samples: where a map is unsure, and more polygons would teach most."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException

from ..feedback import Feedback
from ..style.post_processor import style_when_loaded
from ..style.suggestion_style import style_suggestions
from ..translation import tr
from ..workflows.polygon_inputs import polygons_of, polygons_problem
from ..workflows.raster_inputs import raster_layer, raster_of
from ..workflows.suggest_samples import SamplesToSuggest, suggest_samples
from .base import BdgfAlgorithm

_MOST_POINTS = 10_000


class SuggestSamples(BdgfAlgorithm):
    """Writes a layer of points."""

    ID = "suggestsamples"

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Suggest samples")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Finds places at which a map is unsure, spread over its classes and over the ground: look at each, draw a "
            "polygon of what is really there, and train again.\n\n"
            "Every class gives points by the root of its area. Within a class a pixel's chance grows with its "
            "uncertainty, so that points are more than borders and odd pixels. The points are in order: the first ones "
            "serve most where time is short."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("active learning,uncertainty,margin,sampling,training points,stratified")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_raster(
            "CLASSIFICATION", tr("Class raster"), tr("A map of Classify, or another raster of class codes.")
        )
        self.add_raster(
            "CONFIDENCE",
            tr("Confidence"),
            tr("How sure the map is, as Classify writes it beside the map; not needed with probabilities."),
            optional=True,
        )
        self.add_raster(
            "PROBABILITIES",
            tr("Probabilities"),
            tr(
                "The probabilities of the classes, as Classify writes them: the less the likeliest class is ahead of "
                "the second one, the less sure is the map. The points then name the second class."
            ),
            optional=True,
        )
        self.add_integer("COUNT", tr("Number of points"), tr("How many places to suggest."), 30, 1, _MOST_POINTS)
        self.add_distance(
            "MIN_DISTANCE",
            tr("Least distance"),
            tr(
                "Between two points, and between points and polygons, in the units of the map (pixels where it has no "
                "coordinate reference system). Left empty, points spread as far as there are uncertain places for it."
            ),
            "CLASSIFICATION",
        )
        self.add_extent("EXTENT", tr("Extent"), tr("Suggest places in this part alone."))
        self.add_polygons(
            "SAMPLES",
            tr("Polygons drawn already"),
            tr("Points lie outside of them, and keep the distance to them; unsaved ones count."),
            optional=True,
        )
        self.add_integer("SEED", tr("Seed"), tr("Another seed gives other points of the same kind."), 0, advanced=True)
        self.add_points_result(
            "OUTPUT",
            tr("Suggested samples"),
            tr("Points with rank, class in the map, second class where it is known, and uncertainty of 0 to 1."),
        )

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with rasters or polygons. Raises RasterError where a raster cannot be used."""
        raster_layer(self, parameters, "CLASSIFICATION", context)
        told = [raster_layer(self, parameters, key, context) for key in ("CONFIDENCE", "PROBABILITIES")]
        if not any(told):
            return tr(
                "Nothing says how sure the map is: choose its confidence or its probabilities, which Classify writes "
                "where they are asked for."
            )
        return polygons_problem(self, parameters, context, "SAMPLES")

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Take what is needed from the layers."""
        layer = raster_layer(self, parameters, "CLASSIFICATION", context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, "CLASSIFICATION"))
        self._classification, self._crs = raster_of(layer), layer.crs()
        told = [raster_layer(self, parameters, key, context) for key in ("CONFIDENCE", "PROBABILITIES")]
        self._confidence, self._probabilities = (None if one is None else raster_of(one) for one in told)
        self._extent = self.parameterAsExtent(parameters, "EXTENT", context, self._crs)
        chosen = parameters.get("SAMPLES") not in (None, "")
        self._drawn = polygons_of(self, parameters, context, "SAMPLES") if chosen else None

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Choose and write."""
        given = parameters.get("MIN_DISTANCE")
        destination = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        wanted = SamplesToSuggest(
            output=destination,
            classification=self._classification,
            crs=self._crs,
            confidence=self._confidence,
            probabilities=self._probabilities,
            count=self.parameterAsInt(parameters, "COUNT", context),
            distance=None if given in (None, "") else self.parameterAsDouble(parameters, "MIN_DISTANCE", context),
            extent=self._extent,
            drawn=self._drawn,
            seed=self.parameterAsInt(parameters, "SEED", context),
        )
        classes = suggest_samples(wanted, context.transformContext(), feedback)
        style_when_loaded(context, destination, lambda layer: style_suggestions(layer, classes))
        return {"OUTPUT": destination}
