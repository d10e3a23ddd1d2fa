"""Trying forbidden things inside a box: by a helper that enters it (runc), by its own shell (gVisor).

gVisor's inside exists only in its sentry: a process of the host can enter the namespaces around it, not
the box itself. So there the box's own shell tries, run with `exec` as the box's own user.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandboxes.cgroups import CgroupLimits
from sandboxes.docker_options import MASKED_PATHS, READONLY_PATHS
from sandboxes.driver import Box, SandboxDriver
from sandboxes.errors import SandboxError
from sandboxes.host_view import BoxProcess

PROBE = Path(__file__).with_name("probe.py")
PROBE_TIMEOUT_S = 15
TEXTS = ("/etc/resolv.conf", "/etc/hosts", "/proc/1/cgroup")
READONLY_FILES = {"/proc/sys": "/proc/sys/kernel/hostname"}
SHELL_PROBE = r"""
t() { if (eval "$2") 2>/dev/null; then echo "$1=done"; else echo "$1=refused"; fi; }
r() { while IFS= read -r l; do echo "$1=$l"; done <"$2"; }
t 'write to /' ': >/.write-test'
t 'write to /etc' ': >/etc/.write-test'
t 'write to /proc/sys' ': >/proc/sys/kernel/hostname'
r status /proc/1/status
r interface /proc/net/dev
r mount /proc/mounts
r version /proc/version
r 'read /etc/resolv.conf' /etc/resolv.conf
r 'host name' /proc/sys/kernel/hostname
echo "files=$(ulimit -n)"
echo end=reached
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What was tried inside and what the kernel answered. `trouble` says why nothing could be tried."""

    answers: Mapping[str, str] = field(default_factory=dict)
    filters: tuple[str, ...] = ()
    trouble: str = ""
    filters_unreadable: str = ""


def start_helper() -> "subprocess.Popen[bytes]":
    """Start the helper; it waits for its request, so its start-up can overlap with other work."""
    command = [sys.executable, "-I", "-S", str(PROBE)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env={}, close_fds=True)


def finish_helper(helper: "subprocess.Popen[bytes]", process: BoxProcess, limits: CgroupLimits) -> Tries:
    """Send the request, wait for the answer, and end the helper in every case."""
    request = {
        "pid": process.pid,
        "start_ticks": process.start_ticks,
        "procs_files": [str(path) for path in limits.procs_files],
        "masked": list(MASKED_PATHS),
        "readonly": [READONLY_FILES.get(path, path) for path in READONLY_PATHS if path in READONLY_FILES],
        "texts": list(TEXTS),
    }
    try:
        out, err = helper.communicate(json.dumps(request).encode(), timeout=PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Tries(trouble=f"no answer within {PROBE_TIMEOUT_S} s")
    finally:
        end_helper(helper)
    return read_answer(out, err)


def end_helper(helper: "subprocess.Popen[bytes]") -> None:
    """Kill a helper that may still run, reap it and close its pipes."""
    helper.kill()
    helper.wait()
    for pipe in (helper.stdin, helper.stdout, helper.stderr):
        if pipe is not None:
            pipe.close()


def read_answer(out: bytes, err: bytes) -> Tries:
    """Read what the helper wrote; anything unexpected is trouble, never an answer."""
    try:
        answer = json.loads(out)
        return Tries(
            answers=dict(answer.get("tries", {})),
            filters=tuple(answer["filters"]),
            trouble=str(answer.get("error", "")),
            filters_unreadable=str(answer["unreadable"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        last = err.decode(errors="replace").strip().splitlines()[-1:] or ["it wrote nothing"]
        return Tries(
            trouble=f"the helper failed: {last[0]}; serve needs root or CAP_SYS_ADMIN and CAP_SYS_PTRACE"
        )


def try_by_shell(driver: SandboxDriver, box: Box) -> Tries:
    """Run the shell probe in the box as its own user."""
    try:
        result = driver.exec(box, ["sh", "-c", SHELL_PROBE])
    except SandboxError as cause:
        return Tries(trouble=str(cause))
    answers = parse_shell_answers(result.stdout.decode(errors="replace"))
    if result.exit_code != 0 or answers.get("end") != "reached":
        reason = result.stderr.decode(errors="replace").strip()[:200] or f"exit code {result.exit_code}"
        return Tries(trouble=f"its shell could not try: {reason}; a gVisor box needs an image with sh")
    return Tries(answers=answers | {"kernel": kernel_of(answers.get("version", ""), platform.release())})


def kernel_of(version: str, host_release: str) -> str:
    """Whether a box's /proc/version names a kernel of its own. A covered file names none."""
    if not version.startswith("Linux version "):
        return "not shown"
    return "the host's" if host_release in version else "its own"


def parse_shell_answers(text: str) -> dict[str, str]:
    """Read `name=value` lines; lines of one name are joined."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return {name: "\n".join(values) for name, values in found.items()}
