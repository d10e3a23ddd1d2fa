"""What is drafted may be no milder than what the upstreams say of their own tools."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest

from profiles.load import LoadedProfile, parse_profile
from profiles.upstreams import StdioUpstream
from runtime.deployments import DeploymentError
from runtime.drafting import Draft, draft, resolve_images
from runtime.upstreams.opener import ServerOpener
from sandboxes.driver import Image, SandboxDriver
from sandboxes.lint.finding import counts
from tests.standins.image_store import EngineStandIn, ImageStandIn
from tests.standins.profiles import make_policy
from tests.standins.served import SERVED_ODD

pytestmark = pytest.mark.anyio
MODEL = {"alias": "assistant", "provider": "openai", "name": "gpt-5-mini"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def loaded(more: dict[str, Any] | None = None, /, **tools: dict[str, Any]) -> LoadedProfile:
    """A profile over the odd server, each of whose tools calls itself destructive."""
    profile = {
        **(more or {}),
        "profile": "tester",
        "version": 1,
        "purpose": "Exercise drafting in tests.",
        "image": "none:1",
        "upstreams": {"odd": SERVED_ODD},
        "tools": {name: {"upstream": "odd", **rest} for name, rest in tools.items()},
        "never": [{"id": "never-nothing", "text": "Never do it.", "tools": ["no_such_tool"]}],
    }
    return parse_profile(json.dumps(profile).encode(), source="test")


async def drafted(profile: LoadedProfile, store: ImageStandIn | None = None) -> Draft:
    policy = make_policy(profile.profile)
    driver = cast("SandboxDriver", EngineStandIn(store))
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


ECHO = {"echo": {"effect": "update"}}
REVEALING = [
    ({"model": {"alias": "gpt-5", "provider": "openai", "name": "gpt-5-mini"}}, None, "model.alias"),
    ({"command": ["agent", "--ask", "Gpt-5-Mini"], "model": MODEL}, None, r"command\[2\]"),
    (
        {},
        ImageStandIn(config={"Env": ["GIT_COMMIT=4f2c9e1"]}),
        "remove the Dockerfile's line `ENV GIT_COMMIT",
    ),
    ({}, ImageStandIn(tree={"/app/VERSION": b"2.4.1"}), "file /app/VERSION"),
    ({"model": MODEL}, ImageStandIn(tree={"/models/gpt-5-mini/w": b"x"}), "file /models/gpt-5-mini/w"),
]


@pytest.mark.parametrize(("more", "store", "named"), REVEALING)
async def test_what_may_not_be_shown_refuses_the_draft_and_names_the_fix(
    more: dict[str, Any], store: ImageStandIn | None, named: str
) -> None:
    """R-19, R-20: own values, an alias that names the model, and what is baked into the image."""
    with pytest.raises(DeploymentError, match=f"would show its agent what it may not know: .*{named}"):
        await drafted(loaded(more, **ECHO), store)


@dataclass
class CountedImage(ImageStandIn):
    """An image that counts how often it is read."""

    read: int = 0

    def inspect(self, reference: str) -> Mapping[str, Any]:
        """Describe it."""
        self.read += 1
        return super().inspect(reference)


async def test_an_image_is_read_once_and_held_against_each_model_anew() -> None:
    """R-19: what was read is kept by digest; whose own values stand in it is asked every time."""
    store = CountedImage(tree={"/models/gpt-5-mini/counted": b"x"}, config={"Env": ["M=o9-large"]})
    harmless = {"model": {**MODEL, "name": "other-3"}}

    assert (await drafted(loaded(harmless, **ECHO), store)).told == ()
    with pytest.raises(DeploymentError, match="file /models/gpt-5-mini/counted"):
        await drafted(loaded({"model": MODEL}, **ECHO), store)
    with pytest.raises(DeploymentError, match="variable M"):
        await drafted(loaded({"model": {**MODEL, "name": "o9-large"}}, **ECHO), store)

    assert store.read == 1


async def test_what_tells_in_general_is_shown_to_whoever_signs_and_forbids_nothing() -> None:
    """R-19."""
    store = ImageStandIn(config={"Labels": {"org.opencontainers.image.revision": "4f2c9e1"}})

    found = await drafted(
        loaded(
            {"command": ["agent", "--note", "You are an AI model that will be updated quarterly."]}, **ECHO
        ),
        store,
    )

    assert {one.where for one in found.told} == {"command[2]", "label org.opencontainers.image.revision"}
    assert counts(found.told) == {"deprecation": 1, "deployment": 1}


async def test_a_kind_that_the_profile_keeps_is_not_held_against_its_image() -> None:
    """A reviewed profile may say that its agent needs such words."""
    store = ImageStandIn(config={"Env": ["NODE_ENV=production"]})
    with pytest.raises(DeploymentError, match="variable NODE_ENV"):
        await drafted(loaded(**ECHO), store)

    assert (await drafted(loaded({"context": {"keep": ["environment"]}}, **ECHO), store)).told == ()


async def test_an_image_with_a_volume_of_its_own_is_refused_with_the_cause_and_the_fix() -> None:
    """Its boxes could not be proved; that is said before anybody signs, not at each launch."""
    store = ImageStandIn(config={"Volumes": {"/data": {}, "/tmp/": {}, "/home/agent": {}, "/var/lib/x": {}}})

    with pytest.raises(DeploymentError, match="image none:1: got `VOLUME /data /var/lib/x` in it") as refused:
        await drafted(loaded(**ECHO), store)

    assert "take the line out of the image's Dockerfile" in str(refused.value)


class OfficeEngine(EngineStandIn):
    """An engine whose image of the office has a volume of its own."""

    def image(self, reference: str) -> Image:
        """Resolve any name."""
        volumes = {"/data/": {}} if reference == "office:1" else {}
        return EngineStandIn(ImageStandIn(config={"Volumes": volumes})).image(reference)


def test_a_volume_that_the_profile_names_for_an_upstream_may_stand_in_its_image() -> None:
    """What the profile mounts at the same path takes the place of the image's own."""

    def resolved(target: str) -> dict[str, str]:
        volumes = ({"source": "office", "target": target, "read_only": True},)
        office = {"kind": "stdio", "image": "office:1", "command": ("serve",), "volumes": volumes}
        upstreams = {"office": StdioUpstream.model_validate(office)}
        profile = loaded(**ECHO).profile.model_copy(update={"upstreams": upstreams})
        driver = cast("SandboxDriver", OfficeEngine())
        return resolve_images(profile, driver)[1]

    assert set(resolved("/data")) == {"office"}
    with pytest.raises(
        DeploymentError, match="image office:1 of upstream office: got `VOLUME /data/`"
    ) as said:
        resolved("/elsewhere")
    assert "name a volume with this `target` under `upstreams.office.volumes`, or take" in str(said.value)
