"""The doors: command line, control API and the composition root."""
