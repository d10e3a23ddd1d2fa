"""Signatures in the SSHSIG format, as `ssh-keygen -Y sign` and git write them.

Source: OpenSSH's PROTOCOL.sshsig (version 1), and PROTOCOL.u2f for keys kept in a hardware token.
Verifying is pure. It is narrower than `ssh-keygen -Y verify`: one namespace, one hash (SHA-512, what every
OpenSSH writes unless told otherwise), no certificates, an empty reserved field, a touched hardware key.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.people.errors import KeyFormatError
from runtime.people.sshkeys import KeyKind, PublicKey, Reader, decode_base64, wire_string

NAMESPACE: Final = "handrail"
_MAGIC = b"SSHSIG"
_VERSION = 1
_HASH = "sha512"
_CONTEXT = (NAMESPACE.encode(), b"", _HASH.encode())
_HEADER = "-----BEGIN SSH SIGNATURE-----"
_FOOTER = "-----END SSH SIGNATURE-----"
_ARMOR_LIMIT = 16 * 1024
_LINE_WIDTH = 70
_USER_PRESENT = 0x01


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed signature; nothing is verified yet.

    Attributes:
        key: the key that claims to have signed.
        value: the 64 bytes of the signature proper.
        flags: what the hardware token saw (bit 0: a touch); zero for a key in a file.
        counter: how often the hardware token signed; zero for a key in a file.
    """

    key: PublicKey
    value: bytes
    flags: int = 0
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Valid:
    """The message was signed by this key."""

    key: PublicKey


@dataclass(frozen=True, slots=True)
class Invalid:
    """The signature proves nothing, for this reason."""

    reason: str


def verify(armored: str, message: bytes) -> Valid | Invalid:
    """Verify one armored signature over `message` in the namespace `handrail`.

    The answer names the key that signed. Whether that key belongs to anyone is the roster's question.

    Args:
        armored: the text from the BEGIN to the END line.
        message: the exact bytes that were signed.
    """
    try:
        signature = parse(armored)
    except KeyFormatError as error:
        return Invalid(f"not a usable signature: {error}")
    key = signature.key
    if key.kind is KeyKind.SK_ED25519 and not signature.flags & _USER_PRESENT:
        return Invalid("the hardware key was not touched: a signature needs a person present")
    try:
        key.verifier.verify(signature.value, _input_of(signature, message))
    except InvalidSignature:
        return Invalid("the signature does not fit the message and the key")
    return Valid(key)


def parse(armored: str) -> Signature:
    """Read an armored signature.

    Raises:
        KeyFormatError: unless the text is exactly one signature of version 1, in the namespace `handrail`,
            over SHA-512, by a kind of key that may be enrolled.
    """
    reader = Reader(_unarmor(armored))
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise KeyFormatError("the data does not begin with SSHSIG")
    _expect("version", str(reader.uint32()), str(_VERSION))
    key = PublicKey.from_blob(reader.string())
    _expect("namespace", reader.name(), NAMESPACE)
    _expect("reserved field", reader.string().hex(), "")
    _expect("hash", reader.name(), _HASH)
    body = reader.string()
    reader.end()
    return _parse_value(key, Reader(body))


def sign(private_key: Ed25519PrivateKey, message: bytes) -> str:
    """Return an armored signature by an unencrypted Ed25519 key held in this process.

    People sign with `signing.sign_with_ssh_keygen`; this serves single-user mode, the demo and tests.
    """
    name = wire_string(KeyKind.ED25519.value.encode())
    value = name + wire_string(private_key.sign(signed_bytes(message)))
    fields = (public_key_of(private_key).blob, *_CONTEXT, value)
    return _armor(_MAGIC + _VERSION.to_bytes(4, "big") + b"".join(map(wire_string, fields)))


def public_key_of(private_key: Ed25519PrivateKey) -> PublicKey:
    """Return the public half as a key that can be enrolled."""
    raw = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return PublicKey.from_blob(wire_string(KeyKind.ED25519.value.encode()) + wire_string(raw))


def signed_bytes(message: bytes) -> bytes:
    """Return what a key really signs: the namespace, the hash's name and the hash of `message`."""
    return _MAGIC + b"".join(map(wire_string, (*_CONTEXT, hashlib.sha512(message).digest())))


def _input_of(signature: Signature, message: bytes) -> bytes:
    data = signed_bytes(message)
    if signature.key.kind is KeyKind.ED25519:
        return data
    seen = bytes([signature.flags]) + signature.counter.to_bytes(4, "big")
    return hashlib.sha256(signature.key.application).digest() + seen + hashlib.sha256(data).digest()


def _expect(what: str, got: str, expected: str) -> None:
    if got != expected:
        raise KeyFormatError(f"{what} `{got[:80]}`: expected `{expected}`")


def _armor(blob: bytes) -> str:
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + _LINE_WIDTH] for at in range(0, len(text), _LINE_WIDTH)]
    return "\n".join([_HEADER, *lines, _FOOTER, ""])


def _unarmor(armored: str) -> bytes:
    if len(armored) > _ARMOR_LIMIT:
        raise KeyFormatError(f"{len(armored)} characters: expected at most {_ARMOR_LIMIT}")
    lines = armored.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines[0] != _HEADER or lines[-1] != _FOOTER:
        raise KeyFormatError(f"expected text from `{_HEADER}` to `{_FOOTER}` and nothing around it")
    return decode_base64("".join(lines[1:-1]))


def _parse_value(key: PublicKey, reader: Reader) -> Signature:
    _expect("algorithm", reader.name(), key.kind.value)
    value = reader.string()
    flags = counter = 0
    if key.kind is KeyKind.SK_ED25519:
        flags, counter = reader.take(1)[0], reader.uint32()
    reader.end()
    return Signature(key, value, flags, counter)
