"""What the plugin adds to the QGIS window: the menu, the dock, the options page, the offer to set up PyTorch."""
