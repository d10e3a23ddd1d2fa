"""The keys of the record, in files of mode 0600 in one directory that no box can reach.

`wrap.key` wraps the monthly data keys (AES-256 key wrap, RFC 3394); `checkpoint.key` signs checkpoints, and
its public half is `checkpoint.vkey`. A lost wrap key loses the payloads; a lost checkpoint key ends the log.
Neither is ever made anew for a record that exists.
"""

import base64
import binascii
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from runtime.errors import KeyFileError, NoteError
from runtime.record.note import NoteSigner

WRAP_KEY = "wrap.key"
SIGNING_KEY = "checkpoint.key"
VERIFIER_KEY = "checkpoint.vkey"
KEY_BYTES = 32

_PRIVATE_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyWrapper(Protocol):
    """Wraps data keys; a file today, a key management service for larger sites."""

    def wrap(self, key: bytes) -> bytes:
        """Return `key`, 32 bytes, in a form that is safe to store."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key behind `wrapped`.

        Raises:
            KeyFileError: it was not wrapped by this provider's key.
        """


class FileKeyWrapper:
    """Wraps with a key that was read from a file."""

    def __init__(self, key: bytes, source: Path) -> None:
        self._key = key
        self._source = source

    def wrap(self, key: bytes) -> bytes:
        """Return `key` in a form that is safe to store."""
        return aes_key_wrap(self._key, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key behind `wrapped`.

        Raises:
            KeyFileError: it was wrapped by another key.
        """
        try:
            return aes_key_unwrap(self._key, wrapped)
        except InvalidUnwrap as error:
            raise KeyFileError(
                f"{self._source} is not the key that wrapped this record's data keys; restore the right file"
            ) from error


@dataclass(frozen=True)
class Keys:
    """What the writer of a record needs to hold."""

    wrapper: KeyWrapper
    signer: NoteSigner


def create_keys(directory: Path, *, new_id: Callable[[str], str], random: Callable[[int], bytes]) -> Keys:
    """Make the keys of a new record and its name, and write them.

    Args:
        directory: where; made with mode 0700 when missing.
        new_id: gives the log its name.
        random: secure randomness.

    Raises:
        KeyFileError: one of the files exists already, or cannot be written.
    """
    signer = NoteSigner(f"handrail/{new_id('log')}", random(KEY_BYTES))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(directory / WRAP_KEY, base64.b64encode(random(KEY_BYTES)).decode())
        _write(directory / SIGNING_KEY, signer.private_text())
        _write(directory / VERIFIER_KEY, str(signer.verifier))
    except OSError as error:
        raise KeyFileError(f"cannot write key file {error.filename}: {error.strerror}") from error
    return load_keys(directory)


def load_keys(directory: Path) -> Keys:
    """Read the keys of a record.

    Raises:
        KeyFileError: a file is missing, unreadable, open to others, or malformed.
    """
    wrapping = directory / WRAP_KEY
    signing = directory / SIGNING_KEY
    try:
        return Keys(FileKeyWrapper(_wrap_key(wrapping), wrapping), NoteSigner.parse(_read(signing)))
    except NoteError as error:
        raise KeyFileError(f"key file {signing} cannot be used: {error}") from error


def keys_exist(directory: Path) -> bool:
    """Return whether any key of a record is in the directory."""
    return any((directory / name).exists() for name in (WRAP_KEY, SIGNING_KEY))


def _wrap_key(path: Path) -> bytes:
    try:
        key = base64.b64decode(_read(path).strip(), validate=True)
    except binascii.Error as error:
        raise KeyFileError(f"key file {path} is not base64: {error}; restore it from its copy") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"key file {path} holds {len(key)} bytes; expected {KEY_BYTES}; restore its copy")
    return key


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            shown = oct(stat.S_IMODE(mode))
            raise KeyFileError(f"key file {path} has mode {shown}; expected 0o600; run: chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise KeyFileError(f"key file {path} is missing; run `handrail init`, or restore its copy") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"key file {path} cannot be read: {error}") from error


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
