"""Fixtures that every test may use."""

import signal

from tests.standins.databases import (
    blank_database,
    database,
    postgres,
    postgres_name,
    postgresql,
    sqlite,
)

__all__ = ["blank_database", "database", "postgres", "postgres_name", "postgresql", "sqlite"]

# Whoever runs the tests in the background has Ctrl-C ignored, and every program that a test starts inherits
# that. A handler, unlike a signal that is ignored, is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
