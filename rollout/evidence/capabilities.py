"""What a profile lets its agent reach: the blast radius, computed (R-28). Pure.

Everything that the profile names is in it, for runs of production and of evaluation, and nothing else can be
reached. What a server on the host reaches, its command and its variables decide, so these are in it too. A
person signs its digest; a profile that reaches further has another.
"""

from profiles.schema import HttpUpstream, MemoryUpstream, Profile, StdioUpstream, ToolSpec, Upstream
from profiles.upstreams import HeaderCredential, StdioEvaluation
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of


def capabilities(profile: Profile) -> dict[str, JsonValue]:
    """List what can be reached: tools by effect, upstreams, the model, known places and recipients."""
    known = profile.known
    return {
        "effects": sorted(effect.value for effect in profile.effects),
        "tools": {name: _tool(tool) for name, tool in profile.tools.items()},
        "requests": {kind.value: effect.value for kind, effect in profile.requests.items()},
        "upstreams": {name: _upstream(one) for name, one in profile.upstreams.items()},
        "model": None
        if profile.model is None
        else {"provider": profile.model.provider.value, "name": profile.model.name},
        "collections": sorted(known.collections),
        "recipients": sorted(known.recipients),
        "hosts": sorted(known.hosts),
        "hold_above_tier": sorted(effect.value for effect in profile.hold_above_tier),
    }


def capabilities_digest(profile: Profile) -> str:
    """Return the SHA-256 in hex over the canonical capabilities."""
    return digest_of(capabilities(profile))


def _tool(tool: ToolSpec) -> JsonValue:
    return {
        "upstream": tool.upstream,
        "effects": sorted(effect.value for effect in tool.effects),
        "args": {name: spec.role.value for name, spec in tool.args.items()},
        "each": tool.each,
    }


def _upstream(upstream: Upstream) -> JsonValue:
    if isinstance(upstream, MemoryUpstream):
        return {"memory": True}
    return _http(upstream) if isinstance(upstream, HttpUpstream) else _stdio(upstream)


def _http(upstream: HttpUpstream) -> JsonValue:
    there, other = _address(upstream.url, upstream.credential), upstream.evaluation
    return there if other is None else {**there, "evaluation": _address(other.url, other.credential)}


def _address(url: str, credential: HeaderCredential | None) -> dict[str, JsonValue]:
    return {"url": url, "credentials": [] if credential is None else [credential.name]}


def _stdio(upstream: StdioUpstream) -> JsonValue:
    reach: dict[str, JsonValue] = {
        "image": upstream.image,
        "host": upstream.host,
        "tcp": sorted(target.to for target in upstream.tcp.values()),
        "volumes": {one.source: "read" if one.read_only else "write" for one in upstream.volumes},
        "credentials": sorted(upstream.credentials.values()),
    }
    if upstream.host:
        reach |= {"command": list(upstream.command), "env": dict(upstream.env)}
    if upstream.evaluation is not None:
        reach["evaluation"] = _evaluation(upstream.evaluation, host=upstream.host)
    return reach


def _evaluation(other: StdioEvaluation, *, host: bool) -> JsonValue:
    there: JsonValue = sorted(other.tcp.values())
    return {"tcp": there, "env": dict(other.env)} if host else {"tcp": there}
