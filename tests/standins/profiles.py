"""Profiles, policies and runs for tests of the gateway."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from profiles.compile import compile_profile
from profiles.load import load_policy
from profiles.policy import Policy
from profiles.schema import Profile, RequestKind
from runtime.cedar import CedarEngine
from runtime.gate.context import RunContext

SERVER = Path(__file__).parents[1] / "conformance" / "everything_server.py"
EVERYTHING = {kind.value: "read" for kind in RequestKind}


def make_profile(
    upstreams: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
    *,
    requests: Mapping[str, str] | None = None,
    **rest: Any,
) -> Profile:
    """Build a profile; the named tools all belong to the first upstream."""
    first = next(iter(upstreams), "none")
    given = {
        "profile": "tester",
        "version": 1,
        "purpose": "Exercise the gateway in tests.",
        "image": "none:1",
        "upstreams": upstreams,
        "tools": {name: {"upstream": first, "effect": "read"} for name in names},
        "requests": requests or {},
        "never": [{"id": "never-nothing", "text": "Never do what no test does.", "tools": ["no_such_tool"]}],
    }
    given |= rest
    return Profile.model_validate_json(json.dumps(given))


def stdio(path: Path = SERVER, *args: str) -> dict[str, Any]:
    """A server as a process of this host."""
    return {"kind": "stdio", "image": "none:1", "host": True, "command": [sys.executable, str(path), *args]}


def http(port: int, **rest: Any) -> dict[str, Any]:
    """A server behind a loopback port."""
    return {"kind": "http", "url": f"http://127.0.0.1:{port}/mcp", **rest}


def make_policy(profile: Profile) -> Policy:
    """The shipped policy, with consent to run this profile's upstreams as processes of this host."""
    policy = load_policy(Path("profiles/shipped/policy.yaml")).policy
    consent = tuple(f"{profile.profile}/{name}" for name in profile.upstreams)
    return policy.model_copy(
        update={"ceiling": policy.ceiling.model_copy(update={"host_upstreams": consent})}
    )


def make_run(profile: Profile, run: str = "run-test") -> RunContext:
    """What the gateway knows of a run."""
    return RunContext(
        run=run,
        agent="tester",
        owner="olga",
        deployment="0" * 64,
        profile=profile,
        policy=make_policy(profile),
        engine=CedarEngine.from_compiled(compile_profile(profile)),
        task=None,
        operator="olga",
    )
