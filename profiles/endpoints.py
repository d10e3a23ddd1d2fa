"""Which endpoints an upstream has in a setting, and that no two settings share one (R-21, R-43). Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from posixpath import normpath
from socket import inet_aton
from typing import Final
from urllib.parse import unquote, urlsplit

from profiles.findings import Finding
from profiles.setting import Setting
from profiles.upstreams import (
    HttpEvaluation,
    HttpUpstream,
    StdioEvaluation,
    StdioUpstream,
    TcpTarget,
    Upstream,
)

HIGHEST_PORT: Final = 65_535
_LOOPBACK: Final = "localhost"
_PORTS: Final = {"http": 80, "https": 443}


class NoEndpointError(Exception):
    """An upstream has no endpoint in a setting; none of another one may stand in."""


def in_setting(name: str, upstream: Upstream, setting: Setting) -> Upstream:
    """Return an upstream as it is in a setting.

    Args:
        name: the upstream's name, for messages.
        upstream: the profile's entry.
        setting: of the run.

    Raises:
        NoEndpointError: it says nowhere what replaces an address of production.
    """
    if setting is Setting.PRODUCTION:
        return upstream
    if isinstance(upstream, HttpUpstream):
        return _http(name, upstream)
    if isinstance(upstream, StdioUpstream):
        return _stdio(name, upstream)
    return upstream


def gaps(upstreams: Mapping[str, Upstream], setting: Setting) -> tuple[str, ...]:
    """Return why a setting cannot be had, one sentence for each upstream that lacks something."""
    return tuple(gap for name, upstream in upstreams.items() if (gap := _gap(name, upstream, setting)))


def endpoint_findings(upstreams: Mapping[str, Upstream]) -> Iterator[Finding]:
    """List what contradicts under `evaluation`: unknown names, and addresses that production has too."""
    taken = {_normal(address) for upstream in upstreams.values() for _, address in _production(upstream)}
    for name, upstream in upstreams.items():
        if not isinstance(upstream, StdioUpstream | HttpUpstream) or upstream.evaluation is None:
            continue
        place = ("upstreams", name, "evaluation")
        if isinstance(upstream, StdioUpstream) and isinstance(upstream.evaluation, StdioEvaluation):
            yield from _unknown((*place, "env"), upstream.evaluation.env, upstream.env)
            yield from _unknown((*place, "tcp"), upstream.evaluation.tcp, upstream.tcp)
        for key, address in _evaluation(upstream.evaluation):
            if (said := _misuse(address, taken)) is not None:
                yield Finding((*place, *key), said)


def _misuse(address: str, taken: Container[str]) -> str | None:
    if "://" not in address and not 0 < int(address.rpartition(":")[2]) <= HIGHEST_PORT:
        return f"got {address!r}, expected a port from 1 to {HIGHEST_PORT}"
    if _normal(address) in taken:
        return f"got {address!r}, which production uses; expected an address of its own"
    return None


def _http(name: str, upstream: HttpUpstream) -> HttpUpstream:
    if upstream.evaluation is None:
        raise NoEndpointError(
            f"upstream {name}: no `evaluation.url`, expected the address for evaluation runs"
        )
    other = upstream.evaluation
    return upstream.model_copy(update={"url": other.url, "credential": other.credential})


def _stdio(name: str, upstream: StdioUpstream) -> StdioUpstream:
    other = upstream.evaluation or StdioEvaluation()
    if missing := sorted(set(upstream.tcp) - set(other.tcp)):
        named = ", ".join(missing)
        raise NoEndpointError(
            f"upstream {name}: no `evaluation.tcp` for {named}, expected an address for each"
        )
    if upstream.host and upstream.evaluation is None:
        raise NoEndpointError(
            f"upstream {name}: runs on the host and has no `evaluation`, expected one with its variables"
        )
    tcp = {key: TcpTarget(port=target.port, to=other.tcp[key]) for key, target in upstream.tcp.items()}
    return upstream.model_copy(update={"env": {**upstream.env, **other.env}, "tcp": tcp})


def _gap(name: str, upstream: Upstream, setting: Setting) -> str | None:
    try:
        in_setting(name, upstream, setting)
    except NoEndpointError as gap:
        return str(gap)
    return None


def _unknown(place: tuple[str, ...], got: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    for name in sorted(set(got) - set(known)):
        said = f"got a name that `{place[-1]}` of the upstream does not have, expected one of: "
        yield Finding((*place, name), said + (", ".join(sorted(known)) or "none"))


def _production(upstream: Upstream) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(upstream, HttpUpstream):
        yield ("url",), upstream.url
    elif isinstance(upstream, StdioUpstream):
        for name, target in upstream.tcp.items():
            yield ("tcp", name), target.to


def _evaluation(other: StdioEvaluation | HttpEvaluation) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(other, HttpEvaluation):
        yield ("url",), other.url
    else:
        for name, address in other.tcp.items():
            yield ("tcp", name), address


def _normal(address: str) -> str:
    """Return one spelling for addresses that are the same.

    Letter case, forms of a number, loopback, default port, percent-encoding, `.`, `..` and slashes too many
    make no difference (RFC 3986, section 6.2; inet_aton(3)).
    """
    if "://" not in address:
        host, _, port = address.rpartition(":")
        return f"{_host(host)}:{int(port)}"
    parts = urlsplit(address)
    query = f"?{parts.query}" if parts.query else ""
    number = parts.port or _PORTS[parts.scheme]
    path = normpath("/" + unquote(parts.path).lstrip("/")).rstrip("/")
    return f"{_host(parts.hostname or '')}:{number}{path}{query}"


def _host(name: str) -> str:
    plain = name.lower().strip("[]").rstrip(".")
    number = _number(plain)
    if number is None:
        return plain
    return _LOOPBACK if number.is_loopback or number.is_unspecified else str(number)


def _number(host: str) -> IPv4Address | IPv6Address | None:
    """Read a host that is a number, as resolvers do: `127.1`, `0x7f000001` and `::ffff:127.0.0.1` too."""
    try:
        found = ip_address(host)
    except ValueError:
        return _legacy(host)
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _legacy(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(inet_aton(host))
    except OSError:
        return None
