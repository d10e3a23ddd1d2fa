"""A person signs: the statement is built here, from what was shown here, and `ssh-keygen` signs it.

The control plane says what there is to decide, but the digest in a statement is always computed on this side,
over what this side showed. So it cannot show one thing and have another signed.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console.client import Client
from console.errors import ConsoleError, UsageError
from console.session import Session
from runtime.clock import random_bytes, utc_now
from runtime.people.errors import KeyFormatError
from runtime.people.signing import sign_with_ssh_keygen
from runtime.people.sshkeys import PublicKey
from runtime.people.statement import NONCE_BYTES, Matter, draft

Json = dict[str, Any]


@dataclass(frozen=True)
class Signer:
    """Whose word is given here, and for which installation.

    Attributes:
        person: the name in the policy.
        installation: the origin of the control plane's log.
        key_path: what `ssh-keygen` signs with.
    """

    person: str
    installation: str
    key_path: Path

    def say(self, matter: Matter, *, expires: datetime | None = None) -> Json:
        """Sign a matter; the answer is what the control plane takes: the bytes as text, and the signature."""
        statement = draft(
            matter,
            installation=self.installation,
            person=self.person,
            now=utc_now(),
            nonce=random_bytes(NONCE_BYTES),
            expires=expires,
        )
        body = statement.to_bytes()
        return {"body": body.decode(), "signature": sign_with_ssh_keygen(self.key_path, body)}


def signer(session: Session, client: Client) -> Signer:
    """Return who signs with the session's key.

    Raises:
        UsageError: there is no such key.
        ConsoleError: the key belongs to nobody who is enrolled.
    """
    key = read_public(session.key_path)
    answer = client.get("people")
    for person in answer["people"]:
        if key.fingerprint in person["keys"]:
            return Signer(person["name"], answer["installation"], private_half(session.key_path))
    raise ConsoleError(
        f"key {session.key_path} ({key.fingerprint}) is not enrolled",
        expected="a key of a person in the policy",
        next_step="--key FILE, or handrail person list",
    )


def read_public(path: Path) -> PublicKey:
    """Return the public half of a key file, which lies beside it as `.pub`.

    Raises:
        UsageError: there is none, or it is no key we can use.
    """
    public = path if path.suffix == ".pub" else path.with_name(path.name + ".pub")
    try:
        return PublicKey.from_line(public.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        step = "--key FILE, or make one: ssh-keygen -t ed25519"
        said = error.strerror if isinstance(error, OSError) else "no text"
        raise UsageError(f"key file {public}: {said}", next_step=step) from error
    except KeyFormatError as error:
        raise UsageError(f"key file {public}: {error}", expected="an ssh-ed25519 public key") from error


def private_half(path: Path) -> Path:
    """Return the private key beside a `.pub` file where there is one; else the file itself, for ssh-agent."""
    private = path.with_suffix("") if path.suffix == ".pub" else path
    return private if private.exists() else path
