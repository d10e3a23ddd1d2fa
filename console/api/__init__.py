"""The control API: FastAPI on a Unix socket. A route parses, calls the kernel and renders; no more."""
