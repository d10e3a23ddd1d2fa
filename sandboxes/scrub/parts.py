"""A part of a text that is encoded, and how what it says is put back into it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sandboxes.scrub.changes import apply
from sandboxes.scrub.model import Change


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is encoded: where it is, what it says, and how to say something else in its way.

    Attributes:
        start: where it begins in the text.
        end: where it ends.
        found: the part as it stands there.
        plain: what it says.
        encode: says something in its way.
        said: where, in what it says, each encoded character ends; None where it spells all of them together.
        spelled: where each of them ends in the part.
    """

    start: int
    end: int
    found: str
    plain: str
    encode: Callable[[str], str]
    said: Sequence[int] | None = None
    spelled: Sequence[int] = ()

    def after(self, changes: Sequence[Change]) -> str:
        """Return the part after changes of what it says; what is not changed is spelled as it was."""
        if self.said is None:
            return self.encode(apply(self.plain, changes))
        return apply(self.found, [self._as_spelled(change, self.said) for change in changes])

    def changes(self, inner: Sequence[Change]) -> Iterator[Change]:
        """Yield changes of what it says as changes of the text it is a part of."""
        if self.said is None:
            put = self.encode(apply(self.plain, inner))
            yield from [Change(None, one.rule, self.start, self.end, self.found, put) for one in inner[:1]]
            return
        for one in inner:
            spelled = self._as_spelled(one, self.said)
            start, end = self.start + spelled.start, self.start + spelled.end
            yield replace(spelled, start=start, end=end, found=self.found[spelled.start : spelled.end])

    def _as_spelled(self, change: Change, said: Sequence[int]) -> Change:
        """A change of what it says as one of the part."""
        start, end = (self._place(place, said) for place in (change.start, change.end))
        put = None if change.put is None else self.encode(change.put)
        return replace(change, start=start, end=end, put=put)

    def _place(self, place: int, said: Sequence[int]) -> int:
        ended = bisect_right(said, place) - 1
        return place if ended < 0 else self.spelled[ended] + place - said[ended]
