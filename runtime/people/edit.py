"""Small edits of a policy's text: a person added or marked as revoked. Pure.

The text is written anew, without its comments. Whoever wants to keep them hands in a whole file instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from profiles.policy import Role
from runtime.people.errors import ChangeError


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to enrol.

    Attributes:
        name: as the policy will call them.
        keys: public key lines.
        groups: groups they belong to.
        roles: roles they hold by name.
        identities: other accounts of the same person, such as `unix:alice`.
    """

    name: str
    keys: tuple[str, ...]
    groups: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    identities: tuple[str, ...] = ()


def with_people(text: str, people: Sequence[NewPerson], *, version: int) -> str:
    """Return the policy text with these persons enrolled, as version `version`.

    Raises:
        ChangeError: a name is taken, also by someone revoked, or the text is no mapping.
    """
    tree = _tree(text)
    enrolled = _mapping(tree, "people")
    for person in people:
        if person.name in enrolled:
            raise ChangeError(f"`{person.name}` is taken: a name belongs to one person for ever")
        enrolled[person.name] = _entry(person)
        for role in person.roles:
            holders = _mapping(_mapping(tree, "roles"), role.value)
            holders["people"] = [*(holders.get("people") or []), person.name]
    return _text(tree, version)


def without_person(text: str, name: str, *, version: int) -> str:
    """Return the policy text with a person marked as revoked, as version `version`.

    Raises:
        ChangeError: nobody of this name is enrolled.
    """
    tree = _tree(text)
    entry = _mapping(tree, "people").get(name)
    if not isinstance(entry, dict):
        raise ChangeError(f"`{name}` is not enrolled: `handrail person list` shows who is")
    entry["revoked"] = True
    return _text(tree, version)


def _entry(person: NewPerson) -> dict[str, Any]:
    entry: dict[str, Any] = {"keys": list(person.keys)}
    parts: Mapping[str, tuple[str, ...]] = {"groups": person.groups, "identities": person.identities}
    return entry | {key: list(values) for key, values in parts.items() if values}


def _tree(text: str) -> dict[str, Any]:
    tree = yaml.safe_load(text)
    if not isinstance(tree, dict):
        raise ChangeError("the policy's text is no mapping: hand in a whole policy file")
    return tree


def _mapping(tree: dict[str, Any], key: str) -> dict[str, Any]:
    found = tree.get(key)
    if not isinstance(found, dict):
        found = tree[key] = {}
    return found


def _text(tree: dict[str, Any], version: int) -> str:
    return yaml.safe_dump(
        tree | {"version": version}, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
