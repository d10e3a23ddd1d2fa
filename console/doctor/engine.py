"""The container engine: does it answer, can it hold a box, are the walls there. Read-only.

It asks the engine's HTTP API itself (Docker Engine API v1.41, `GET /info`), so that it says something useful
even where the driver would refuse the engine.
"""

import json
import socket
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from console.client import UnixConnection
from console.doctor.finding import Finding, Level, good

_SECONDS = 10.0
_LIMITS = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "processor time"}
_START = "make engine, or start the engine you have"


def examine_engine(socket_path: Path) -> list[Finding]:
    """Look at the engine behind a socket."""
    try:
        info = ask(socket_path, "/info")
    except (OSError, HTTPException, ValueError) as error:
        said = f"none answers on {socket_path}: {error}"
        return [Finding("engine", Level.FAIL, said, _START)]
    version = good("engine", f"{info.get('ServerVersion')} on kernel {info.get('KernelVersion')}")
    return [version, _runtimes(info), _limits(info), _seccomp(info), _process_view(socket_path)]


def _runtimes(info: Mapping[str, Any]) -> Finding:
    known = sorted(name for name in info.get("Runtimes") or {} if name in {"runc", "runsc"})
    if "runc" not in known:
        return Finding(
            "runtimes", Level.FAIL, "runc is not registered", "install runc and restart the engine"
        )
    if "runsc" not in known:
        step = "register gVisor's runsc with the engine, for agents that need stronger walls"
        return Finding("runtimes", Level.WARN, "runc only; gVisor (runsc) is not registered", step)
    return good("runtimes", "runc, runsc (gVisor)")


def _limits(info: Mapping[str, Any]) -> Finding:
    missing = [name for key, name in _LIMITS.items() if not info.get(key)]
    cgroup = f"cgroup v{info.get('CgroupVersion')} by {info.get('CgroupDriver')}"
    if missing:
        said = f"{cgroup}: no limit for {', '.join(missing)}"
        return Finding("cgroup limits", Level.FAIL, said, "enable these cgroup controllers on the host")
    return good("cgroup limits", f"{cgroup}: memory, processes, processor time")


def _seccomp(info: Mapping[str, Any]) -> Finding:
    options = info.get("SecurityOptions") or []
    if not any(str(option).startswith("name=seccomp") for option in options):
        return Finding(
            "seccomp", Level.FAIL, "the engine cannot filter system calls", "use a kernel with seccomp"
        )
    return good("seccomp", "available; every box gets our own allow-list")


def _process_view(socket_path: Path) -> Finding:
    """Tell whether the engine is visible here: SO_PEERCRED gives pid 0 for a process in another namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.connect(str(socket_path))
        pid = int.from_bytes(probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), "little")
    if pid == 0:
        step = "run this container with --pid=host"
        return Finding("process view", Level.FAIL, "the engine's processes cannot be seen from here", step)
    return good("process view", "the boxes' processes can be seen from here")


def ask(socket_path: Path, target: str) -> Any:
    """Ask the engine for one thing and return the JSON value that it answers.

    Raises:
        OSError: nobody answers.
        http.client.HTTPException: the answer breaks off, or is no HTTP.
        ValueError: it is no JSON.
    """
    connection = UnixConnection(socket_path, _SECONDS)
    try:
        connection.request("GET", target)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
