"""Checkpoints: signed statements of the log's root at one size.

The format is C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint), a signed note whose text is three
lines: origin, size in decimal, root in base64. The origin is also the name of the key.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from runtime.errors import NoteError
from runtime.record.merkle import HASH_SIZE
from runtime.record.note import NoteSigner, NoteVerifier

_LINES = 3
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """What one checkpoint states, with the note that says so.

    Attributes:
        origin: which log.
        size: number of entries.
        root: Merkle root over them, 32 bytes.
        note: the signed note.
    """

    origin: str
    size: int
    root: bytes
    note: str


def sign_checkpoint(signer: NoteSigner, size: int, root: bytes) -> Checkpoint:
    """State that the signer's log has `size` entries with this root."""
    origin = signer.verifier.name
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return Checkpoint(origin, size, root, signer.sign(text))


def open_checkpoint(verifier: NoteVerifier, note: str) -> Checkpoint:
    """Return what a checkpoint states, once its signature and its origin are checked.

    Raises:
        NoteError: it is malformed, of another log, or not signed by this key.
    """
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != verifier.name:
        raise NoteError(f"the checkpoint is of log `{checkpoint.origin}`; expected `{verifier.name}`")
    verifier.open(note)
    return checkpoint


def parse_checkpoint(note: str) -> Checkpoint:
    """Return what a checkpoint claims. Its signature is not checked: use `open_checkpoint` to believe it.

    Raises:
        NoteError: it is malformed.
    """
    lines = note.partition("\n\n")[0].split("\n")
    if len(lines) != _LINES:
        raise NoteError(f"a checkpoint has {len(lines)} lines; expected origin, size and root")
    origin, size, encoded = lines
    if not _DECIMAL.fullmatch(size):
        raise NoteError(f"a checkpoint states the size `{size}`; expected a decimal number")
    return Checkpoint(origin, int(size), _root(encoded), note)


def _root(encoded: str) -> bytes:
    try:
        root = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise NoteError(f"a checkpoint's root is malformed: {error}") from error
    if len(root) != HASH_SIZE:
        raise NoteError(f"a checkpoint's root has {len(root)} bytes; expected {HASH_SIZE}")
    return root
