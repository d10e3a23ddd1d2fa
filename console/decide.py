"""`handrail decide`: recorded lines in, one JSON decision a line out, by the code of live actions."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import IO

from profiles.effects import Tier
from profiles.errors import ProfileError
from profiles.load import find_profile, load_policy, shipped_policy
from runtime.cedar import CedarError
from runtime.gate.lines import read_lines
from runtime.gate.replay import premises, replay

OK = 0
BAD_PROFILE = 2
NO_INPUT = 2


def decide_lines(
    profile: str,
    tier: Tier,
    *,
    now: datetime,
    task: str | None = None,
    policy: Path | None = None,
    lines: IO[bytes] | None = None,
    out: IO[str] | None = None,
) -> int:
    """Decide every recorded action under a profile; nothing is executed.

    Args:
        profile: the profile's file, or the name of a shipped one.
        tier: all classes up to it count as granted.
        now: the moment of the decisions.
        task: what the agent was asked to do.
        policy: the policy's file; without it the one that is shipped.
        lines: the recorded lines; standard input by default.
        out: where the decisions go; standard output by default.

    Returns:
        The exit code: 0, or 2 when the profile or the policy is bad, or nothing can be read.
    """
    try:
        loaded = find_profile(profile).profile
        rules = load_policy(policy).policy if policy else shipped_policy().policy
        under = premises(loaded, rules, tier, task=task, now=now)
    except (ProfileError, CedarError) as error:
        sys.stderr.write(f"{error}\n")
        return BAD_PROFILE
    source = lines if lines is not None else _standard_input()
    if source is None:
        sys.stderr.write("standard input: is closed, expected recorded lines; next: < actions.jsonl\n")
        return NO_INPUT
    target = out or sys.stdout
    for decision in replay(read_lines(source), under):
        # ASCII only: whatever the agent wrote reaches a terminal as JSON escapes.
        target.write(json.dumps(decision, ensure_ascii=True, allow_nan=False) + "\n")
        target.flush()  # a recorder at the other end of a pipe waits for the answer to its line
    return OK


def _standard_input() -> IO[bytes] | None:
    return sys.stdin.buffer if sys.stdin else None  # None where it was closed before we began
