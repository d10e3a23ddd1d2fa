"""The scrubber of one run: its own values everywhere, general kinds as place and profile say."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from profiles.context import ContextRules, StatusKind, Treatment
from sandboxes.errors import ScrubError
from sandboxes.scrub.changes import apply, balanced, chosen, composed, fitted, with_blank
from sandboxes.scrub.encoded import encoded_parts, under_way
from sandboxes.scrub.layout import laid_out
from sandboxes.scrub.listed import listed
from sandboxes.scrub.matcher import Hit
from sandboxes.scrub.model import Change, OwnValue, Place, Scrubbed, treatment_of
from sandboxes.scrub.own import OwnValues
from sandboxes.scrub.pack import Pack, shipped_pack
from sandboxes.scrub.patterns import ScanError
from sandboxes.scrub.rules import FieldRule, TextRule
from sandboxes.scrub.stream import Passing, Stream
from sandboxes.scrub.tree import JsonValue, Tree, restored_tree
from sandboxes.scrub.view import view_of

_BLOCK = 4096  # characters that are looked through at once, so that few rules are asked about much text
_DEPTH = 3  # encodings within encodings
_ROUNDS = 6  # what is put may make another rule find something
_RECURRING = 24  # characters: names of members and words of protocols come at every call
_REMEMBERED = 4096
_ALL_KINDS = (Place.SYSTEM, Place.HEADER)


class Scrubber:
    """Scrubs all that goes to one run. Of what it saw it keeps only which short texts tell nothing."""

    def __init__(self, own: Sequence[OwnValue], rules: ContextRules, pack: Pack | None = None) -> None:
        """Prepare it.

        Args:
            own: the values that nobody inside may see.
            rules: what the profile says of general kinds.
            pack: the rules of general kinds; the shipped ones where none are given.
        """
        self._own = OwnValues(own)
        self._rules = rules
        self._keeps_all = set(StatusKind) <= set(rules.keep)
        self.pack = pack or shipped_pack()
        self._harmless: set[tuple[str, Place]] = set()

    def text(self, text: str, place: Place) -> Scrubbed[str]:
        """Return a text as it may be seen.

        Raises:
            ScrubError: it could not be scrubbed to its end; it may not be shown.
        """
        if (text, place) in self._harmless:
            return Scrubbed(text)
        try:
            changes = self._changes(text, place)
        except ScanError as error:
            raise ScrubError(f"a text of {len(text)} characters was not scrubbed: {error}") from error
        if not changes and len(text) <= _RECURRING:
            self._remember(text, place)
        return Scrubbed(apply(text, changes), tuple(changes), held=self._held(changes, place))

    def json(self, value: JsonValue, place: Place) -> Scrubbed[JsonValue]:
        """Return a JSON value as it may be seen: fields by name, texts by rules, numbers and shape kept.

        Raises:
            ScrubError: it could not be scrubbed to its end; it may not be shown.
        """
        try:
            tree = Tree(self, place)
            seen = tree.value(value)
        except ScanError as error:
            raise ScrubError(f"a JSON value was not scrubbed: {error}") from error
        return Scrubbed(seen, tuple(tree.changes), held=self._held(tree.changes, place))

    def headers(self, headers: Mapping[str, str]) -> Scrubbed[dict[str, str]]:
        """Return headers as they may be seen: those that tell by their name are left out.

        Raises:
            ScrubError: they could not be scrubbed to the end; they may not be shown.
        """
        kept: dict[str, str] = {}
        changes: list[Change] = []
        for name, value in headers.items():
            line = f"{name}: {value}"
            if any(change.start < len(name) for change in self.text(line, Place.HEADER).changes):
                changes.append(Change(StatusKind.HEADER, "header", 0, len(line), line, ""))
                continue
            seen = self.text(value, Place.HEADER)
            kept[name] = seen.value
            changes += seen.changes
        return Scrubbed(kept, tuple(changes))

    def restore(self, value: JsonValue) -> JsonValue:
        """Return arguments with this deployment's own values in place of their surrogates."""
        return restored_tree(value, self._restored)

    def stream(self, place: Place) -> Stream:
        """Return a scrubber of one stream of text."""
        if self.treatment(place) is Treatment.FLAG:
            return Passing(self.text, place, self._held_back, self._own_alone)
        return Stream(self.text, place, self._held_back)

    def treatment(self, place: Place) -> Treatment:
        """Return what is done with general kinds at a place."""
        return treatment_of(place, self._rules)

    def kept(self, kind: StatusKind, place: Place) -> bool:
        """Return whether a kind is left alone at a place."""
        return place not in _ALL_KINDS and kind in self._rules.keep

    def put(self, put: str, place: Place) -> str | None:
        """Return what a change puts at a place; None where it only flags."""
        return None if self.treatment(place) is Treatment.FLAG else put

    def _remember(self, text: str, place: Place) -> None:
        if len(self._harmless) >= _REMEMBERED:
            self._harmless.clear()
        self._harmless.add((text, place))

    def _held(self, changes: Sequence[Change], place: Place) -> bool:
        return self.treatment(place) is Treatment.HOLD and any(change.kind is not None for change in changes)

    def _changes(self, text: str, place: Place) -> list[Change]:
        changes = self._round(text, place)
        for _ in range(0 if self.treatment(place) is Treatment.FLAG else _ROUNDS):
            if not any(change.put is not None for change in changes):
                break
            more = [change for change in self._round(apply(text, changes), place) if change.put is not None]
            if not more:
                break
            changes = composed(text, changes, more)
        return changes

    def _round(self, text: str, place: Place) -> list[Change]:
        general = () if self._keeps_all and place not in _ALL_KINDS else self._general(text, place, _DEPTH)
        return chosen([*self._own_changes(text, _DEPTH), *general], len(text))

    def _own_changes(self, text: str, depth: int) -> list[Change]:
        """Own values of a text, and those that only show where what is encoded in it is decoded."""
        return [*_within(text, self._own.find, depth)] if self._own else []

    def _own_alone(self, text: str) -> list[Change]:
        return chosen(self._own_changes(text, _DEPTH), len(text))

    def _held_back(self, text: str) -> int:
        """Return from where on a text may go on into an own value, in whatever spelling."""
        return self._own.held_back(text[: under_way(text)]) if self._own else len(text)

    def _restored(self, text: str) -> str:
        return apply(text, chosen([*_within(text, self._own.surrogates, _DEPTH)], len(text)))

    def _general(self, text: str, place: Place, depth: int) -> list[Change]:
        found: list[Change] = []
        for start, block in blocks(text):
            view = view_of(block)
            for hit in self._hits(view.data, place):
                if not self.kept(hit.rule.kind, place):
                    first, last = view.origin(hit.start), view.origin_of_end(hit.end)
                    first, last = balanced(block, first, last) if view.marked else (first, last)
                    if not _is_put(hit, block[first:last]):
                        found.append(self._change(hit, text, first + start, last + start, place))
        found += [*self._laid_out(text, place), *self._listed(text, place)]
        return [*found, *(self._encoded(text, place, depth) if depth else ())]

    def _hits(self, data: bytes, place: Place) -> list[Hit]:
        """What the rules of a place find in a view, and the sentences that tell by their words.

        Out of some sentences a clause is enough; what is left of them is weighed when it is gone. What is
        only noted is noted as exactly as it is known.
        """
        hits = [hit for hit in self.pack.find(data) if place in hit.rule.where]
        flags = self.treatment(place) is Treatment.FLAG
        enough = [hit for hit in hits if flags or (isinstance(hit.rule, TextRule) and hit.rule.first)]
        weighed = (hit for hit in self.pack.weighed(data) if place in hit.rule.where)
        return hits + [one for one in weighed if not any(_meet(one, hit) for hit in enough)]

    def _laid_out(self, text: str, place: Place) -> list[Change]:
        """Fields that have their names from columns, sections, and the lines above."""
        changes = []
        for laid in laid_out(text, self.pack.asks):
            found = text[laid.start : laid.end]
            rule = next(self.pack.fields_of(laid.path, view_of(found).data), None) if found else None
            if rule is None or found == rule.put or self.kept(rule.kind, place):
                continue
            first, last = text.rfind("\n", 0, laid.start) + 1, text.find("\n", laid.end)
            if not self.pack.excused(rule, view_of(text[first : last if last >= 0 else len(text)]).data):
                put = self.put(rule.put, place)
                changes.append(Change(rule.kind, rule.id, laid.start, laid.end, found, put))
        return changes

    def _listed(self, text: str, place: Place) -> Iterator[Change]:
        """Lines of `name: value` that tell by their weight."""
        for laid, record in listed(text):
            found = text[laid.start : laid.end]
            rule = self.pack.weighed_member(laid.path, found, record)
            if rule is not None and place in rule.where and not self.kept(rule.kind, place):
                yield Change(rule.kind, rule.id, laid.start, laid.end, found, self.put(rule.put, place))

    def _change(self, hit: Hit, text: str, start: int, end: int, place: Place) -> Change:
        put = self.put(fitted(hit.rule.put, text, start), place)
        end = with_blank(text, start, end) if put == "" else end
        return Change(hit.rule.kind, hit.rule.id, start, end, text[start:end], put)

    def _encoded(self, text: str, place: Place, depth: int) -> Iterator[Change]:
        """What general rules find in what is encoded; own values in it go with that."""
        for part in encoded_parts(text):
            general = self._general(part.plain, place, depth - 1)
            if general:
                inner = chosen([*self._own_changes(part.plain, depth - 1), *general], len(part.plain))
                put = None if general[0].put is None else part.after(inner)
                yield Change(general[0].kind, general[0].rule, part.start, part.end, part.found, put)


