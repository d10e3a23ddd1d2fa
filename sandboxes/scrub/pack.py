"""A pack of rules, compiled: one pass says which rules find anything, then each of those is asked where."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from profiles.context import StatusKind
from sandboxes.errors import PackError
from sandboxes.scrub.examples import check_examples
from sandboxes.scrub.fields import FieldTable, normal_name
from sandboxes.scrub.gate import Gate
from sandboxes.scrub.kept import Kept, kept_place, read_kept
from sandboxes.scrub.matcher import Hit, compiled, field_matcher, line_at, matcher_of, sentence_at
from sandboxes.scrub.members import MemberWeigher, Record, read_members
from sandboxes.scrub.model import NAMES
from sandboxes.scrub.needed import Needs
from sandboxes.scrub.rules import FieldRule, PackFile, TextRule, files_of, read_file, spelled_out, words_of
from sandboxes.scrub.sentences import one_a_line
from sandboxes.scrub.view import view_of
from sandboxes.scrub.weighing import Weigher, read_weights

SHIPPED = Path(__file__).parent / "packs"
_COMPILING = Lock()
_BEFORE = 600  # characters in which what a rule comes after is looked for
_PARAGRAPH = re.compile(rb"\n[ \t]*\n")


class Pack:
    """Compiled rules."""

    def __init__(
        self,
        files: Sequence[PackFile],
        weigher: Weigher | None = None,
        members: MemberWeigher | None = None,
        kept: Kept | None = None,
        *,
        tried: bool = False,
    ) -> None:
        """Compile them.

        Args:
            files: the rules.
            weigher: weighs the words of sentences.
            members: weighs members of JSON.
            kept: what was found out before of what patterns need.
            tried: whether all are known to be RE2 syntax; then each is compiled when it is first asked.

        Raises:
            PackError: two rules have one id, or a pattern is not RE2 syntax.
        """
        self.texts = tuple(rule for file in files for rule in file.rules)
        self.fields = tuple(rule for file in files for rule in file.fields)
        _check_ids([*(rule.id for rule in self.texts), *(rule.id for rule in self.fields)])
        self._weigher, self._members = weigher, members
        words = words_of(files)
        needs, kept = Needs(words), kept or Kept()
        texts = [matcher_of(rule, one, words, needs, kept) for rule in self.texts for one in rule.patterns]
        fields = [field_matcher(rule, words) for rule in self.fields]
        for matcher in () if tried else (*texts, *fields):
            matcher.check()
        self.gate = Gate(texts, fields)
        self.table = FieldTable(
            _by_name(self.fields),
            frozenset(normal_name(n) for rule in self.fields if rule.within for n in rule.names),
            frozenset(normal_name(n) for rule in self.fields if rule.around for n in rule.names),
        )
        self._values = tuple(compiled(r, f"(?:{spelled_out(r.value, words, r.id)})") for r in self.fields)
        self._unless = {r.id: _all_of(r, r.unless, words) for r in self.fields}
        self._beside = {r.id: _all_of(r, r.beside, words) for r in self.fields if r.beside}
        self._after = {r.id: _all_of(r, r.after, words) for r in self.texts if r.after}

    @lru_cache(maxsize=2048)  # noqa: B019 packs live as long as the process; histories and tool lists come again
    def find(self, data: bytes) -> tuple[Hit, ...]:
        """Return what the rules find in a view, in no order, wherever they apply.

        Raises:
            ScanError: the text could not be scanned to its end.
        """
        hits = [hit for hit in self.gate.find(data) if self._follows(hit, data) and self._stands(hit, data)]
        for clause in [hit for hit in hits if isinstance(hit.rule, TextRule) and hit.rule.first]:
            first, last = line_at(data, clause.start, clause.end)
            if not any(self.gate.find(data[first : clause.start] + data[clause.end : last])):
                hits = [
                    hit for hit in hits if hit.rule is clause.rule or hit.end <= first or hit.start >= last
                ]
        return tuple(hits)

    def _stands(self, hit: Hit, data: bytes) -> bool:
        """Whether the words of a sentence do not speak against what was found in it."""
        return self._weigher is None or not self._weigher.denies(hit.rule.id, data, hit.start)

    @lru_cache(maxsize=2048)  # noqa: B019 as above
    def weighed(self, data: bytes) -> tuple[Hit, ...]:
        """Return the sentences of a view that tell by their words, whatever the rules find in them."""
        found = self._weigher.find(one_a_line(data)) if self._weigher else ()
        return tuple(Hit(*sentence_at(data, first, last - 1), rule) for first, last, rule in found)

    def _follows(self, hit: Hit, data: bytes) -> bool:
        """Whether what a rule comes after stands in the paragraph, up to the end of what was found."""
        if isinstance(hit.rule, FieldRule):
            first, last = line_at(data, hit.start, hit.end)
            return self._is_beside(hit.rule, lambda: data[first:last])
        if hit.rule.id not in self._after:
            return True
        before = _PARAGRAPH.split(data[max(hit.start - _BEFORE, 0) : hit.end])[-1]
        return any(pattern.search(before) for pattern in self._after[hit.rule.id])

    def fields_of(
        self, path: tuple[str, ...], value: bytes, record: Callable[[], bytes] = bytes
    ) -> Iterator[FieldRule]:
        """Yield the rules by which a member's value tells.

        Args:
            path: names that it stands in, outermost first; its own is the last.
            value: the value.
            record: returns the words of the record that it stands in, for rules that ask what is beside it.
        """
        candidates = self._candidates(path[-1], path[:-1][-2:])
        rules = (self.fields[index] for index in candidates if self._is(index, value))
        return (rule for rule in rules if self._is_beside(rule, record))

    def _is(self, index: int, value: bytes) -> bool:
        return self._values[index].fullmatch(value) is not None

    def _is_beside(self, rule: FieldRule, record: Callable[[], bytes]) -> bool:
        """Whether what a rule of fields asks for stands beside the field."""
        asked = self._beside.get(rule.id)
        return asked is None or any(pattern.search(record()) for pattern in asked)

    @lru_cache(maxsize=4096)  # noqa: B019 packs live as long as the process; names of members come again
    def _candidates(self, name: str, path: tuple[str, ...]) -> tuple[int, ...]:
        return self.table.rules_of(name, path)

    def excused(self, rule: FieldRule, line: bytes) -> bool:
        """Return whether a line has what a rule is not about."""
        return any(pattern.search(line) for pattern in self._unless[rule.id])

    def asks(self, path: tuple[str, ...]) -> bool:
        """Return whether any rule knows a name, the last of a path of names."""
        return bool(self._candidates(path[-1], path[:-1][-2:]))

    def told(self, path: tuple[str, ...], value: str, record: Record) -> FieldRule | TextRule | None:
        """Return the rule by which a member's name tells, unless its weight speaks against it.

        Args:
            path: names that it stands in, outermost first; its own is the last.
            value: its value, as text.
            record: the records that it stands in.
        """
        for rule in self.fields_of(path, view_of(value).data, lambda: record.words):
            if self._members is None or not self._members.denies(rule.id, path, value, record):
                return rule
        return self.named(path[-1])

    def weighed_member(self, path: tuple[str, ...], value: str, record: Record) -> FieldRule | None:
        """Return the rule by which a member tells because of its weight; arguments as of `told`."""
        if self._members is None:
            return None
        return self._members.rule(path, value, record)

    @lru_cache(maxsize=4096)  # noqa: B019 packs live as long as the process; names of members come again
    def named(self, name: str) -> FieldRule | TextRule | None:
        """Return the rule that knows a member's name as that of a variable, an attribute or a header.

        Raises:
            ScanError: the name could not be scanned to its end.
        """
        data = view_of(name).data
        hits = (hit for hit in self.find(data) if hit.rule.kind in NAMES)
        return next((hit.rule for hit in hits if hit.end - hit.start == len(data)), None)

    def ids_in(self, text: str) -> frozenset[str]:
        """Return the ids of the rules that find anything in a text; errors as of `find`."""
        return frozenset(hit.rule.id for hit in self.find(view_of(text).data))

    def kinds(self) -> frozenset[StatusKind]:
        """Return the kinds that have a rule."""
        return frozenset({*(rule.kind for rule in self.texts), *(rule.kind for rule in self.fields)})


def _all_of(rule: TextRule | FieldRule, patterns: Sequence[str], words: Mapping[str, str]) -> tuple[Any, ...]:
    return tuple(compiled(rule, spelled_out(one, words, rule.id)) for one in patterns)


def _by_name(fields: Sequence[FieldRule]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for index, rule in enumerate(fields):
        for name in dict.fromkeys(map(normal_name, rule.names)):
            found[name] = (*found.get(name, ()), index)
    return found


def _check_ids(ids: list[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise PackError(f"rule {name!r}: two rules have this id; give one of them another")
        seen.add(name)


def load_packs(paths: Sequence[Path] = ()) -> Pack:
    """Return the shipped rules and those of other directories or files.

    Args:
        paths: files, or directories whose `*.yaml` files are read in the order of their names.

    Raises:
        PackError: a file cannot be read, or a rule is wrong or does not find what it says; the message names
            both. The shipped ones are held to that by tests.
    """
    own = [(file, read_file(file)) for path in paths for file in files_of(path)]
    files = [*(read_file(file) for file in files_of(SHIPPED)), *(file for _, file in own)]
    place = kept_place()
    kept = read_kept(place)
    pack = Pack(files, read_weights(), read_members(), kept, tried=not paths)
    check_examples(own, pack.ids_in)
    if not paths and not sys.dont_write_bytecode:
        kept.keep(place)
    return pack


def shipped_pack() -> Pack:
    """Return the pack that is shipped, compiled once; who asks while it is being compiled waits for it."""
    with _COMPILING:
        return _shipped()


@cache
def _shipped() -> Pack:
    return load_packs()
