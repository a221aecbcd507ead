"""From rasters to windows: what training stored of a scene, and how bands become channels."""
