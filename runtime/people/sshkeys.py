"""Public keys in the format of OpenSSH: the lines of an `authorized_keys` file and the bytes behind them.

Two kinds may be enrolled: Ed25519, and Ed25519 kept in a hardware token. Sources: RFC 4251 section 5
(strings), RFC 8709 section 4 (ssh-ed25519), OpenSSH's PROTOCOL.u2f (sk-ssh-ed25519).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.people.errors import KeyFormatError

_LINE_LIMIT = 2048
_KEY_BYTES = 32


class KeyKind(StrEnum):
    """The kinds of key a person may enrol."""

    ED25519 = "ssh-ed25519"
    SK_ED25519 = "sk-ssh-ed25519@openssh.com"


class Reader:
    """Reads SSH wire types from bytes; anything missing or left over is an error, never a default."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes; raises `KeyFormatError` if they are not there."""
        end = self._at + count
        if end > len(self._data):
            raise KeyFormatError(f"truncated data: got {len(self._data) - self._at} bytes, expected {count}")
        part = self._data[self._at : end]
        self._at = end
        return part

    def uint32(self) -> int:
        """Return the next big-endian 32-bit number."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """Return the next length-prefixed string."""
        return self.take(self.uint32())

    def name(self) -> str:
        """Return the next string as the ASCII name it must be."""
        raw = self.string()
        if not raw.isascii():
            raise KeyFormatError("a name in the data has bytes outside ASCII")
        return raw.decode("ascii")

    def end(self) -> None:
        """Raise `KeyFormatError` unless everything was read."""
        if self._at != len(self._data):
            raise KeyFormatError(f"{len(self._data) - self._at} bytes too many at the end")


def wire_string(data: bytes) -> bytes:
    """Return `data` with its length in front (RFC 4251 section 5)."""
    return len(data).to_bytes(4, "big") + data


def decode_base64(text: str) -> bytes:
    """Decode base64 that has exactly one spelling.

    Raises:
        KeyFormatError: the text has strange characters, wrong padding or stray bits.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFormatError(f"broken base64: {error}") from error
    if base64.b64encode(data).decode() != text:
        raise KeyFormatError("base64 with stray bits at its end")
    return data


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key of a person. Two keys are the same when their bytes are; the comment is no part of it.

    Attributes:
        kind: which algorithm, and where the private half is kept.
        blob: the wire encoding, as in the middle field of an `authorized_keys` line.
        verifier: the same key, ready to verify.
        application: what a hardware key is bound to (`ssh:` or `ssh:name`); empty for the other kind.
    """

    kind: KeyKind
    blob: bytes
    verifier: Ed25519PublicKey = field(compare=False, repr=False)
    application: bytes = field(default=b"", compare=False)

    @property
    def fingerprint(self) -> str:
        """The name of the key as `ssh-keygen -l` prints it: `SHA256:` and unpadded base64."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def line(self) -> str:
        """The key as a line of an `authorized_keys` file, without a comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a line such as `ssh-ed25519 AAAA... alice@laptop`; options in front are refused.

        Raises:
            KeyFormatError: the line is no public key of a kind listed in `KeyKind`.
        """
        kind, _, rest = line.strip().partition(" ")
        if len(line) > _LINE_LIMIT or "\n" in line.strip() or not rest:
            raise KeyFormatError("not a public key line: expected `KIND BASE64 [comment]`, as in a .pub file")
        key = cls.from_blob(decode_base64(rest.split(" ")[0]))
        if key.kind != kind:
            raise KeyFormatError(f"the line says `{kind[:80]}` but the key is `{key.kind}`")
        return key

    @classmethod
    def from_blob(cls, blob: bytes) -> Self:
        """Read the wire encoding.

        Raises:
            KeyFormatError: the bytes are anything but exactly one well-formed key of a kind we accept.
        """
        reader = Reader(blob)
        kind = _kind(reader.name())
        raw = reader.string()
        application = reader.string() if kind is KeyKind.SK_ED25519 else b""
        reader.end()
        if len(raw) != _KEY_BYTES:
            raise KeyFormatError(f"an Ed25519 key of {len(raw)} bytes: expected {_KEY_BYTES}")
        return cls(kind, blob, Ed25519PublicKey.from_public_bytes(raw), application)


def _kind(name: str) -> KeyKind:
    if name not in tuple(KeyKind):
        raise KeyFormatError(f"key kind `{name[:80]}` is not accepted: use one of {', '.join(KeyKind)}")
    return KeyKind(name)
