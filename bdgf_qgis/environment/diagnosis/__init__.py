"""Finds out whether the worker runs, on what, and why not where it does not."""
