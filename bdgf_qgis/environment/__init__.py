"""The Python in which the worker runs: where it is, how it is installed, whether it computes."""
