"""Payloads: what may be sensitive, encrypted beside the log so that it can be purged without harm to a proof.

The leaf holds `commit` = SHA-256(salt || plaintext), whose random salt of 32 bytes keeps a purged text from
being guessed back, and the SHA-256 of the stored bytes. These are nonce (12 bytes) || AES-256-GCM(salt ||
plaintext), with the log's origin and the entry's number as associated data, so a payload cannot be moved to
another entry. A data key serves one month; random nonces bound it to 2^32 payloads (NIST SP 800-38D, 8.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runtime.canonical import JsonValue, canonical, parse_canonical
from runtime.errors import PayloadError

SALT_SIZE = 32
NONCE_SIZE = 12


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one month, such as `2026-11`, ready to use."""

    id: str
    cipher: AESGCM


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a leaf says of its payload; hashes in hexadecimal."""

    commit: str
    key: str
    sha256: str


def seal(
    payload: Mapping[str, JsonValue],
    key: DataKey,
    *,
    origin: str,
    seq: int,
    random: Callable[[int], bytes],
) -> tuple[bytes, Commitment]:
    """Encrypt a payload for one entry; return the bytes to store and what the leaf says of them.

    Raises:
        CanonicalError: the payload has no canonical form.
    """
    fresh = random(SALT_SIZE + NONCE_SIZE)
    salted, nonce = fresh[:SALT_SIZE] + canonical(payload), fresh[SALT_SIZE:]
    sealed = nonce + key.cipher.encrypt(nonce, salted, _associated(origin, seq))
    return sealed, Commitment(sha256(salted).hexdigest(), key.id, sha256(sealed).hexdigest())


def unseal(
    sealed: bytes, key: DataKey, commitment: Commitment, *, origin: str, seq: int
) -> Mapping[str, JsonValue]:
    """Decrypt the payload of one entry and hold it against the leaf's commitment.

    Raises:
        PayloadError: the bytes were changed, the key is another, or the text is not the one committed to.
    """
    try:
        salted = key.cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], _associated(origin, seq))
    except (InvalidTag, ValueError) as error:
        raise PayloadError(f"the payload of entry {seq} does not open with data key {key.id}") from error
    payload = parse_canonical(salted[SALT_SIZE:])
    if sha256(salted).hexdigest() != commitment.commit or not isinstance(payload, Mapping):
        raise PayloadError(f"the payload of entry {seq} is not the one its leaf commits to")
    return payload


def _associated(origin: str, seq: int) -> bytes:
    return f"handrail payload v1\n{origin}\n{seq}".encode()
