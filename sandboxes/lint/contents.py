"""Files of an image that tell a status by what stands in them. Pure.

Sources: os-release(5); PEP 610 for `direct_url.json`; `gitHead` as npm writes it when it publishes; PEP 552
for the head of a byte-code file: four bytes of flags, zero where the next four are the source's time.
"""

import json
import re
from collections.abc import Iterator
from shlex import quote
from typing import Any, Final

from profiles.context import StatusKind
from sandboxes.lint.finding import Finding, Weight, finding
from sandboxes.lint.names import kind_of_name, words
from sandboxes.lint.paths import THIRD_PARTY

_OS_RELEASE: Final = re.compile(
    r"^/(etc|usr/lib)/[^/]*(release|version|revision|build|deploy)[^/]*$", re.IGNORECASE
)
_DISTRIBUTION: Final = re.compile(
    r"/(debian_version|(alpine|redhat|centos|fedora|system|rocky|almalinux|oracle|SuSE|arch|gentoo|amazon-linux)"
    r"-release(-cpe)?|lsb-release|os-release)$"
)
_OS_KEYS: Final = words(
    "NAME VERSION ID ID_LIKE VERSION_CODENAME VERSION_ID PRETTY_NAME ANSI_COLOR CPE_NAME HOME_URL LOGO "
    "DOCUMENTATION_URL SUPPORT_URL BUG_REPORT_URL PRIVACY_POLICY_URL UBUNTU_CODENAME VENDOR_NAME VENDOR_URL "
    "VARIANT VARIANT_ID SUPPORT_END PLATFORM_ID DEFAULT_HOSTNAME ARCHITECTURE DISTRIB_ID DISTRIB_RELEASE "
    "DISTRIB_CODENAME DISTRIB_DESCRIPTION DEBIAN_VERSION_FULL"
)
_OS_PREFIXES: Final = ("REDHAT_", "ORACLE_", "ROCKY_", "ALMALINUX_", "CENTOS_", "LSB_")
_ROLLING: Final = frozenset({"rolling", ""})
_HOSTNAMES: Final = frozenset({"", "localhost", "box"})
HOSTNAME_FILE: Final = "/etc/hostname"
_FOR_ALL: Final = re.compile(r"^/etc/(environment|profile\.d/[^/]+)$")
_SET: Final = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=([^$`\n]*)$", re.MULTILINE)
_DIRECT_URL: Final = re.compile(r"\.dist-info/direct_url\.json$")
_PACKAGE: Final = re.compile(r"/package(-lock)?\.json$")
_WANTED: Final = (_DIRECT_URL, _OS_RELEASE, _FOR_ALL, re.compile(r"^/etc/hostname$"))
_FLAGS: Final = slice(4, 8)
_SOURCE_TIME: Final = slice(8, 12)


def is_wanted(path: str) -> bool:
    """Whether the rules below look into a file."""
    if _PACKAGE.search(path):
        return THIRD_PARTY.search(path) is None
    return any(pattern.search(path) for pattern in _WANTED)


def findings_in(path: str, content: bytes) -> Iterator[Finding]:
    """Yield what the text of one file tells."""
    text = content.decode(errors="replace")
    if path == HOSTNAME_FILE and text.strip() not in _HOSTNAMES:
        fix = f"empty it: RUN : > {path}"
        yield finding(f"file {path}", text, StatusKind.PLACE, "hostname", fix=fix, weight=Weight.WARNING)
    elif _FOR_ALL.search(path):
        yield from _variables(path, text)
    elif _DIRECT_URL.search(path):
        yield from _direct_url(path, text)
    elif _PACKAGE.search(path):
        yield from _package(path, text)
    elif _DISTRIBUTION.search(path):
        yield from _release(path, text)
    elif _OS_RELEASE.search(path) and path.startswith("/etc/") and text.strip():
        fix = f"RUN rm {quote(path)}"
        yield finding(
            f"file {path}", text, StatusKind.DEPLOYMENT, "release-file", fix=fix, weight=Weight.ERROR
        )


def source_time(head: bytes) -> int | None:
    """Return the source's time that a byte-code file names, in seconds since 1970; None if it names none."""
    if len(head) < _SOURCE_TIME.stop or any(head[_FLAGS]):
        return None
    return int.from_bytes(head[_SOURCE_TIME], "little")


def _release(path: str, text: str) -> Iterator[Finding]:
    for line in text.splitlines():
        key, is_pair, value = line.partition("=")
        known = key in _OS_KEYS or key.startswith(_OS_PREFIXES) or not re.fullmatch(r"[A-Z][A-Z0-9_]*", key)
        if is_pair and not known and value.strip().strip("\"'") not in _ROLLING:
            fix = f"RUN sed -i /^{key}=/d {quote(path)}"
            yield finding(
                f"file {path}", line, StatusKind.DEPLOYMENT, "release-key", fix=fix, weight=Weight.ERROR
            )


def _variables(path: str, text: str) -> Iterator[Finding]:
    """Yield the variables that a file sets for every session, environment(5), as those of the image."""
    for name, quoted in _SET.findall(text):
        value = quoted.strip().strip("\"'")
        if value and (kind := kind_of_name(name, value)):
            fix = f"RUN sed -i -E '/^ *(export +)?{name}=/d' {quote(path)}"
            where = f"file {path}"
            yield finding(where, f"{name}={value}", kind, "variable-in-file", fix=fix, weight=Weight.ERROR)


def _direct_url(path: str, text: str) -> Iterator[Finding]:
    told = _parsed(text)
    fix = f"install from an index or with --find-links, or RUN rm {quote(path)}"
    if isinstance(vcs := told.get("vcs_info"), dict):
        found = str(vcs.get("commit_id") or vcs)
        yield finding(
            f"file {path}", found, StatusKind.DEPLOYMENT, "direct-url", fix=fix, weight=Weight.ERROR
        )
    elif told.get("url"):
        yield finding(
            f"file {path}",
            str(told["url"]),
            StatusKind.DEPLOYMENT,
            "direct-url",
            fix=fix,
            weight=Weight.WARNING,
        )


def _package(path: str, text: str) -> Iterator[Finding]:
    head = _parsed(text).get("gitHead")
    if isinstance(head, str):
        fix = f"RUN npm pkg delete gitHead, or take the line out of {quote(path)}"
        yield finding(f"file {path}", head, StatusKind.DEPLOYMENT, "git-head", fix=fix, weight=Weight.ERROR)


def _parsed(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
