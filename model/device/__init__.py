"""Where to compute: the devices that are there, and whether each computes what the network needs."""
