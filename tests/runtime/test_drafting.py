"""What is drafted may be no milder than what the upstreams say of their own tools."""

import json
from typing import Any, cast

import pytest

from profiles.load import LoadedProfile, parse_profile
from runtime.deployments import DeploymentError
from runtime.drafting import Draft, draft
from runtime.upstreams.opener import ServerOpener
from sandboxes.driver import Image, SandboxDriver
from tests.standins.profiles import make_policy
from tests.standins.served import SERVED_ODD

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Images:
    """An engine that knows every image and can do nothing else."""

    def image(self, reference: str) -> Image:
        return Image(digest=f"sha256:{len(reference):064x}", has_shell=True)


def loaded(**tools: dict[str, Any]) -> LoadedProfile:
    """A profile over the odd server, each of whose tools calls itself destructive."""
    profile = {
        "profile": "tester",
        "version": 1,
        "purpose": "Exercise drafting in tests.",
        "image": "none:1",
        "upstreams": {"odd": SERVED_ODD},
        "tools": {name: {"upstream": "odd", **rest} for name, rest in tools.items()},
        "never": [{"id": "never-nothing", "text": "Never do it.", "tools": ["no_such_tool"]}],
    }
    return parse_profile(json.dumps(profile).encode(), source="test")


async def drafted(profile: LoadedProfile) -> Draft:
    policy = make_policy(profile.profile)
    driver = cast("SandboxDriver", Images())
    return await draft("bot", profile, policy, driver=driver, opener=lambda p: ServerOpener(p, policy))


async def test_a_tool_below_its_own_annotations_is_not_drafted_and_each_is_named() -> None:
    """DESIGN section 4: annotations may only raise an effect."""
    profile = loaded(
        echo={"effect": "read"}, slow={"effect": "update"}, renamed={"effect": "draft", "tool": "die"}
    )
    with pytest.raises(DeploymentError, match="profile tester calls tools milder") as refused:
        await drafted(profile)
    said = str(refused.value)
    assert "tool echo: got effect `read`, expected `update` or higher by its annotations" in said
    assert "tool renamed: got effect `draft`, expected `update` or higher" in said
    assert "correct `tools.echo.effect` in the profile" in said
    assert "slow" not in said


@pytest.mark.parametrize("effect", ["update", "send", "critical"])
async def test_a_profile_may_call_a_tool_worse_than_it_calls_itself(effect: str) -> None:
    found = await drafted(loaded(echo={"effect": effect}))
    assert "tool:echo" in found.parts.manifest["odd"]
