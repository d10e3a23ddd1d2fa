"""Credentials by name: one file each in the state directory, read at each use and kept nowhere."""

from dataclasses import dataclass
from pathlib import Path

from runtime.errors import KeyFileError

_OTHERS = 0o077


@dataclass(frozen=True)
class CredentialFiles:
    """Gives the secret in `DIRECTORY/NAME`. Only its owner may be able to read the file."""

    directory: Path

    def __call__(self, name: str) -> str:
        """Return a secret.

        Args:
            name: as a profile writes it: lower-case letters, digits and dashes.

        Raises:
            KeyError: there is none of this name.
            KeyFileError: other users can read it, or it cannot be read.
        """
        path = self.directory / name
        if path.parent != self.directory or not path.is_file():
            raise KeyError(name)
        if path.stat().st_mode & _OTHERS:
            raise KeyFileError(f"credential {path} is open to other users; next step: chmod 600 {path}")
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFileError(f"credential {path} cannot be read: {error}") from error
