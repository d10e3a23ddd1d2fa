"""The figures of `make bench`: one module for each part, run by `python -m bench`."""
