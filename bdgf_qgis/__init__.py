"""Everything that knows QGIS or GDAL; never imports torch; runs on Python 3.9 and later."""
