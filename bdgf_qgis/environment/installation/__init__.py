"""Makes, renews and removes the environment in the QGIS profile in which the worker runs."""
