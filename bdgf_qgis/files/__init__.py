"""Files that are written: atomic ones, kept blocks, workspaces; locks, paths, disk space. Standard library only."""
