"""A control plane for one: `launch` starts it where none runs, and it ends by itself when idle.

It runs in single-user mode: printed and recorded, separation of duties not enforced, nothing above tier 1.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from console.client import Client, client_of
from console.errors import ConsoleError, ServeAbsentError
from console.session import DEFAULT_STATE_DIR, Session
from console.show.text import note

START_SECONDS = 30.0
_LOG_NAME = "serve.log"
_LAST_LINES = 3


def reach(session: Session) -> Client:
    """Return a client of the control plane; where none runs, start a private one first.

    Raises:
        ConsoleError: it could not be started; the message ends with what it said.
    """
    client = client_of(session)
    try:
        client.get("health")
    except ServeAbsentError:
        _start(session)
    return client


def _start(session: Session) -> None:
    log = (session.state_dir or DEFAULT_STATE_DIR) / _LOG_NAME
    begun = log.stat().st_size if log.exists() else 0
    started = _spawn(session, log)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if session.socket_path.is_socket() and _answers(session):
            note("handrail: no control plane was running, so a private one was started for this user.")
            note("          Single-user mode: no separation of duties, nothing above tier 1.")
            note(f"          It ends when it is idle; its output is in {log}.")
            return
        if started.poll() is not None:
            raise _not_started(log, begun)
        time.sleep(0.05)
    started.terminate()
    raise _not_started(log, begun)


def _spawn(session: Session, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "console", "serve", "--private", *_options(session)]
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    except OSError as error:
        step = "handrail init, or name another with --state-dir"
        raise ConsoleError(f"state directory {log.parent}: {error.strerror}", next_step=step) from error


def _options(session: Session) -> list[str]:
    state = [] if session.state_dir is None else ["--state-dir", str(session.state_dir)]
    return state if session.socket is None else [*state, "--socket", str(session.socket)]


def _answers(session: Session) -> bool:
    try:
        client_of(session).get("health")
    except ServeAbsentError:
        return False
    return True


def _not_started(log: Path, begun: int) -> ConsoleError:
    lines = log.read_bytes()[begun:].decode(errors="replace").splitlines()[-_LAST_LINES:]
    said = " ".join(line.removeprefix("handrail: ") for line in lines)
    return ConsoleError(f"a private control plane could not be started: {said}", next_step="handrail doctor")
