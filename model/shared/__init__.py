"""What QGIS's side imports too: messages, settings, a model file's header. Standard library only, Python 3.9."""
