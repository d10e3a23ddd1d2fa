"""From a profile to a deployment: resolve every part that a digest pins, show it, and create what was signed.

A draft writes nothing. It is shown to an operator, whose signed word over its digest creates the deployment
together with its first grant, `read`; without that grant everything is denied.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from profiles.effects import Effect
from profiles.load import LoadedProfile
from profiles.policy import Policy
from profiles.schema import Profile, StdioUpstream
from profiles.within import check_within
from runtime.deployments import NO_MEMORY, DeploymentError, Parts, create, history
from runtime.grant_rules import Order
from runtime.grants import Issued, granted, issue
from runtime.linting import look_through
from runtime.memory.loading import check_pin
from runtime.people.roster import Refused, Roster
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.supersede import supersede
from runtime.upstreams.manifest import Offer
from runtime.upstreams.upstreams import Opener, Upstreams
from sandboxes.driver import SandboxDriver
from sandboxes.lint.finding import Finding, counts
from sandboxes.plan import stray_volumes
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook

_TAKE_OUT: Final = "take the line out of the image's Dockerfile and build it again (docs/context.md, Images)"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A deployment that could be created.

    Attributes:
        parts: what its digest pins.
        profile: the profile as loaded.
        offers: what each upstream offers, for the reviewer: descriptions are a stranger's words.
        told: what of it would tell the agent its status; none of it forbids the deployment.
    """

    parts: Parts
    profile: LoadedProfile
    offers: dict[str, Offer]
    told: tuple[Finding, ...] = ()


async def draft(
    agent: str,
    loaded: LoadedProfile,
    policy: Policy,
    *,
    driver: SandboxDriver,
    opener: Callable[[Profile], Opener],
    memory: str = NO_MEMORY,
    rulebook: Rulebook = SHIPPED_RULES,
) -> Draft:
    """Resolve a deployment's parts; the upstreams are started once to read what they offer.

    Args:
        agent: whose deployment it would be.
        loaded: its profile.
        policy: the policy in force.
        driver: resolves images.
        opener: makes the wires to the profile's upstreams.
        memory: digest of the agent's present memory version, where the profile has a memory.
        rulebook: what its runs will be scrubbed by.

    Raises:
        DeploymentError: the profile asks for more than the policy's ceiling, an image has a `VOLUME` that no
            profile names, a tool is called milder than by its own annotations, or something of it would show
            the agent what it may not know (R-19).
        sandboxes.errors.ImageMissingError: the engine lacks an image.
        runtime.upstreams.errors.UpstreamError: an upstream cannot be opened or lacks a tool.
    """
    if problems := check_within(policy, loaded.profile):
        listed = "; ".join(str(problem) for problem in problems)
        raise DeploymentError(
            f"profile {loaded.profile.profile} asks for more than the policy permits: {listed}"
        )
    image, images = await asyncio.to_thread(resolve_images, loaded.profile, driver)
    upstreams = Upstreams(loaded.profile, opener(loaded.profile))
    try:
        manifest = await upstreams.start()
        offers, understated = upstreams.offers, upstreams.understated()
    finally:
        await upstreams.close()
    _check_stated(loaded.profile, understated)
    told = await asyncio.to_thread(look_through, loaded.profile, offers, image, driver.store, rulebook)
    parts = Parts(
        agent=agent,
        profile=loaded.digest,
        image=image,
        upstream_images=images,
        manifest=manifest.pins,
        memory=memory,
        rules=rulebook.digest,
    )
    return Draft(parts=parts, profile=loaded, offers=offers, told=told)


def _check_stated(profile: Profile, understated: Mapping[str, Effect]) -> None:
    """Refuse effects below what tools say of themselves: annotations may only raise an effect."""
    if understated:
        listed = "; ".join(_told(profile, name, floor) for name, floor in understated.items())
        raise DeploymentError(
            f"profile {profile.profile} calls tools milder than they call themselves: {listed}"
        )


def _told(profile: Profile, name: str, floor: Effect) -> str:
    got = min(profile.tools[name].effects, key=lambda effect: effect.tier)
    return (
        f"tool {name}: got effect `{got}`, expected `{floor}` or higher by its annotations; "
        f"correct `tools.{name}.effect` in the profile"
    )


def resolve_images(profile: Profile, driver: SandboxDriver) -> tuple[str, dict[str, str]]:
    """Return the digests of a profile's images as the engine has them now: the agent's, and each upstream's.

    Raises:
        DeploymentError: one has a `VOLUME` at which nothing of the profile's is mounted.
        sandboxes.errors.ImageMissingError: the engine lacks one.
    """
    agents = driver.image(profile.image)
    _check_volumes(f"image {profile.image}", stray_volumes(agents.volumes), _TAKE_OUT)
    images = {}
    for name, entry in profile.upstreams.items():
        if isinstance(entry, StdioUpstream) and not entry.host:
            image = driver.image(entry.image)
            stray = stray_volumes(image.volumes, [volume.target for volume in entry.volumes])
            other = f"name a volume with this `target` under `upstreams.{name}.volumes`, or {_TAKE_OUT}"
            _check_volumes(f"image {entry.image} of upstream {name}", stray, other)
            images[name] = image.digest
    return agents.digest, images


def _check_volumes(what: str, stray: Sequence[str], fix: str) -> None:
    """Refuse an image of which the engine would make boxes that cannot be proved."""
    if stray:
        raise DeploymentError(
            f"{what}: got `VOLUME {' '.join(stray)}` in it, for which the engine mounts something that no "
            f"profile names, expected none; {fix}"
        )


def deploy(
    tx: Tx, drafted: Draft, order: Order, signed: SignedStatement, *, roster: Roster, now: datetime
) -> Issued | Refused:
    """Create a drafted deployment with its `read` grant, on one operator's signed word; all or nothing.

    The agent's other deployments lose what they were granted beyond reading. The present one is signed anew
    once it may not even read: its upstream was changed and is as it was again, or nobody renewed its grant.

    Args:
        tx: the unit of work.
        drafted: as it was shown and signed.
        order: the `read` grant for the draft's digest.
        signed: the operator's statement of type `deploy`.
        roster: who counts now.
        now: the present moment, never before the record's high-water mark.

    Raises:
        DeploymentError: the order is not for this draft, or the deployment exists.
        runtime.memory.errors.AgentMemoryError: its memory is not the agent's present one.
    """
    if order.deployment != drafted.parts.digest or order.effect is not Effect.READ:
        raise DeploymentError(f"grant {order.id} is not the first one of {drafted.parts.digest[:12]}")
    check_pin(tx.conn, drafted.parts, drafted.profile.profile, roster=roster)
    anew = _is_stranded(tx, drafted.parts, roster, now=now)
    issued = issue(tx, order, [signed], roster=roster, now=now)
    if isinstance(issued, Issued) and not anew:
        create(
            tx,
            drafted.parts,
            drafted.profile,
            statement=issued.statements[0],
            actor=issued.signers[0],
            told=counts(drafted.told),
            now=now,
        )
        supersede(tx, drafted.parts.agent, drafted.parts.digest, actor=issued.signers[0], now=now)
    return issued


def _is_stranded(tx: Tx, parts: Parts, roster: Roster, *, now: datetime) -> bool:
    """Whether this is its agent's present deployment and may not even read."""
    present = [one.digest for one in history(tx.conn, parts.agent)[:1]]
    held = granted(tx.conn, parts.digest, now=now, roster=roster)
    return present == [parts.digest] and Effect.READ not in held
