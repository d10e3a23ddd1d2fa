"""Our signatures and OpenSSH's are the same thing, in both directions."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from runtime.people import sshsig
from runtime.people.errors import KeyFormatError, SigningError
from runtime.people.signing import sign_with_ssh_keygen
from runtime.people.sshkeys import PublicKey, wire_string
from runtime.people.sshsig import Valid, public_key_of, sign, signed_bytes, verify

NewKey = Callable[..., Path]
MESSAGE = b'{"type":"approval"}'


def openssh_accepts(
    line: str, message: bytes, armored: str, folder: Path, *, namespace: str = "handrail"
) -> bool:
    signers, signature = folder / "signers", folder / "signature"
    signers.write_text(f"alice {line}\n")
    signature.write_text(armored)
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(signers),
        "-I",
        "alice",
        "-n",
        namespace,
        "-s",
        str(signature),
    ]
    return subprocess.run(command, input=message, capture_output=True, check=False).returncode == 0


def test_what_ssh_keygen_signs_is_valid_here(new_key: NewKey) -> None:
    private = new_key("alice")

    answer = verify(sign_with_ssh_keygen(private, MESSAGE), MESSAGE)

    assert answer == Valid(PublicKey.from_line(private.with_suffix(".pub").read_text()))


def test_what_is_signed_here_is_valid_for_ssh_keygen(new_key: NewKey, tmp_path: Path) -> None:
    private = new_key("alice")
    key = load_ssh_private_key(private.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    line = private.with_suffix(".pub").read_text().strip()

    armored = sign(key, MESSAGE)

    assert openssh_accepts(line, MESSAGE, armored, tmp_path)
    assert not openssh_accepts(line, MESSAGE + b" ", armored, tmp_path)
    assert not openssh_accepts(line, MESSAGE, armored, tmp_path, namespace="file")


def test_both_write_the_very_same_bytes(new_key: NewKey) -> None:
    """Ed25519 is deterministic, so one message by one key has one signature, whoever computes it."""
    private = new_key("alice")
    key = load_ssh_private_key(private.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)

    assert sign(key, MESSAGE) == sign_with_ssh_keygen(private, MESSAGE)


def test_a_key_in_ssh_agent_signs_when_only_its_public_half_is_on_disk(
    new_key: NewKey, agent_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = new_key("alice")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent_socket))
    subprocess.run(["ssh-add", "-q", str(private)], check=True)
    private.unlink()

    answer = verify(sign_with_ssh_keygen(private.with_suffix(".pub"), MESSAGE), MESSAGE)

    assert isinstance(answer, Valid)


def test_a_key_with_a_passphrase_signs_when_ssh_agent_holds_it(
    new_key: NewKey, agent_socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = new_key("alice", passphrase="correct horse")
    asker = tmp_path / "ask"
    asker.write_text("#!/bin/sh\necho correct horse\n")
    asker.chmod(0o700)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent_socket))
    monkeypatch.setenv("SSH_ASKPASS", str(asker))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    subprocess.run(["ssh-add", "-q", str(private)], check=True)
    monkeypatch.delenv("SSH_ASKPASS_REQUIRE")

    assert isinstance(verify(sign_with_ssh_keygen(private, MESSAGE), MESSAGE), Valid)


def test_a_missing_key_is_an_error_that_names_it_and_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match=r"nobody.*ssh-add -l"):
        sign_with_ssh_keygen(tmp_path / "nobody", MESSAGE)


@pytest.mark.parametrize("flags", [0x01, 0x05])
def test_a_hardware_key_that_was_touched_is_valid_here_and_for_ssh_keygen(flags: int, tmp_path: Path) -> None:
    key, armored = hardware_signature(flags=flags)

    assert verify(armored, MESSAGE) == Valid(key)
    assert openssh_accepts(key.line, MESSAGE, armored, tmp_path)


def test_a_hardware_key_that_was_not_touched_proves_nothing() -> None:
    _, armored = hardware_signature(flags=0x04)

    answer = verify(armored, MESSAGE)

    assert isinstance(answer, sshsig.Invalid)
    assert "touched" in answer.reason


def test_fingerprints_are_those_that_ssh_keygen_prints(new_key: NewKey) -> None:
    public = new_key("alice").with_suffix(".pub")
    printed = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(public)], check=True, capture_output=True, text=True
    )

    assert PublicKey.from_line(public.read_text()).fingerprint == printed.stdout.split()[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not a public key line"),
        ("ssh-ed25519", "not a public key line"),
        ("no-pty ssh-ed25519 AAAA", "base64"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA", "truncated"),
        ("ssh-ed25519 !!!!", "base64"),
        ("ssh-ed25519 " + "A" * 3000, "not a public key line"),
    ],
)
def test_a_malformed_key_line_is_refused(line: str, said: str) -> None:
    with pytest.raises(KeyFormatError, match=said):
        PublicKey.from_line(line)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_key_cannot_be_enrolled(kind: str, new_key: NewKey) -> None:
    public = new_key("alice", kind=kind).with_suffix(".pub")

    with pytest.raises(KeyFormatError, match="is not accepted"):
        PublicKey.from_line(public.read_text())


def test_a_line_that_lies_about_the_kind_of_its_key_is_refused() -> None:
    line = public_key_of(Ed25519PrivateKey.generate()).line

    with pytest.raises(KeyFormatError, match="the line says"):
        PublicKey.from_line(line.replace("ssh-ed25519", "sk-ssh-ed25519@openssh.com", 1))


def hardware_signature(*, flags: int, counter: int = 7) -> tuple[PublicKey, str]:
    """Do in software what a FIDO token does (OpenSSH's PROTOCOL.u2f)."""
    private = Ed25519PrivateKey.generate()
    kind, application = b"sk-ssh-ed25519@openssh.com", b"ssh:"
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    blob = wire_string(kind) + wire_string(raw) + wire_string(application)
    seen = bytes([flags]) + counter.to_bytes(4, "big")
    data = hashlib.sha256(application).digest() + seen + hashlib.sha256(signed_bytes(MESSAGE)).digest()
    value = wire_string(kind) + wire_string(private.sign(data)) + seen
    fields = (blob, b"handrail", b"", b"sha512", value)
    whole = b"SSHSIG" + (1).to_bytes(4, "big") + b"".join(map(wire_string, fields))
    return PublicKey.from_blob(blob), sshsig._armor(whole)
