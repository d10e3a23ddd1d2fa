"""`handrail profile`: check a goal specification before anything runs on it. Needs no control plane."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli import command, group
from console.session import Session
from console.show.answer import show
from console.show.text import say_json
from console.show.values import Json
from profiles.compile import compile_profile
from profiles.errors import ProfileError
from profiles.json_schema import json_schema
from profiles.load import LoadedProfile, find_profile, load_policy, shipped_profile, shipped_profiles
from profiles.policy import Policy
from profiles.schema import Profile
from profiles.within import check_within, narrowest
from runtime.cedar import CedarEngine

app = group("Check and compile profiles; print their schema.")

_Where = Annotated[str, typer.Argument(help="A profile's file, or the name of a shipped one.")]
_PolicyFile = Annotated[Path | None, typer.Option("--policy", help="Also check that this policy permits it.")]


@command(app, "check", example="handrail profile check invoices.yaml\nhandrail profile check doc-reader")
def check(session: Session, profile: _Where, policy: _PolicyFile = None) -> None:
    """Check a profile: its form, its sense, its rules, and what the policy permits."""
    loaded = find_profile(profile)
    held = None if policy is None else load_policy(policy).policy
    CedarEngine.from_compiled(compile_profile(_within(profile, loaded, held)))
    answer = {
        "profile": loaded.profile.profile,
        "digest": loaded.digest,
        "tools": len(loaded.profile.tools),
        "never": len(loaded.profile.never),
        "policy_checked": held is not None,
    }
    show(session, answer, _good)


@command(app, "compile", example="handrail profile compile invoices.yaml")
def compile_(session: Session, profile: _Where, policy: _PolicyFile = None) -> None:
    """Print the Cedar schema and policies that a profile becomes."""
    loaded = find_profile(profile)
    held = None if policy is None else load_policy(policy).policy
    compiled = compile_profile(_within(profile, loaded, held))
    show(
        session,
        {"digest": loaded.digest, "cedar": compiled.text},
        lambda answer: answer["cedar"].splitlines(),
    )


@command(app, "schema", example="handrail profile schema > profile.schema.json")
def schema(
    session: Session, policy: Annotated[bool, typer.Option("--policy", help="The policy's schema.")] = False
) -> None:
    """Print the JSON schema of profiles, for editors and other checkers."""
    del session
    say_json(json_schema(Policy if policy else Profile))


@command(app, "shipped", example="handrail profile shipped")
def shipped(session: Session) -> None:
    """List the profiles that come with Handrail."""
    names = [{"name": name, "purpose": shipped_profile(name).profile.purpose} for name in shipped_profiles()]
    show(session, {"profiles": names}, lambda answer: [item["name"] for item in answer["profiles"]])


def _within(source: str, loaded: LoadedProfile, policy: Policy | None) -> Profile:
    if policy is None:
        return loaded.profile
    if problems := check_within(policy, loaded.profile):
        raise ProfileError(source, problems)
    return narrowest(policy, loaded.profile)


def _good(answer: Json) -> list[str]:
    said = f"{answer['profile']}: good; {answer['tools']} tools, {answer['never']} never-rules"
    return [said, f"digest {answer['digest']}"]
