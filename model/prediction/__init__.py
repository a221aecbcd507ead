"""A trained model over scenes: patches on their lattice, blocks of a map, single pixels."""
