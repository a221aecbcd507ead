"""One Processing algorithm a file, on one small base class."""
