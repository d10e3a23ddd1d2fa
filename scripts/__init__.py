"""What `make` runs to prepare a machine: the engine, the images, the packages they need.

Standard library only, because these modules also run before `.venv` exists.
"""
