"""Which of the changes that were found stand, and the text after them."""

import re
from collections.abc import Sequence

from sandboxes.scrub.model import Change

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)(?:\s[^<>]*)?>")
_LONGEST_TAG = 120  # characters


def chosen(changes: Sequence[Change], length: int) -> list[Change]:
    """Return changes in order, none over another: the longest first, then the earliest.

    An own value that is found always goes: a general finding that overlaps it without covering it gives way.
    A finding that is only flagged takes no room from an own value.
    """
    if not changes:
        return []
    own = [change for change in changes if change.kind is None]
    sound = [change for change in changes if change.kind is None or not any(_cuts(change, o) for o in own)]
    taken, flagged = bytearray(length), bytearray(length)
    kept = []
    for change in sorted(sound, key=lambda change: (change.start - change.end, change.start)):
        room = flagged if change.put is None else taken
        if not any(room[change.start : change.end]):
            kept.append(change)
            room[change.start : change.end] = b"\x01" * (change.end - change.start)
    return sorted(kept, key=lambda change: (change.start, change.end))


def _cuts(change: Change, own: Change) -> bool:
    if change.put is None:  # what goes anyway needs no flag
        return own.start <= change.start and change.end <= own.end
    overlap = change.start < own.end and own.start < change.end
    covered = change.start <= own.start and own.end <= change.end
    return overlap and not covered


def composed(text: str, first: Sequence[Change], second: Sequence[Change]) -> list[Change]:
    """Return changes of a text that do what two rounds do, the second on the text after the first."""
    done = [change for change in first if change.put is not None]
    joined = [change for change in first if change.put is None]
    for later in (change for change in second if change.put is not None):
        start, before = _origin(done, later.start, end=False)
        end, after = _origin(done, later.end, end=True)
        put = f"{before}{later.put}{after}"
        joined.append(Change(later.kind, later.rule, start, end, text[start:end], put))
    new = joined[-len(second) :] if second else []
    joined += [c for c in done if not any(n.start <= c.start and c.end <= n.end for n in new)]
    return sorted(joined, key=lambda change: (change.start, change.end))


def _origin(done: Sequence[Change], place: int, *, end: bool) -> tuple[int, str]:
    """Where in the text a place after the changes is, and what was put on its far side there."""
    shift = 0
    for change in done:
        put = change.put or ""
        begins = change.start + shift
        if place < begins or (end and place == begins):
            break
        if place < begins + len(put):
            inside = place - begins
            return (change.end, put[inside:]) if end else (change.start, put[:inside])
        shift += len(put) - (change.end - change.start)
    return place - shift, ""


def balanced(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch with the other half of the emphasis that it has half of."""
    for mark in ("**", "__", "`", "*"):
        if text.count(mark, start, end) % 2:
            size = len(mark)
            if text[start - size : start] == mark:
                start -= size
            elif text[end : end + size] == mark:
                end += size
    return _whole_tags(text, start, end)


def _whole_tags(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch with the tags right beside it whose other halves stand in it."""
    opened: list[str] = []
    for tag in _TAG.finditer(text, start, end):
        closes, name = tag.groups()
        if not closes:
            opened.append(name)
        elif opened[-1:] == [name]:
            opened.pop()
        elif before := re.search(rf"<{name}(?:\s[^<>]*)?>$", text[max(start - _LONGEST_TAG, 0) : start]):
            start -= len(before[0])
    for name in reversed(opened):
        closing = f"</{name}>"
        end += len(closing) if text.startswith(closing, end) else 0
    return start, end


def apply(text: str, changes: Sequence[Change]) -> str:
    """Return the text with every change that puts something made."""
    parts: list[str] = []
    last = 0
    for change in changes:
        if change.put is not None:
            parts += (text[last : change.start], change.put)
            last = change.end
    return "".join((*parts, text[last:]))


def with_blank(text: str, start: int, end: int) -> int:
    """Return where a sentence ends that is taken out: the blank after it goes with it."""
    gone = text[end : end + 1] in (" ", "\t") and (start == 0 or text[start - 1].isspace())
    return end + 1 if gone else end


_ARTICLE = re.compile(r"^(?:the|an?) ")
_DETERMINED = re.compile(r"\b(?:the|an?|your|our|this|its|their|that|each|every|any|no) $", re.IGNORECASE)
_OPENED = re.compile(r"(?:^|[.!?:\n])[\s>#*-]*$")


def fitted(put: str, text: str, start: int) -> str:
    """Return what is put as it reads at its place: no second article, a capital at a beginning."""
    before = text[max(start - 12, 0) : start]
    if _DETERMINED.search(before):
        put = _ARTICLE.sub("", put)
    begins = text[start : start + 1].isupper() and text[start + 1 : start + 2].islower()
    return put[:1].upper() + put[1:] if begins and _OPENED.search(before) else put
