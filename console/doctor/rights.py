"""What this process may do on this machine, and the programs and the clock that it counts on."""

import ctypes
import re
import shutil
from pathlib import Path

from console.doctor.finding import Finding, Level, good
from console.errors import ConsoleError

_CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_SYS_PTRACE": 19}
"""Numbers from linux/capability.h: entering a box's namespaces, and reading its processes."""
_TIMEX_BYTES = 512
"""More than `struct timex` has on any Linux (adjtimex(2)); zero `modes` in it only reads."""
_TIME_ERROR = 5
_STATUS = Path("/proc/self/status")


def examine_rights(status: Path = _STATUS) -> list[Finding]:
    """Look at this process's capabilities, at ssh-keygen and at the clock."""
    return [_capabilities(status), _keygen(), _clock()]


def need_rights() -> None:
    """See that this process may do what `serve` does. Raises ConsoleError with the next step if not."""
    lacking = _capabilities(_STATUS)
    if lacking.level is Level.FAIL:
        raise ConsoleError(lacking.said, next_step=lacking.next_step)


def _capabilities(status: Path) -> Finding:
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
    effective = int(found.group(1), 16) if found else 0
    missing = [name for name, bit in _CAPABILITIES.items() if not effective >> bit & 1]
    if missing:
        said = f"this user lacks {', '.join(missing)}: no box can be proved, so none is released"
        return Finding("rights", Level.FAIL, said, "run `handrail serve` as root or by docs/handrail.service")
    return good("rights", "CAP_SYS_ADMIN, CAP_SYS_PTRACE")


def _keygen() -> Finding:
    where = shutil.which("ssh-keygen")
    if where is None:
        return Finding("ssh-keygen", Level.FAIL, "not found: nobody can sign", "install the OpenSSH client")
    return good("ssh-keygen", where)


def _clock() -> Finding:
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    if ctypes.CDLL(None).adjtimex(timex) in {-1, _TIME_ERROR}:
        said = "the kernel does not call this clock synchronised; expiries and dwell times follow it"
        return Finding("clock", Level.WARN, said, "run an NTP client, such as systemd-timesyncd or chrony")
    return good("clock", "synchronised")
