"""One adapter per kind of file."""
