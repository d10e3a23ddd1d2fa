"""What every command knows: where the control plane is, how to answer, and with which key to sign."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_STATE_DIR = Path("/var/lib/handrail")
SOCKET_NAME = "serve.sock"


@dataclass(frozen=True)
class Session:
    """The options that all commands share, as they were given.

    Attributes:
        state_dir: the state directory; None where neither option nor environment names one.
        socket: the control plane's socket; None means the one in the state directory.
        json: answer in JSON, one value, instead of text for people.
        key: the file of the key to sign with; None means the usual one of `ssh-keygen`.
    """

    state_dir: Path | None = None
    socket: Path | None = None
    json: bool = False
    key: Path | None = None

    @property
    def socket_path(self) -> Path:
        """Where to reach the control plane."""
        return self.socket or (self.state_dir or DEFAULT_STATE_DIR) / SOCKET_NAME

    @property
    def key_path(self) -> Path:
        """The key to sign with."""
        return self.key or Path.home() / ".ssh" / "id_ed25519"
