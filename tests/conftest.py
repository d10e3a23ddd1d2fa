"""Fixtures that every test may use."""

import gc
import signal
from pathlib import PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.standins.databases import (
    blank_database,
    database,
    postgres,
    postgres_name,
    postgresql,
    sqlite,
)

__all__ = ["blank_database", "database", "postgres", "postgres_name", "postgresql", "sqlite"]

# Of each of these a test takes long enough to be waited for, and no two use the same thing.
APART = {
    "test_cli_people.py",
    "test_cli_runs.py",
    "test_cli_shown.py",
    "test_context_verify.py",
    "test_run_memory.py",
    "test_run_volumes.py",
    "test_two_nodes.py",
}

# Nothing that is read of the tests is garbage: `pytest_collection_finish` lets it be searched for again.
gc.disable()

# Whoever runs the tests in the background has Ctrl-C ignored, and every program that a test starts inherits
# that. A handler, unlike a signal that is ignored, is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _ByFile(LoadFileScheduling):
    """Gives each file to one worker, but long ones whose tests share nothing in parts."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if PurePath(file).name in APART else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Say who hands out the tests when `--dist loadfile` is asked for."""
    return _ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Leave what was read of all tests out of later searches for garbage; they cost a seventh of the time."""
    gc.collect()
    gc.freeze()
    gc.enable()
