"""Regions of like pixels around a place: grown from it, or superpixels. Needs scikit-image, no torch."""
