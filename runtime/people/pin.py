"""What must never be forgotten about the policy, in a small file beside the database.

The root (also in the record's first policy entry), the highest version seen, and the keys that are dead. So a
database in which version 1 was replaced, later versions are missing or a revocation was deleted is noticed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.canonical import JsonValue, canonical
from runtime.people.errors import PolicyChainError
from runtime.people.statement import Digest

PIN_NAME = "policy.pin"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    root: Digest
    version: Annotated[int, Field(ge=1)]
    head: Digest
    revoked: dict[str, int]


@dataclass(frozen=True, slots=True)
class Pin:
    """What is remembered.

    Attributes:
        root: digest of version 1.
        version: the highest version seen.
        head: the digest of that version.
        revoked: fingerprints of dead keys, each with the version that was current when it died.
    """

    root: str
    version: int
    head: str
    revoked: Mapping[str, int]


def read_pin(path: Path) -> Pin:
    """Read the pin.

    Raises:
        PolicyChainError: there is none, or it cannot be read.
    """
    try:
        found = _File.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise PolicyChainError(
            f"{path} is missing: run `handrail init`, or restore it from a backup"
        ) from error
    except (OSError, ValidationError) as error:
        raise PolicyChainError(f"{path} cannot be read, restore it from a backup: {error}") from error
    return Pin(found.root, found.version, found.head, found.revoked)


def write_pin(path: Path, pin: Pin) -> None:
    """Replace the pin in one step; it is durable when this returns.

    Raises:
        OSError: the directory cannot be written.
    """
    content: JsonValue = {"root": pin.root, "version": pin.version, "head": pin.head, "revoked": pin.revoked}
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(canonical(content) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
