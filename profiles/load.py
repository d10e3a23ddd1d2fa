"""Loading: from a file to a profile or policy that has been checked whole, or to all that is wrong in it."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import rfc8785
from pydantic import BaseModel, ValidationError

from profiles.base import Place
from profiles.consistency import profile_findings
from profiles.errors import Problem, ProfileError, dotted
from profiles.findings import Finding
from profiles.policy import Policy
from profiles.policy_consistency import policy_findings
from profiles.problems import problems_of
from profiles.schema import Profile
from profiles.yaml_source import MAX_BYTES, Source, Tree, read_source

_Model = TypeVar("_Model", bound=BaseModel)
_KEPT = 16
"""How many texts of each are kept as they were read: the same few are asked for again and again."""


@dataclass(frozen=True)
class LoadedProfile:
    """A profile with what pins it.

    Attributes:
        profile: The checked profile.
        digest: SHA-256 in hex over the canonical JSON (RFC 8785) of the profile, defaults included.
        text: The file as it was read.
    """

    profile: Profile
    digest: str
    text: str


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy with what pins it; the fields mean what they mean in `LoadedProfile`."""

    policy: Policy
    digest: str
    text: str


def load_profile(path: Path) -> LoadedProfile:
    """Read and check a profile file.

    Args:
        path: The file.

    Returns:
        The profile, its digest and its text.

    Raises:
        ProfileError: The file cannot be read or anything in it is wrong; all problems are listed.
    """
    return parse_profile(_read(path), source=str(path))


def parse_profile(data: bytes, *, source: str) -> LoadedProfile:
    """Check a profile that is already in memory.

    Args:
        data: The file's bytes.
        source: What to call it in messages.

    Returns:
        The profile, its digest and its text.

    Raises:
        ProfileError: Anything in it is wrong; all problems are listed.
    """
    return _profile(data, source)


def load_policy(path: Path) -> LoadedPolicy:
    """Read and check a policy file; see `load_profile`."""
    return parse_policy(_read(path), source=str(path))


def parse_policy(data: bytes, *, source: str) -> LoadedPolicy:
    """Check a policy that is already in memory; see `parse_profile`."""
    return _policy(data, source)


@lru_cache(maxsize=_KEPT)
def _profile(data: bytes, source: str) -> LoadedProfile:
    profile = _parse(data, source, Profile, profile_findings)
    return LoadedProfile(profile, digest_of(profile), data.decode())


@lru_cache(maxsize=_KEPT)
def _policy(data: bytes, source: str) -> LoadedPolicy:
    policy = _parse(data, source, Policy, policy_findings)
    return LoadedPolicy(policy, digest_of(policy), data.decode())


def digest_of(model: BaseModel) -> str:
    """Return the SHA-256 in hex over the canonical JSON (RFC 8785) of a profile or policy."""
    return hashlib.sha256(rfc8785.dumps(model.model_dump(mode="json"))).hexdigest()


def shipped_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with Handrail."""
    names = (entry.name.removesuffix(".yaml") for entry in files("profiles").joinpath("shipped").iterdir())
    return tuple(sorted(name for name in names if name != "policy"))


def shipped_profile(name: str) -> LoadedProfile:
    """Load a profile that comes with Handrail.

    Args:
        name: One of `shipped_profiles()`.

    Returns:
        The profile, its digest and its text.

    Raises:
        ProfileError: There is none of this name.
    """
    if name not in shipped_profiles():
        expected = ", ".join(shipped_profiles())
        raise ProfileError(
            name, [Problem("", f"no shipped profile of this name, expected one of {expected}")]
        )
    return parse_profile(_shipped(name), source=f"shipped/{name}.yaml")


def find_profile(where: str) -> LoadedProfile:
    """Load the profile in a file, or the shipped one of that name where there is no such file.

    Args:
        where: A path, or one of `shipped_profiles()`.

    Returns:
        The profile, its digest and its text.

    Raises:
        ProfileError: The file cannot be read or anything in it is wrong.
    """
    path = Path(where)
    if path.exists():
        return load_profile(path)
    if where in shipped_profiles():
        return shipped_profile(where)
    expected = f"no such file, expected one or the name of a shipped profile: {', '.join(shipped_profiles())}"
    raise ProfileError(where, [Problem("", expected)])


def shipped_policy() -> LoadedPolicy:
    """Load the default policy, which names no people: nobody can approve under it."""
    return parse_policy(_shipped("policy"), source="shipped/policy.yaml")


def _shipped(name: str) -> bytes:
    return files("profiles").joinpath("shipped", f"{name}.yaml").read_bytes()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        said = f"cannot be read ({error.strerror}), expected a readable file"
        raise ProfileError(str(path), [Problem("", said)]) from error


def _parse(
    data: bytes, source: str, model: type[_Model], check: Callable[[_Model], Iterable[Finding]]
) -> _Model:
    read = read_source(data)
    if read.problems:
        raise ProfileError(source, read.problems)
    try:
        parsed = model.model_validate_json(json.dumps(read.tree))
    except ValidationError as error:
        raise ProfileError(source, problems_of(error, read, model)) from error
    if problems := _placed([*_nulls(read.tree), *check(parsed)], read):
        raise ProfileError(source, problems)
    return parsed


def _nulls(tree: Tree, place: Place = ()) -> Iterator[Finding]:
    """List every `null`: where a key may be left out it says nothing, or would be read as "no bound"."""
    inner: Iterable[tuple[str | int, Tree]] = ()
    if isinstance(tree, dict):
        inner = tree.items()
    elif isinstance(tree, list):
        inner = enumerate(tree)
    elif tree is None:
        yield Finding(place, "got null, expected a value, or this key left out")
    for step, value in inner:
        yield from _nulls(value, (*place, step))


def _placed(findings: Iterable[Finding], source: Source) -> list[Problem]:
    problems = [Problem(dotted(place), said, source.line_of(place)) for place, said in findings]
    return sorted(problems, key=lambda problem: problem.line or 0)
