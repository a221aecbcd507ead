"""Rasters as they lie on disks, brought to the reference grid."""
