"""The files of an image, one by one: what their paths, their contents and their times tell. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from posixpath import dirname, join, normpath
from shlex import quote
from typing import Final

from profiles.context import StatusKind
from sandboxes.lint.contents import HOSTNAME_FILE, findings_in, is_wanted, source_time
from sandboxes.lint.finding import Finding, Weight, finding, one_line
from sandboxes.lint.paths import ENGINES, PathRule, rules_for
from sandboxes.lint.texts import TEXT_BYTES, OwnTexts, is_own_text
from sandboxes.lint.tree import CONTENT_BYTES, HEAD_BYTES, FileFact
from sandboxes.scrub.model import OwnValue

TELLS_NOTHING_BEFORE: Final = 946684800  # 2000-01-01T00:00:00Z; builders that normalise write earlier times
MOST_OF_A_RULE: Final = 20
TOUCH: Final = (
    "end the Dockerfile with RUN find / -xdev -newermt 2000-01-01 ! -path /dev ! -path /proc ! -path /sys "
    "-exec touch -h -d @315532800 {} +"
)
_COMPILE: Final = (
    "RUN python3 -m compileall -q -f --invalidation-mode unchecked-hash DIRECTORY, "
    "or pip install --no-compile"
)
_PROGRAMS: Final = (b"#!", b"\x7fELF")
_LEAST_OWN: Final = 4
_PATH_END: Final = "\0"


def wanted(path: str) -> int:
    """Return how many bytes of a file are to be read."""
    if path.endswith(".pyc"):
        return HEAD_BYTES
    if is_wanted(path) or any(rule.id == "stamp" for rule, _ in rules_for(path)):
        return CONTENT_BYTES
    return TEXT_BYTES if is_own_text(path) else 0


class _Times:
    """The newest of many times, and how many there are."""

    def __init__(self) -> None:
        self.count = 0
        self.newest = self.oldest = 0
        self.path = ""

    def add(self, at: int, path: str) -> None:
        if at < TELLS_NOTHING_BEFORE:
            return
        self.oldest = min(self.oldest or at, at)
        self.count += 1
        if at > self.newest:
            self.newest, self.path = at, path


class _Kept:
    """Findings, each thing once; of a rule that finds very much only the first, and how many more."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}
        self._more: Counter[str] = Counter()

    def add(self, one: Finding) -> None:
        key = (one.rule, one.where)
        if key in self._found:
            return
        if sum(rule == one.rule for rule, _ in self._found) < MOST_OF_A_RULE:
            self._found[key] = one
        else:
            self._more[one.rule] += 1

    def all(self) -> Iterator[Finding]:
        yield from self._found.values()
        for rule, count in self._more.items():
            first = next(one for (name, _), one in self._found.items() if name == rule)
            found = f"{count} more of rule {rule}"
            fix = "mend those above first"
            yield finding("files", found, first.kind, rule, fix=fix, weight=first.weight)


class ImageFiles:
    """Takes the files of one image and says what they tell of any deployment.

    Attributes:
        texts: what is left to be read by rules.
    """

    def __init__(self) -> None:
        self.texts = OwnTexts()
        self._kept = _Kept()
        self._paths: list[str] = []
        self._modified, self._compiled = _Times(), _Times()

    @property
    def paths(self) -> str:
        """The paths of all, each ended by a NUL, which no path holds: an image may have a million."""
        return "".join(f"{path}{_PATH_END}" for path in self._paths)

    def add(self, fact: FileFact) -> None:
        """Look at one file."""
        if ENGINES.match(fact.path):
            return
        if fact.path != HOSTNAME_FILE:  # its time is the engine's
            self._modified.add(fact.modified, fact.path)
        leads = fact.target and not fact.is_file
        self._paths.append(f"{fact.path} -> {fact.target}" if leads else fact.path)
        if not fact.is_file:
            self._bare(fact)
            return
        if fact.path.endswith(".pyc"):
            self._compiled.add(source_time(fact.content) or 0, fact.path)
        for one in findings_in(fact.path, fact.content) if is_wanted(fact.path) else ():
            self._kept.add(one)
        for rule, matched in rules_for(fact.path):
            self._by_path(rule, matched, fact)
        self.texts.add(fact)

    def findings(self) -> Iterator[Finding]:
        """Yield what they tell, each thing once."""
        yield from self._kept.all()
        yield from _told_by(self._modified, "file-times", TOUCH)
        yield from _told_by(self._compiled, "byte-code-times", _COMPILE)

    def _bare(self, fact: FileFact) -> None:
        """Look at a directory or a link: by its name, and by where it leads."""
        for rule, matched in rules_for(fact.path):
            if rule.bare:
                self._by_path(rule, matched, fact)
        leads = normpath(join(dirname(fact.path), fact.target))
        for rule, matched in rules_for(leads) if fact.target else ():
            if rule.bare:
                fix = f"let it lead to a constant name: ln -sfn TARGET {quote(fact.path)}"
                where = f"link {fact.path}"
                self._kept.add(finding(where, matched, rule.kind, rule.id, fix=fix, weight=rule.weight))

    def _by_path(self, rule: PathRule, matched: str, fact: FileFact) -> None:
        if rule.id == "stamp" and _says_nothing(fact):
            return
        if rule.id in {"log", "machine-id"} and fact.size <= 1:
            return
        found = one_line(fact.content.decode(errors="replace")) or matched.rpartition("/")[2]
        fix = rule.fix.format(path=quote(matched))
        self._kept.add(finding(f"file {matched}", found, rule.kind, rule.id, fix=fix, weight=rule.weight))


def own_in_paths(paths: str, own: Sequence[OwnValue]) -> Iterator[Finding]:
    """Yield where a deployment's own values stand in paths.

    Args:
        paths: as `ImageFiles.paths` gives them.
        own: the values; the very short ones could be anything.
    """
    lower, kept = paths.lower(), _Kept()
    fix = "rename it: an agent can list the files of its box"
    for value in own:
        text = value.value.lower()
        if len(text) >= _LEAST_OWN and text in lower:
            for path in paths.split(_PATH_END):
                if text in path.lower():
                    where = f"file {path}"
                    kept.add(finding(where, text, None, value.what, fix=fix, weight=Weight.ERROR))
    yield from kept.all()


def _says_nothing(fact: FileFact) -> bool:
    """Whether a stamp is empty or a program; a builder may have marked every file as executable."""
    return not (fact.content.strip() or fact.target) or fact.content.startswith(_PROGRAMS)


def _told_by(times: _Times, rule: str, fix: str) -> Iterator[Finding]:
    if times.count:
        newest, oldest = (datetime.fromtimestamp(at, UTC).isoformat() for at in (times.newest, times.oldest))
        span = f"all of {newest}" if newest == oldest else f"up to {newest} ({times.path})"
        found = f"{times.count} files with times of their own, {span}"
        yield finding("files", found, StatusKind.RELEASE, rule, fix=fix, weight=Weight.WARNING)
