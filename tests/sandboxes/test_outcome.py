"""Every ending has a name; none is dressed as something the agent said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandboxes.driver import BoxState, Phase
from sandboxes.outcome import Ending, StopCause, cause_of, outcome_of


def state(
    phase: Phase = Phase.EXITED, code: int | None = 0, *, oom: bool = False, error: str = ""
) -> BoxState:
    return BoxState(phase=phase, pid=0, exit_code=code, oom_killed=oom, error=error, started_at="", detail={})


ENDINGS = {
    "running": (state(Phase.RUNNING, None), True, None, Ending.RUNNING),
    "paused": (state(Phase.PAUSED, None), True, None, Ending.RUNNING),
    "asked to stop, still running": (state(Phase.RUNNING, None), True, StopCause.STOPPED, Ending.RUNNING),
    "exit 0": (state(), True, None, Ending.EXITED),
    "exit 3": (state(code=3), True, None, Ending.FAILED),
    "exit 137 by itself": (state(code=137), True, None, Ending.SIGNALLED),
    "out of memory": (state(code=137, oom=True), True, None, Ending.OUT_OF_MEMORY),
    "a child was out of memory, the agent carried on": (state(code=0, oom=True), True, None, Ending.EXITED),
    "time limit": (state(code=137), True, StopCause.TIME_LIMIT, Ending.TIME_LIMIT),
    "stopped": (state(code=137), True, StopCause.STOPPED, Ending.STOPPED),
    "killed": (state(code=137), True, StopCause.KILLED, Ending.KILLED),
    "killed and gone": (None, True, StopCause.KILLED, Ending.KILLED),
    "gone": (None, True, None, Ending.LOST),
    "gone before it was released": (None, False, None, Ending.NEVER_STARTED),
    "no exit code": (state(code=None), True, None, Ending.LOST),
    "never started": (state(Phase.CREATED, None), True, None, Ending.NEVER_STARTED),
    "exit 0 without a release": (state(), False, None, Ending.NEVER_STARTED),
}


@pytest.mark.parametrize("what", ENDINGS)
def test_an_ending_has_its_name(what: str) -> None:
    last, released, cause, ending = ENDINGS[what]

    outcome = outcome_of(last, released=released, cause=cause)

    assert outcome.ending is ending
    assert outcome.reason
    assert outcome.final is (ending is not Ending.RUNNING)


def test_what_the_engine_said_of_a_failed_start_is_the_reason() -> None:
    outcome = outcome_of(state(Phase.CREATED, None, error="no such device"), released=False)

    assert outcome.reason == "no such device"


def test_an_engine_that_does_not_answer_is_not_said_to_have_lost_the_box() -> None:
    outcome = outcome_of(None, released=True, trouble="the container engine does not answer")

    assert (outcome.ending, outcome.reason) == (Ending.LOST, "the container engine does not answer")


@pytest.mark.parametrize(
    ("last", "finished_at", "cause"),
    [
        (state(code=137), "2026-01-31T12:00:15.123456789Z", StopCause.TIME_LIMIT),
        (state(code=137), "2026-01-31T11:59:59.999999999Z", None),
        (state(code=137, oom=True), "2026-01-31T12:00:15Z", None),
        (state(code=0), "2026-01-31T12:00:15Z", None),
        (state(code=137), "", None),
    ],
)
def test_a_box_that_was_killed_after_its_expiry_reached_its_time_limit(
    last: BoxState, finished_at: str, cause: StopCause | None
) -> None:
    """Only the reaper does that while no serve is there."""
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)

    assert cause_of(replace(last, finished_at=finished_at), expires_at=noon) is cause
