"""Settings and texts that an image brings along for its agent: read as a tool's answer would be. Pure.

Only small files of the agent's own are read, of the kinds that people write for programs and models. What a
distribution or a language's packages bring is the same in every image that has them; source code is no text;
and what packages say of themselves (`package.json`, lock files) has rules of its own or is no status.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sandboxes.lint.contents import is_wanted
from sandboxes.lint.finding import UNREAD, Finding, Weight, finding
from sandboxes.lint.paths import THIRD_PARTY, rules_for
from sandboxes.lint.tree import FileFact
from sandboxes.scrub.model import Place
from sandboxes.scrub.scrubber import Scrubber

TEXT_BYTES: Final = 16 * 1024
ALL_BYTES: Final = 128 * 1024
"""What is read of one file, and of all of an image: a rule takes about a millisecond for each KB."""

_SYSTEMS: Final = r"bin|boot|dev|etc|lib[^/]*|media|mnt|proc|run|sbin|sys|tmp|usr|var"
_OWN: Final = re.compile(
    rf"^/(?!({_SYSTEMS})/).*\.(ya?ml|json|toml|ini|cfg|conf|properties|env|txt|md|rst|prompt)$"
    r"|^/usr/(src|local/(bin|etc|src))/.*\.(ya?ml|json|toml|ini|cfg|conf|properties|env|txt|md|rst|prompt)$"
    r"|^/etc/.*\.(ya?ml|json|toml|properties)$",
    re.IGNORECASE,
)
_OF_PACKAGES: Final = re.compile(
    r"/(requirements[^/]*\.txt|pyproject\.toml|cargo\.toml|composer\.json|deno\.json|[jt]sconfig[^/]*\.json"
    r"|[^/]*[-.]lock\.[^/]+|[^/]*(licen[cs]e|copying|notice)[^/]*)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text by its path."""

    path: str
    text: str


class OwnTexts:
    """Takes the files of one image and keeps those to be read, within bounds."""

    def __init__(self) -> None:
        self._kept: list[OwnText] = []
        self._bytes = 0
        self.unread = 0

    @property
    def kept(self) -> tuple[OwnText, ...]:
        """What is to be read; `unread` are the files of which that is not all."""
        return tuple(self._kept)

    def add(self, fact: FileFact) -> None:
        """Keep the text of one file, if it is one of those."""
        if not fact.content or b"\0" in fact.content or not is_own_text(fact.path):
            return
        room = ALL_BYTES - self._bytes
        content = fact.content[: min(room, TEXT_BYTES)]
        self.unread += len(content) < fact.size
        if content:
            self._bytes += len(content)
            self._kept.append(OwnText(fact.path, content.decode(errors="replace")))


def is_own_text(path: str) -> bool:
    """Whether a file at this path is of settings or words for the agent, and no other rule speaks of it."""
    if _OWN.search(path) is None or _OF_PACKAGES.search(path) or THIRD_PARTY.search(path):
        return False
    return not is_wanted(path) and next(rules_for(path), None) is None


def findings_in_texts(texts: Sequence[OwnText], unread: int, scrubber: Scrubber) -> Iterator[Finding]:
    """Yield what texts would tell, one finding for each rule in each file.

    Raises:
        sandboxes.errors.ScrubError: one cannot be looked through.
    """
    for one in texts:
        fix = f"take it out of {one.path}, or keep the file out of the image with a line in .dockerignore"
        changes = scrubber.text(one.text, Place.RESULT).changes
        for change in {change.rule: change for change in reversed(changes)}.values():
            weight = Weight.ERROR if change.kind is None else Weight.WARNING
            yield finding(f"file {one.path}", change.found, change.kind, change.rule, fix=fix, weight=weight)
    if unread:
        found = f"{unread} settings or texts of which not all was read"
        fix = f"read them yourself: more than {TEXT_BYTES} bytes in one, or {ALL_BYTES} in all"
        yield finding("files", found, None, UNREAD, fix=fix, weight=Weight.WARNING)