def _within(text: str, find: Callable[[str], Sequence[Change]], depth: int) -> Iterator[Change]:
    """Yield what is found in a text and in what is encoded in it."""
    yield from find(text)
    for part in encoded_parts(text) if depth else ():
        inner = chosen([*_within(part.plain, find, depth - 1)], len(part.plain))
        yield from part.changes(inner)


def _meet(one: Hit, other: Hit) -> bool:
    return one.start < other.end and other.start < one.end


def _is_put(hit: Hit, found: str) -> bool:
    """Whether a field has what is put there and words after it, which would go a few at each reading."""
    return isinstance(hit.rule, FieldRule) and hit.rule.put != "" and found.startswith(f"{hit.rule.put} ")


def blocks(text: str) -> list[tuple[int, str]]:
    """Return a text in blocks that end at an empty line or, where there is none for long, at a line's end."""
    if len(text) <= _BLOCK:
        return [(0, text)]
    cut: list[tuple[int, str]] = []
    start = 0
    while start < len(text):
        end = _block_end(text, start)
        cut.append((start, text[start:end]))
        start = end
    return cut


def _block_end(text: str, start: int) -> int:
    limit = start + _BLOCK
    if limit >= len(text):
        return len(text)
    for mark in ("\n\n", "\n", ". ", " "):
        found = text.rfind(mark, start + _BLOCK // 2, limit)
        if found >= 0:
            return found + len(mark)
    return limit


def suggest(text: str) -> str:
    """Return a prompt as it could be written instead: nothing in it tells status."""
    return Scrubber((), ContextRules()).text(text, Place.SYSTEM).value
