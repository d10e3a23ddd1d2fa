"""Keys made by the real `ssh-keygen`, a real ssh-agent on a private socket, and a town of persons."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def new_key(tmp_path: Path) -> Callable[..., Path]:
    """Make a key pair and return the private file: `new_key("alice", kind="rsa", passphrase="x")`."""

    def make(name: str, *, kind: str = "ed25519", passphrase: str = "") -> Path:
        path = tmp_path / name
        command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    return make


@pytest.fixture
def agent_socket(tmp_path: Path) -> Iterator[Path]:
    """A running ssh-agent; gives its socket and ends it afterwards."""
    socket = tmp_path / "agent.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(socket, agent)
        yield socket
    finally:
        agent.terminate()
        agent.wait(timeout=10)


def _wait_for(socket: Path, agent: "subprocess.Popen[bytes]") -> None:
    for _ in range(500):
        if socket.exists():
            return
        assert agent.poll() is None
        time.sleep(0.01)
    pytest.fail("ssh-agent did not make its socket in 5 seconds")
