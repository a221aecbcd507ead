"""What the plugin adds to the QGIS window: the options page, and the offer to set up PyTorch."""
