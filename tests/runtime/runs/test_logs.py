"""An engine's stream of a log may end early or skip; what is left of an agent's output is not lost for it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.runs.logs import LOG_KEPT_BYTES, MARK_BYTES, Place, RunLogs
from sandboxes.driver import Phase
from sandboxes.errors import BoxGoneError, EngineRefusedError

WRITTEN = [b"hello\n", b"no line end"]


class EarlyEngine:
    """Ends a followed log after its first piece, as an engine under load does; `gone` has no box any more.

    A box that is `live` so often runs on after that, and writes a line before each time that it is asked.
    Where it `refuses`, the log is followed by nobody: the box was being removed, or the engine is in trouble.
    """

    def __init__(self, *, gone: bool = False, live: int = 0, refuses: bool = False) -> None:
        self.gone = gone
        self.refuses = refuses
        self.live = live
        self.more: list[bytes] = []

    def inspect(self, box: Any) -> Any:
        del box
        if self.gone:
            raise BoxGoneError("box: gone")
        self.live -= 1
        self.more += [b"\nstill here"] if self.live >= 0 else []
        return SimpleNamespace(phase=Phase.RUNNING if self.live >= 0 else Phase.EXITED)

    def logs(self, box: Any, *, follow: bool = False) -> Iterator[bytes]:
        del box
        if follow and self.refuses:
            raise EngineRefusedError("box: the engine answered 409")
        if follow:
            yield WRITTEN[0]
        elif self.gone:
            raise BoxGoneError("box: gone")
        else:
            yield from (*WRITTEN, *self.more)


class Kept(RunLogs):
    """Has the record's tail at hand."""

    def _kept(self, run: str) -> bytes:
        return b"".join(WRITTEN) if run == "run-1" else b""


@pytest.mark.parametrize("gone", [False, True])
def test_the_last_words_are_asked_for_after_a_stream_that_ended_early(*, gone: bool) -> None:
    logs = Kept(Any, EarlyEngine(gone=gone), "node")  # type: ignore[arg-type]  # a stand-in for the engine

    assert b"".join(logs.follow(Any, "run-1")) == b"".join(WRITTEN)  # type: ignore[arg-type]  # no box


def test_a_box_that_is_gone_before_it_can_be_followed_is_read_from_the_record() -> None:
    """A quick agent's box may be removed between the question how far the run is and the log."""
    logs = Kept(Any, EarlyEngine(gone=True, refuses=True), "node")  # type: ignore[arg-type]  # a stand-in for the engine

    assert b"".join(logs.follow(Any, "run-1")) == b"".join(WRITTEN)  # type: ignore[arg-type]  # no box


def test_a_live_box_that_cannot_be_followed_is_an_error_and_no_silence() -> None:
    logs = Kept(Any, EarlyEngine(live=9, refuses=True), "node")  # type: ignore[arg-type]  # a stand-in for the engine

    with pytest.raises(EngineRefusedError, match="409"):
        list(logs.follow(Any, "run-1"))  # type: ignore[arg-type]  # no box


def test_a_box_that_runs_on_after_its_stream_has_ended_is_followed_to_its_end() -> None:
    logs = Kept(Any, EarlyEngine(live=2), "node")  # type: ignore[arg-type]  # a stand-in for the engine

    said = b"".join(logs.follow(Any, "run-1"))  # type: ignore[arg-type]  # no box

    assert said == b"".join([*WRITTEN, b"\nstill here", b"\nstill here"])


def test_what_cannot_be_had_any_more_is_left_out() -> None:
    logs = Kept(Any, EarlyEngine(gone=True), "node")  # type: ignore[arg-type]  # a stand-in for the engine

    assert b"".join(logs.follow(Any, "run-2")) == WRITTEN[0]  # type: ignore[arg-type]  # no box


LINES = [b"line %d of many\n" % number for number in range(40_000)]
ALL = b"".join(LINES)


@pytest.mark.parametrize("read", [0, 3, MARK_BYTES - 1, MARK_BYTES, 100_000, len(ALL)])
@pytest.mark.parametrize("dropped", [0, 90_000])
def test_after_a_rotation_the_reader_goes_on_where_it_was(read: int, dropped: int) -> None:
    place = Place()
    for at in range(0, read, 1000):
        place.move(ALL[at : min(at + 1000, read)])

    rest = place.rest(ALL[dropped:])

    assert rest == ALL[max(read, dropped) :]


def test_a_reader_that_was_outrun_gets_all_that_is_left() -> None:
    place = Place()
    place.move(ALL[:100_000])

    assert place.rest(ALL[-LOG_KEPT_BYTES:]) == ALL[-LOG_KEPT_BYTES:]


def test_the_last_words_after_many_lines_that_are_all_the_same_are_given() -> None:
    place, flood = Place(), b"flood\n" * 100_000
    place.move(flood[:-18])

    assert place.rest(flood[-LOG_KEPT_BYTES:] + b"the end\n") == b"the end\n"
