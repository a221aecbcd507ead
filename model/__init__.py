"""BDGF itself: arrays in, arrays out; torch, numpy, SciPy and scikit-image, never QGIS or GDAL."""
