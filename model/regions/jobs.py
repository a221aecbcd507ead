"""The jobs of regions: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..job.reporter import Reporter
from ..shared.events import Grown, Segmented
from ..shared.jobs import GrowJob, SegmentJob
from .growing import grow_region
from .pixels import load_pixels
from .superpixels import COMPONENTS, superpixels


def grow(job: GrowJob, reporter: Reporter) -> Grown:
    """Write the tolerances at which pixels join a region. Raises InputError where it begins at no valid pixel."""
    pixels = load_pixels(job.pixels)
    height, width = pixels.valid.shape
    if not (job.row < height and job.column < width and pixels.valid[job.row, job.column]):
        raise InputError("There is no data at this place: press where all rasters have data.")
    reporter.check()
    distance = pixels.distance(job.row, job.column, job.weights)
    reporter.check()
    found = grow_region(distance, (job.row, job.column), job.largest)
    np.save(job.output, found.values)
    return Grown(found.row, found.column)


def segment(job: SegmentJob, reporter: Reporter) -> Segmented:
    """Write the superpixels of the visible pixels."""
    pixels = load_pixels(job.pixels)
    reporter.check()
    image = pixels.components(job.weights, COMPONENTS)
    reporter.check()
    numbers, count = superpixels(image, pixels.valid, job.method, job.scale)
    np.save(job.output, numbers)
    return Segmented(count)
