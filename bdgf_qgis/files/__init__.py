"""Files that are written: atomic ones, kept blocks, workspaces; locks, links, disk space. Standard library only."""
