"""The Python in which the worker runs.

Which one is in use is decided in python.py; managed.py says which environment the plugin made for itself.
installation/ makes that one: install.py has the order of things, steps.py the commands, pins.py the versions.
diagnosis/ finds out whether the worker computes on a Python; interpreter.py only asks a Python what it has.
"""
