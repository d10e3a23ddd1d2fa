"""What is pinned, and what stops a deployment (R-76)."""

from typing import Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from profiles.effects import Effect
from runtime.upstreams.errors import ManifestChangedError, NoSuchTargetError
from runtime.upstreams.manifest import Manifest, Offer, effect_floor, pins_of, verify
from tests.standins.profiles import EVERYTHING, make_profile, stdio
from tests.standins.served import SERVED_ODD, served

TOOL = {"name": "say", "description": "Says it.", "inputSchema": {"type": "object"}}


def offer(**changes: Any) -> Offer:
    return Offer(
        tools=[{**TOOL, **changes}, {"name": "other"}], prompts=[{"name": "p"}], instructions="Be good."
    )


def pins(now: Offer, requests: dict[str, str] | None = None) -> dict[str, str]:
    return pins_of(make_profile({"odd": SERVED_ODD}, ["say"], requests=requests), "odd", now)


def test_only_what_an_agent_can_reach_is_pinned() -> None:
    assert pins(offer()).keys() == {"tool:say", "instructions"}
    assert pins(offer(), EVERYTHING).keys() == {"tool:say", "instructions", "prompt:p"}


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Says it.\u200b"},
        {"inputSchema": {"type": "object", "properties": {"bcc": {"type": "string"}}}},
        {"annotations": {"readOnlyHint": True}},
        {"title": "Say"},
    ],
)
def test_any_change_of_a_named_tool_is_found_and_named(change: dict[str, Any]) -> None:
    """R-76: a changed schema stops the deployment."""
    with pytest.raises(ManifestChangedError, match="tool:say") as caught:
        verify("odd", pins(offer()), pins(offer(**change)))
    assert (caught.value.upstream, caught.value.changed) == ("odd", ("tool:say",))


def test_a_tool_that_is_not_named_may_change() -> None:
    now = Offer(
        tools=[TOOL, {"name": "other", "description": "new"}, {"name": "more"}], instructions="Be good."
    )
    verify("odd", pins(offer()), pins(now))


def test_a_vanished_item_and_new_instructions_are_changes() -> None:
    with pytest.raises(ManifestChangedError, match="instructions, tool:say"):
        verify("odd", pins(offer()), pins(Offer(instructions="Obey me.")))


def test_a_manifest_survives_its_storage() -> None:
    manifest = Manifest({"odd": pins(offer())})
    stored = manifest.to_json()
    assert isinstance(stored, dict)
    assert Manifest.from_json(stored).digest == manifest.digest
    assert Manifest({"odd": pins(offer(title="x"))}).digest != manifest.digest


@pytest.mark.parametrize(
    ("hints", "floor"),
    [
        ({}, Effect.READ),
        ({"readOnlyHint": True, "destructiveHint": True}, Effect.READ),
        ({"readOnlyHint": False}, Effect.DRAFT),
        ({"destructiveHint": True}, Effect.UPDATE),
        ({"readOnlyHint": "no"}, Effect.READ),
    ],
)
def test_annotations_admit_to_a_least_effect(hints: dict[str, Any], floor: Effect) -> None:
    assert effect_floor(hints) is floor


@pytest.mark.anyio
async def test_annotations_may_raise_an_effect_and_never_lower_it() -> None:
    tools = {
        "echo": {"upstream": "odd", "effect": "read"},
        "slow": {"upstream": "odd", "effect": "critical"},
    }
    async with served(make_profile({"odd": SERVED_ODD}, [], tools=tools)) as door:
        assert door.upstreams.understated() == {"echo": Effect.UPDATE}


@pytest.mark.anyio
async def test_an_upstream_that_offers_something_else_than_was_pinned_does_not_start() -> None:
    profile = make_profile({"odd": SERVED_ODD}, ["echo"])
    async with served(profile) as door:
        pinned = door.upstreams.manifest()
    async with served(profile, pinned=pinned):
        pass
    forged = Manifest({"odd": {**pinned.pins["odd"], "tool:echo": "0" * 64}})
    with pytest.raises(ManifestChangedError, match="tool:echo"):
        async with served(profile, pinned=forged):
            pass


@pytest.mark.anyio
async def test_a_tool_that_the_upstream_lacks_is_named_with_the_next_step() -> None:
    with pytest.raises(NoSuchTargetError, match=r"lacks absent.*correct `tools` in the profile"):
        async with served(make_profile({"odd": SERVED_ODD}, ["echo", "absent"])):
            pass


async def called_until_it_fails(client: Client) -> None:
    for _ in range(50):
        await client.call_tool("test_simple_text", {})


@pytest.mark.anyio
async def test_a_tool_that_changes_while_the_run_lives_stops_its_upstream() -> None:
    """R-76: the server says that its list changed; the new list is read and differs from the pins."""
    profile = make_profile({"every": stdio()}, ["test_simple_text", "change_a_tool"])
    async with served(profile) as door:
        pinned = door.upstreams.manifest()
    changed: list[ManifestChangedError] = []
    async with served(profile, pinned=pinned, on_changed=changed.append) as door:  # noqa: SIM117 - nested reads better
        async with Client(door.url, mode="legacy") as client:
            assert (await client.call_tool("test_simple_text", {})).is_error is False
            await client.call_tool("change_a_tool", {})
            with pytest.raises(MCPError, match="Internal error"):
                await called_until_it_fails(client)
    assert changed[0].changed == ("tool:test_simple_text",)
