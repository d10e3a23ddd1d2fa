"""A text that comes in pieces: what may still become something that tells is held back, and nothing else."""

import re
from collections.abc import Callable, Sequence

from sandboxes.scrub.changes import apply
from sandboxes.scrub.model import Change, Place, Scrubbed
from sandboxes.scrub.own import LOOK_BACK

# No finding goes across: a sentence has ended and more has come, or a line is empty.
_SAFE = re.compile(r"[.!?][\"')\]*_]*[ \t](?=\S)|\n[ \t]*\n(?=\S)")
_PARAGRAPH = re.compile(r"\n[ \t]*\n(?=\S)")
_MOST_HELD = 4000  # characters; a stream without any end of a sentence is cut here
_LOOK_BACK = 64  # characters; an empty line is not longer


class Stream:
    """Scrubs one stream. What comes out is the same however the text was cut."""

    def __init__(
        self, scrub: Callable[[str, Place], Scrubbed[str]], place: Place, held_back: Callable[[str], int]
    ) -> None:
        """Begin a stream.

        Args:
            scrub: scrubs a whole text.
            place: where the stream stands.
            held_back: from where on a text may go on into an own value.
        """
        self._scrub = scrub
        self._place = place
        self._held_back = held_back
        self._text = ""  # of the paragraph that is under way, as it came
        self._sent = 0  # how much of it is out
        self._before = 0  # where it begins in the stream
        self.changes: list[Change] = []
        self.held = False

    def feed(self, piece: str) -> str:
        """Return what may go out after another piece.

        Raises:
            ScrubError: it could not be scrubbed; the stream may not go on.
        """
        self._text += piece
        end = self._safe()
        return self._until(end) if end > self._sent else ""

    def end(self) -> str:
        """Return the rest.

        Raises:
            ScrubError: it could not be scrubbed; it may not be shown.
        """
        out = self._until(len(self._text), last=True)
        self._text, self._sent = "", 0
        return out

    def _safe(self) -> int:
        end = 0
        for match in _SAFE.finditer(self._text, max(self._sent - 8, 0)):
            end = match.end()
        if end <= self._sent and len(self._text) - self._sent > _MOST_HELD:
            return self._sent + (self._held_back(self._text[self._sent :]) or _MOST_HELD)
        return end

    def _until(self, end: int, *, last: bool = False) -> str:
        seen = self._scrub(self._text, self._place)
        crossing = [c.start for c in seen.changes if c.put is not None and c.start < end < c.end]
        end = min(crossing, default=end) if not last else end
        if end <= self._sent and not last:
            return ""
        made = [c for c in seen.changes if self._sent <= c.start and c.end <= end]
        out = _between(self._text, made, self._sent, end)
        self._sent = end
        self._forget(seen, last=last)
        return out

    def _forget(self, seen: Scrubbed[str], *, last: bool) -> None:
        """Let go of what is out, up to the beginning of the paragraph that is under way."""
        start = _last_end(_PARAGRAPH, self._text, 0, self._sent)
        if last or self._sent - start > _MOST_HELD:
            start = self._sent
        if start:
            self._keep(seen, start)

    def _keep(self, seen: Scrubbed[str], start: int) -> None:
        done = [c for c in seen.changes if c.start < start]
        self.changes += [_moved(change, self._before) for change in done]
        self.held = self.held or (seen.held and any(change.kind is not None for change in done))
        self._text, self._sent = self._text[start:], self._sent - start
        self._before += start


class Passing(Stream):
    """Scrubs one stream in which general kinds pass: only own values hold it up.

    What tells is looked for when a paragraph is complete, once; own values at once, in what is not out yet.
    """

    def __init__(
        self,
        scrub: Callable[[str, Place], Scrubbed[str]],
        place: Place,
        held_back: Callable[[str], int],
        own: Callable[[str], Sequence[Change]],
    ) -> None:
        """Begin a stream.

        Args:
            scrub: scrubs a whole text.
            place: where the stream stands.
            held_back: from where on a text may go on into an own value.
            own: finds own values in a text, in order, none over another.
        """
        super().__init__(scrub, place, held_back)
        self._own = own

    def feed(self, piece: str) -> str:
        """Return what may go out after another piece.

        Raises:
            ScrubError: it could not be scrubbed; the stream may not go on.
        """
        self._text += piece
        begun = max(self._sent - _LOOK_BACK, 0)
        out = self._out(self._free())
        start = _last_end(_PARAGRAPH, self._text, begun, self._sent)
        if not start and self._sent > _MOST_HELD:
            start = _last_end(_SAFE, self._text, 0, self._sent) or self._sent
        if start:
            self._keep(self._scrub(self._text[:start], self._place), start)
        return out

    def end(self) -> str:
        """Return the rest.

        Raises:
            ScrubError: it could not be scrubbed; it may not be shown.
        """
        out = self._out(len(self._text))
        self._keep(self._scrub(self._text, self._place), len(self._text))
        return out

    def _free(self) -> int:
        """Return where what can go out ends; of what would be held back too long, the first half goes."""
        held = self._sent + self._held_back(self._text[self._sent :])
        if len(self._text) - held <= _MOST_HELD:
            return held
        cut = held + _MOST_HELD // 2
        line = self._text.rfind("\n", held, cut) + 1
        return line or cut

    def _out(self, end: int) -> str:
        """Nothing that begins in what is out can go on: it would have been held back."""
        if end <= self._sent:
            return ""
        own = self._found(len(self._text))
        first = min((c.start for c in own if c.start < end < c.end), default=end)
        if first <= self._sent and len(self._text) - self._sent > _MOST_HELD:
            own = self._found(end)  # it was held too long: as if the text ended there
        else:
            end = first
        out = _between(self._text, [c for c in own if c.end <= end], self._sent, end)
        self._sent = max(end, self._sent)
        return out

    def _found(self, stop: int) -> list[Change]:
        """Return the own values that begin in what is not out."""
        start = max(self._sent - LOOK_BACK, 0)
        found = (_moved(change, start) for change in self._own(self._text[start:stop]))
        return [change for change in found if change.start >= self._sent]


def _last_end(pattern: re.Pattern[str], text: str, start: int, stop: int) -> int:
    """Where the last match ends that ends before a place, or 0."""
    ends = [match.end() for match in pattern.finditer(text, start, stop + 1)]
    return max((end for end in ends if end <= stop), default=0)


def _between(text: str, made: list[Change], start: int, end: int) -> str:
    return apply(text[start:end], [_moved(change, -start) for change in made])


def _moved(change: Change, by: int) -> Change:
    return Change(change.kind, change.rule, change.start + by, change.end + by, change.found, change.put)
