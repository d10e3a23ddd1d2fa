"""Threat: a signature that was made for something else, or altered, is passed off as a person's word."""

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from runtime.people.sshkeys import PublicKey, wire_string
from runtime.people.sshsig import Invalid, Valid, public_key_of, sign, signed_bytes, verify

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
MESSAGE = b"the exact bytes"
GOOD = sign(KEY, MESSAGE)
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of Ed25519's base point (RFC 8032 section 5.1)."""


def opened(armored: str) -> bytes:
    return base64.b64decode("".join(armored.splitlines()[1:-1]))


def closed(blob: bytes) -> str:
    return "\n".join([BEGIN, base64.b64encode(blob).decode(), END, ""])


def made_of(
    *,
    magic: bytes = b"SSHSIG",
    version: int = 1,
    key: bytes | None = None,
    namespace: bytes = b"handrail",
    reserved: bytes = b"",
    hash_name: bytes = b"sha512",
    value: bytes | None = None,
) -> str:
    """Assemble a signature of which one part is wrong; without arguments it is the good one."""
    proper = wire_string(b"ssh-ed25519") + wire_string(KEY.sign(signed_bytes(MESSAGE)))
    parts = (key or public_key_of(KEY).blob, namespace, reserved, hash_name, value or proper)
    return closed(magic + version.to_bytes(4, "big") + b"".join(map(wire_string, parts)))


def with_larger_scalar() -> bytes:
    """Add the group order to S: the same point, other bytes. A verifier must refuse it (RFC 8032 5.1.7)."""
    signature = KEY.sign(signed_bytes(MESSAGE))
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return wire_string(b"ssh-ed25519") + wire_string(signature[:32] + scalar.to_bytes(32, "little"))


def by(openssh: list[str], folder: Path, *, kind: str = "ed25519") -> str:
    """Sign with the real ssh-keygen, in a way that differs from ours."""
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(key)], check=True)
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), *openssh]
    return subprocess.run(command, input=MESSAGE, check=True, capture_output=True).stdout.decode()


def test_the_untouched_signature_is_valid() -> None:
    assert verify(GOOD, MESSAGE) == Valid(public_key_of(KEY))
    assert verify(made_of(), MESSAGE) == Valid(public_key_of(KEY))


@pytest.mark.parametrize(
    ("openssh", "kind", "said"),
    [
        (["-n", "file"], "ed25519", "namespace"),
        (["-n", "git"], "ed25519", "namespace"),
        (["-n", "handrail2"], "ed25519", "namespace"),
        (["-n", "handrail", "-O", "hashalg=sha256"], "ed25519", "hash"),
        (["-n", "handrail"], "rsa", "not accepted"),
        (["-n", "handrail"], "ecdsa", "not accepted"),
    ],
)
def test_a_genuine_signature_for_another_purpose_proves_nothing(
    openssh: list[str], kind: str, said: str, tmp_path: Path
) -> None:
    answer = verify(by(openssh, tmp_path, kind=kind), MESSAGE)

    assert isinstance(answer, Invalid)
    assert said in answer.reason


@pytest.mark.parametrize(
    "armored",
    [
        pytest.param(made_of(magic=b"SSHSIX"), id="other magic"),
        pytest.param(made_of(version=2), id="later version"),
        pytest.param(made_of(version=0), id="version 0"),
        pytest.param(made_of(namespace=b""), id="no namespace"),
        pytest.param(made_of(namespace=b"handrail\0"), id="namespace with NUL"),
        pytest.param(made_of(reserved=b"x"), id="reserved field used"),
        pytest.param(made_of(hash_name=b"sha256"), id="another hash is claimed"),
        pytest.param(made_of(hash_name=b"md5"), id="unknown hash"),
        pytest.param(made_of(hash_name=b"sha512\xff"), id="hash outside ASCII"),
        pytest.param(made_of(key=public_key_of(OTHER).blob), id="key swapped"),
        pytest.param(made_of(key=public_key_of(KEY).blob + b"x"), id="key with trailing byte"),
        pytest.param(made_of(key=public_key_of(KEY).blob[:-1]), id="key cut short"),
        pytest.param(made_of(value=with_larger_scalar()), id="malleated"),
        pytest.param(made_of(value=wire_string(b"ssh-ed25519") + wire_string(b"")), id="empty signature"),
        pytest.param(made_of(value=wire_string(b"ssh-rsa") + wire_string(b"x" * 64)), id="other algorithm"),
        pytest.param(
            made_of(value=wire_string(b"ssh-ed25519") + wire_string(KEY.sign(MESSAGE))),
            id="raw message signed",
        ),
        pytest.param(closed(opened(GOOD) + b"\0"), id="trailing byte"),
        pytest.param(GOOD + GOOD, id="two signatures"),
        pytest.param("x" + GOOD, id="text before"),
        pytest.param(GOOD + "x", id="text after"),
        pytest.param(GOOD.replace(END, ""), id="no end"),
        pytest.param(GOOD.replace("\n", " "), id="one line"),
        pytest.param(GOOD.replace("U1NI", "U1N!", 1), id="no base64"),
        pytest.param("", id="nothing"),
        pytest.param("\0", id="NUL"),
        pytest.param(closed(b"SSHSIG" + b"\0" * 20_000), id="huge"),
    ],
)
def test_an_altered_signature_proves_nothing(armored: str) -> None:
    assert isinstance(verify(armored, MESSAGE), Invalid)


def test_no_truncation_is_valid() -> None:
    blob = opened(GOOD)

    assert all(isinstance(verify(closed(blob[:end]), MESSAGE), Invalid) for end in range(len(blob)))


def test_no_single_flipped_bit_is_valid() -> None:
    blob = opened(GOOD)
    for position in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[position // 8] ^= 1 << position % 8

        assert isinstance(verify(closed(bytes(flipped)), MESSAGE), Invalid), f"bit {position}"


def test_a_length_beyond_the_end_is_refused_without_reading_on() -> None:
    whole = b"SSHSIG" + (1).to_bytes(4, "big") + (2**32 - 1).to_bytes(4, "big")

    assert isinstance(verify(closed(whole), MESSAGE), Invalid)


def test_another_message_is_not_covered() -> None:
    assert isinstance(verify(GOOD, MESSAGE + b" "), Invalid)
    assert isinstance(verify(GOOD, b""), Invalid)


def test_a_plain_key_cannot_pose_as_a_touched_hardware_key() -> None:
    blob = wire_string(b"sk-ssh-ed25519@openssh.com") + public_key_of(KEY).blob[15:] + wire_string(b"ssh:")
    PublicKey.from_blob(blob)
    proper = wire_string(KEY.sign(signed_bytes(MESSAGE)))
    value = wire_string(b"sk-ssh-ed25519@openssh.com") + proper + b"\x01\0\0\0\1"

    assert isinstance(verify(made_of(key=blob, value=value), MESSAGE), Invalid)


def test_no_private_key_is_ever_part_of_what_is_sent() -> None:
    raw = KEY.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())

    assert raw not in opened(GOOD)
