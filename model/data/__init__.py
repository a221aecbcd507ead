"""From rasters to patches: what training stored of a scene, and how bands become channels."""
