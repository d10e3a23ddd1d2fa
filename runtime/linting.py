"""What a draft would show its agent, looked through before anybody signs (R-19, R-20).

The deployment's own values, an alias that names the real model, and what is baked into the image refuse the
draft with the fix. General kinds are shown to the operator who signs, and counted in the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from profiles.schema import Profile, RequestKind
from runtime.canonical import JsonValue
from runtime.deployments import DeploymentError
from runtime.upstreams.clean import clean
from runtime.upstreams.manifest import Offer
from sandboxes.driver import ImageSource
from sandboxes.lint.finding import Finding, Weight
from sandboxes.lint.image import ReadImage, lint_read, read_image
from sandboxes.lint.shown import lint_shown, own_of
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook


@dataclass(frozen=True)
class _Asked:
    """An image by its digest, which says all that it holds; whom to ask makes no difference."""

    digest: str
    source: ImageSource = field(compare=False)


def look_through(
    profile: Profile,
    offers: Mapping[str, Offer],
    image: str,
    source: ImageSource,
    rulebook: Rulebook = SHIPPED_RULES,
) -> tuple[Finding, ...]:
    """Return what a deployment would show its agent that tells, all of it mere warnings.

    Args:
        profile: whose agent it is; kinds that its `context` keeps are left out.
        offers: what each upstream offers.
        image: digest of the agent's image.
        source: the engine's images.
        rulebook: what general kinds are found by.

    Raises:
        DeploymentError: something may not be shown; each is named, with the fix.
        sandboxes.errors.SandboxError: the image or a text cannot be looked through.
    """
    baked = lint_read(_read(_Asked(image, source)), own_of(profile), rulebook)
    kept = [one for one in baked if one.kind is None or one.kind not in profile.context.keep]
    found = (*lint_shown(profile, definitions_of(profile, offers), rulebook), *kept)
    if errors := [one for one in found if one.weight is Weight.ERROR]:
        more = f"; see handrail context lint --image {profile.image}" if set(errors) & set(kept) else ""
        listed = "; ".join(str(one) for one in errors)
        raise DeploymentError(
            f"profile {profile.profile} would show its agent what it may not know: {listed}{more}"
        )
    return found


def definitions_of(profile: Profile, offers: Mapping[str, Offer]) -> dict[str, JsonValue]:
    """Return what upstreams say of all that an agent may see, by where it stands."""
    shown: dict[str, JsonValue] = {}
    for name, spec in profile.tools.items():
        offered = offers[spec.upstream].tools if spec.upstream in offers else ()
        theirs = (tool for tool in offered if tool.get("name") == (spec.tool or name))
        shown |= {f"tool {name}": clean(dict(tool)) for tool in theirs}
    for offer in offers.values():
        if RequestKind.RESOURCES in profile.requests:
            listed = (*offer.resources, *offer.templates)
            shown |= {f"resource {item.get('name')}": clean(dict(item)) for item in listed}
        if RequestKind.PROMPTS in profile.requests:
            shown |= {f"prompt {item.get('name')}": clean(dict(item)) for item in offer.prompts}
    return shown


@lru_cache(maxsize=16)
def _read(asked: _Asked) -> ReadImage:
    return read_image(asked.source, asked.digest)
