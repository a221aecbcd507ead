"""BDGF itself: arrays in, arrays out; torch, numpy and scikit-image, never QGIS or GDAL."""
