"""The vendor story as a stranger plays it."""

import subprocess
import sys

import pytest


@pytest.mark.engine
def test_the_demo_ends_with_nothing_sent_and_an_intact_record() -> None:
    """R-73, R-31, R-90: the mail with invoice details stays here; every write is a suggestion."""
    told = subprocess.run(
        [sys.executable, "-m", "examples.demo"], capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stdout + told.stderr
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert "suggestions judged agree 36" in lines
    assert "suggestions judged harmful 1" in lines
    assert "labels written into the mailbox 0" in lines
    assert "mails that left 0" in lines
    assert "first_seen: collection:Archive: first time [read:collection:Archive]" in lines
    assert "agent | Archive: ['First reminder: RE-4001']" in lines
    assert "intact" in lines
