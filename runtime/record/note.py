r"""Signed notes: a short text with Ed25519 signatures under it (C2SP signed-note, https://c2sp.org/signed-note).

    text, ending in a newline
    (an empty line)
    — <key name> base64(key hash || signature)

The key hash is the first 4 bytes of SHA-256(name || "\n" || 0x01 || public key). A verifier key is written
`<name>+<key hash in hex>+base64(0x01 || public key)`, a signer key the same after `PRIVATE+KEY+`, with the
seed in place of the public key.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runtime.errors import NoteError

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_SIGNATURE_START = "\u2014 "
_KEY_SIZE = 32


@dataclass(frozen=True)
class NoteVerifier:
    """A public key with the name it signs under."""

    name: str
    public_key: bytes

    @property
    def key_hash(self) -> bytes:
        """The 4 bytes by which a signature line names its key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        """Return the verifier key's textual form."""
        return f"{self.name}+{self.key_hash.hex()}+{_base64(_ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, text: str) -> "NoteVerifier":
        """Read a verifier key.

        Raises:
            NoteError: it is malformed, or its hash does not belong to its key.
        """
        return cls(*_parse_key(text.strip(), "verifier key"))

    def open(self, note: str) -> str:
        """Return the text of a note that this key signed.

        Raises:
            NoteError: the note is malformed, or carries no valid signature by this key.
        """
        text, signatures = _split(note)
        for line in signatures:
            if self._signed(text, line):
                return text
        raise NoteError(f"the note is not signed by key `{self.name}` ({self.key_hash.hex()})")

    def _signed(self, text: str, line: str) -> bool:
        name, _, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
        blob = _decode(encoded, "a signature line")
        if name != self.name or blob[:4] != self.key_hash:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(blob[4:], text.encode())
        except InvalidSignature as error:
            raise NoteError(f"the note's signature by key `{self.name}` is wrong") from error
        return True


class NoteSigner:
    """A private key with the name it signs under."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take the key of 32 secret bytes `seed`.

        Raises:
            NoteError: the name holds a space or a plus sign, or the seed is not 32 bytes.
        """
        _check_key(name, seed, "signer key")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.verifier = NoteVerifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> "NoteSigner":
        """Read a signer key.

        Raises:
            NoteError: it is malformed, or its hash does not belong to its key.
        """
        stripped = text.strip()
        if not stripped.startswith(_PRIVATE):
            raise NoteError("a signer key is malformed; expected PRIVATE+KEY+<name>+<hash>+<key>")
        name, _, rest = stripped.removeprefix(_PRIVATE).partition("+")
        hashed, _, encoded = rest.partition("+")
        raw = _decode(encoded, "a signer key")
        signer = cls(name, raw[1:])
        if raw[:1] != _ED25519 or hashed != signer.verifier.key_hash.hex():
            raise NoteError(f"the signer key `{name}` does not have the hash it states")
        return signer

    def private_text(self) -> str:
        """Return the signer key's textual form. It is a secret."""
        hashed = self.verifier.key_hash.hex()
        return f"{_PRIVATE}{self.verifier.name}+{hashed}+{_base64(_ED25519 + self._seed)}"

    def sign(self, text: str) -> str:
        """Return the note over `text`.

        Raises:
            NoteError: the text does not end in a newline.
        """
        if not text.endswith("\n"):
            raise NoteError("the text of a note must end in a newline")
        blob = self.verifier.key_hash + self._key.sign(text.encode())
        return f"{text}\n{_SIGNATURE_START}{self.verifier.name} {_base64(blob)}\n"


def _split(note: str) -> tuple[str, list[str]]:
    text, separator, block = note.rpartition("\n\n")
    lines = block.split("\n")
    if not separator or lines[-1] or len(lines) == 1:
        raise NoteError("a note is malformed; expected a text, an empty line and signature lines")
    if any(not line.startswith(_SIGNATURE_START) for line in lines[:-1]):
        raise NoteError("a note has a malformed signature line")
    return text + "\n", lines[:-1]


def _parse_key(text: str, what: str) -> tuple[str, bytes]:
    name, _, rest = text.partition("+")
    hashed, _, encoded = rest.partition("+")
    raw = _decode(encoded, f"a {what}")
    _check_key(name, raw[1:], what)
    if raw[:1] != _ED25519 or hashed != NoteVerifier(name, raw[1:]).key_hash.hex():
        raise NoteError(f"the {what} `{name}` does not have the hash it states")
    return name, raw[1:]


def _check_key(name: str, key: bytes, what: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise NoteError(f"a {what} has the name `{name}`; expected one without spaces and plus signs")
    if len(key) != _KEY_SIZE:
        raise NoteError(f"the {what} `{name}` has {len(key)} bytes; expected {_KEY_SIZE}")


def _decode(encoded: str, what: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise NoteError(f"{what} is malformed: {error}") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
