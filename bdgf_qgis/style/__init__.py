"""Colours and legends: read from the sample layer, written beside the results, put on layers that QGIS loads."""
