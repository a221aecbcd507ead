"""Files as the disk has them, for every folder beside this one: locks, links, names, renames. Standard library only."""
