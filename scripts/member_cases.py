"""The members from which weights are learned: of records, of the corpus, and of documentation."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.new_texts import paragraphs
from bench.scrub_corpus import CORPUS, Part, Positive, is_gone, positives
from profiles.context import StatusKind
from sandboxes.scrub.listed import listed
from sandboxes.scrub.members import Record, member_features

DOCUMENTS: Final = 4_000  # paragraphs of documentation


@dataclass(frozen=True)
class Member:
    """A member of a record, as it is weighed."""

    path: tuple[str, ...]
    value: str
    record: Record


def features_of(member: Member) -> set[str]:
    """Return what is weighed of a member."""
    return {*member_features(member.path, member.value), *member.record.features}


@dataclass(frozen=True)
class Case:
    """One JSON value or text: the members that tell, all of one kind, and the others."""

    kind: StatusKind | None
    told: Sequence[Member]
    rest: Sequence[Member]


def members_of(
    value: Any, path: tuple[str, ...] = (), place: str = "", record: Record | None = None
) -> Iterator[tuple[str, Member]]:
    """Yield the members of a JSON value that hold texts, numbers and truths, each with its dotted path."""
    if isinstance(value, dict):
        inner = Record(value, record)
        for name, item in value.items():
            yield from members_of(item, (*path, name), f"{place}.{name}".lstrip("."), inner)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from members_of(item, path, f"{place}.{number}".lstrip("."), record)
    elif value is not None and record is not None:
        yield place, Member(path, value if isinstance(value, str) else str(value).lower(), record)


def members_in(text: str) -> Iterator[Member]:
    """Yield the members of the lists of a text."""
    return (Member(laid.path, text[laid.start : laid.end], record) for laid, record in listed(text))


def written() -> Iterator[Case]:
    """Yield the records that were written to be learned from."""
    for file in sorted((CORPUS / "records").glob("*.jsonl")):
        for line in file.read_text().splitlines():
            told = json.loads(line)
            tells = tuple(told["tells"])
            kind = None if told["kind"] == "-" else StatusKind(told["kind"])
            if "text" in told:
                parts = [(_tells(member.value, tells), member) for member in members_in(told["text"])]
            else:
                parts = [(_is_at(place, tells), member) for place, member in members_of(told["record"])]
            yield _case(kind, parts)


def seen() -> Iterator[Case]:
    """Yield the JSON values and the lists of the seen half of the corpus."""
    for one in positives(Part.SEEN):
        if one.form == "json":
            yield _case(
                one.kind, [(_holds(one, member), member) for _, member in members_of(json.loads(one.text))]
            )
        elif one.form == "text":
            yield _case(one.kind, [(_holds(one, member), member) for member in members_in(one.text)])


def documents() -> Iterator[Case]:
    """Yield the lists of documentation: all is ordinary in them."""
    for text in paragraphs()[:DOCUMENTS]:
        yield Case(None, (), [*members_in(text)])


def _case(kind: StatusKind | None, parts: Sequence[tuple[bool, Member]]) -> Case:
    return Case(kind, [one for tells, one in parts if tells], [one for tells, one in parts if not tells])


def _tells(value: str, tells: Sequence[str]) -> bool:
    return any(one.lower() in value.lower() or value.lower() in one.lower() for one in tells)


def _is_at(place: str, tells: Sequence[str]) -> bool:
    return any(place == one or place.startswith(f"{one}.") for one in tells)


def _holds(one: Positive, member: Member) -> bool:
    name = member.path[-1]
    return not (is_gone(one, member.value) and is_gone(one, name) and is_gone(one, f"{name}: {member.value}"))
