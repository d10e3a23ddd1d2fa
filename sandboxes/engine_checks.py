"""What the engine says about a box, against the arguments it should have been made with. Pure.

The engine's word is the weakest of the three witnesses: it repeats what it was asked for. It is still
where an option that was dropped or added on the way shows first.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandboxes.docker_options import create_arguments
from sandboxes.driver import Box
from sandboxes.proof import Check, Source, equal
from sandboxes.spec import BoxSpec

_CONFIG = (
    "User",
    "Hostname",
    "Domainname",
    "WorkingDir",
    "Entrypoint",
    "Cmd",
    "OpenStdin",
    "StdinOnce",
    "Tty",
)
_MUST_BE_EMPTY = (
    "AutoRemove",
    "Binds",
    "CapAdd",
    "CgroupParent",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "ExtraHosts",
    "GroupAdd",
    "Links",
    "OomKillDisable",
    "PidMode",
    "PortBindings",
    "Privileged",
    "PublishAllPorts",
    "StorageOpt",
    "Sysctls",
    "UTSMode",
    "UsernsMode",
    "VolumesFrom",
)
_SHOWN_CHARACTERS = 60


def engine_checks(spec: BoxSpec, box: Box, detail: Mapping[str, Any]) -> tuple[Check, ...]:
    """Compare the engine's answer with the specification.

    Args:
        spec: what the box should be.
        box: its handle, with the image digest it was made from.
        detail: Docker Engine API 1.41, "Inspect a container".
    """
    return (
        equal("image", Source.ENGINE, box.image, detail.get("Image")),
        *_config_checks(spec, detail.get("Config") or {}),
        *_host_config_checks(spec, detail.get("HostConfig") or {}),
        *_attachment_checks(spec, detail),
    )


def _config_checks(spec: BoxSpec, config: Mapping[str, Any]) -> Iterator[Check]:
    expected = create_arguments(spec, {})
    for key in _CONFIG:
        yield _same(key, expected[key], config.get(key))
    test = (config.get("Healthcheck") or {}).get("Test")
    yield _same("Healthcheck", expected["Healthcheck"]["Test"], test)
    got = set(config.get("Env") or ())
    missing = sorted(set(expected["Env"]) - got)
    yield _same("Env", [], [entry.partition("=")[0] for entry in missing])
    more = [] if spec.stdio else sorted(entry for entry in got - set(expected["Env"]) if "=" in entry)
    yield _same("variables of the image", [], [entry.partition("=")[0] for entry in more])


def _host_config_checks(spec: BoxSpec, host: Mapping[str, Any]) -> Iterator[Check]:
    expected = create_arguments(spec, {})["HostConfig"]
    for key, value in expected.items():
        yield _same(key, value, host.get(key))
    for key in _MUST_BE_EMPTY:
        if key not in expected:
            yield _same(key, None, host.get(key))


def _attachment_checks(spec: BoxSpec, detail: Mapping[str, Any]) -> Iterator[Check]:
    networks = (detail.get("NetworkSettings") or {}).get("Networks") or {}
    yield _same("networks", ["none"], sorted(networks))
    mounted = [[m.get("Type"), m.get("Destination"), bool(m.get("RW"))] for m in detail.get("Mounts") or ()]
    binds = [["bind", mount.target, not mount.read_only] for mount in spec.mounts]
    volumes = [["volume", disk.target, True] for disk in spec.disks]
    yield _same("mounts", [*binds, *volumes], mounted)


def _same(name: str, expected: object, got: object) -> Check:
    wanted, found = _canonical(expected), _canonical(got)
    return Check(name, Source.ENGINE, _shown(wanted), _shown(found), wanted == found)


def _canonical(value: object) -> str:
    """One text for one meaning: order of lists and the engine's many kinds of nothing do not matter."""
    if isinstance(value, list | tuple):
        return json.dumps(sorted(_canonical(item) for item in value)) if value else ""
    if isinstance(value, Mapping):
        pairs = {str(key): _canonical(item) for key, item in value.items()}
        return json.dumps({key: item for key, item in sorted(pairs.items()) if item})
    return "" if value in (None, False, 0, "") else str(value)


def _shown(text: str) -> str:
    cut = (
        text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}... ({len(text)} characters)"
    )
    return cut or "nothing"
