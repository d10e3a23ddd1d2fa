"""`handrail decide` says of recorded lines what the gate decides about the same actions in turn."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles.compile import compile_profile
from profiles.effects import Tier
from profiles.load import parse_profile, shipped_profile
from profiles.within import narrowest
from runtime.cedar import CedarEngine
from runtime.gate.answers import Answer
from runtime.gate.lines import ActionLine, parse_line
from runtime.gate.replay import Premises, premises, replay
from runtime.gate.replies import Admitted, Performed
from tests.standins.workshop import PROFILE, Workshop, make_workshop

PROFILES = {
    "workshop": PROFILE,
    "customer-data": shipped_profile("customer-data").text,
}
Decision = tuple[str, str, tuple[str, ...]]

NUMBERS = (2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1e308, 1, 1.0, -0.0, 0.5, 5, 20, 21, -1, 999, 1001)
WORDS = ("", " ", "\x00", "12", "1e3", "good", "draft", "public", "4111 1111 1111 1111")
PLACES = (
    "INBOX",
    "inbox",
    "Private",
    "docs/a.txt",
    "docs/../etc",
    "http://known.example/x",
    "http://x.example",
)
PEOPLE = (
    "a@known.example",
    "A@KNOWN.example",
    "x@x.example",
    "Bob <bob@partner.example>",
    "a@known.example, x@y.z",
)
PLAIN = st.sampled_from((*NUMBERS, *WORDS, *PLACES, *PEOPLE))
SCALARS = st.one_of(
    PLAIN,
    PLAIN,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@st.composite
def _lines(draw: st.DrawFn, profile: str) -> list[bytes]:
    tools = parse_profile(PROFILES[profile].encode(), source="test").profile.tools
    lines = []
    for _ in range(draw(st.integers(5, 20))):
        tool = draw(st.sampled_from(sorted(tools)))
        args = {name: draw(VALUES) for name in tools[tool].args if draw(st.integers(0, 9))}
        for name, spec in tools[tool].args.items():
            if spec.many and name in args and draw(st.integers(0, 5)):
                args[name] = [draw(SCALARS) for _ in range(draw(st.integers(0, 3)))]
        if not draw(st.integers(0, 6)):
            args[draw(st.text(max_size=5))] = draw(VALUES)
        lines.append(json.dumps({"type": "action", "tool": tool, "args": args}).encode())
    return lines


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), tier=st.sampled_from(Tier))
def test_a_replay_decides_as_the_gate_does(profile: str, data: st.DataObject, tier: Tier) -> None:
    lines = data.draw(_lines(profile))
    with TemporaryDirectory() as place:
        shop = make_workshop(Path(place), tier=tier, profile=PROFILES[profile])
        try:
            under = _narrowed(shop, tier)
            said = [_said(one) for one in replay(enumerate(lines, 1), under)]
            assert asyncio.run(_decided(shop, lines)) == said[: len(shop.rows("SELECT id FROM action"))]
        finally:
            shop.town.close()


def _narrowed(shop: Workshop, tier: Tier) -> Premises:
    """Let the run have its profile as far as the policy goes, as every launched run has."""
    policy, wide = shop.run.policy, shop.run.profile
    profile = narrowest(policy, wide)
    shop.run = replace(shop.run, profile=profile, engine=CedarEngine.from_compiled(compile_profile(profile)))
    return premises(wide, policy, tier, task=None, now=shop.town.now)


async def _decided(shop: Workshop, lines: Sequence[bytes]) -> list[Decision]:
    """Have the gate decide, up to the first denial that costs power: of that a replay knows nothing."""
    found: list[Decision] = []
    for raw in lines:
        line = parse_line(raw)
        assert isinstance(line, ActionLine)
        action = shop.action(line.tool, line.args)
        admission = await shop.gate.admit(shop.run, action)
        if isinstance(admission, Admitted):
            await shop.gate.settle(admission.ticket, Performed({}))
        ((answer, effect, seq),) = shop.rows(
            "SELECT answer, effect, log_seq FROM action WHERE id = :id", id=action.id
        )
        codes: Any = shop.town.ledger.entry(seq).leaf.data["reasons"]
        found.append((answer, effect, tuple(codes)))
        if answer == Answer.DENY.value and shop.town.kinds().count("grant.revoked"):
            break
    await shop.gate.close()
    return found


def _said(decision: dict[str, Any]) -> Decision:
    codes = sorted({reason["code"] for reason in decision["reasons"]})
    return decision["outcome"], decision["effect"], tuple(codes)
