"""What was tried inside a box and how it should have ended. Pure."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping

from sandboxes.docker_options import OUTSIDE_NAMESERVER
from sandboxes.driver import Box
from sandboxes.host_checks import CAPABILITY_SETS
from sandboxes.host_view import parse_interfaces, parse_status
from sandboxes.inside import Tries
from sandboxes.proof import Check, Source
from sandboxes.spec import HOSTNAME, BoxSpec, Runtime

NO_ROUTE = frozenset(("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"))
LOCAL_NAMES = frozenset(("localhost", "localhost.localdomain", HOSTNAME))
_SENTRY_NOTE = "given by the sentry: the box has no host kernel to ask, so our filter is not applied to it"
_FILTER_NOTE = "the box's own filter program, copied from its process"
_UNREADABLE_NOTE = (
    "the kernel does not hand out filter programs (CONFIG_CHECKPOINT_RESTORE), so none was tried"
)


def inside_checks(spec: BoxSpec, box: Box, tries: Tries) -> tuple[Check, ...]:
    """Judge what was tried. Not having been able to try is itself a failed check."""
    if tries.trouble or not tries.answers:
        trouble = tries.trouble or "no answers"
        return (Check("tries", Source.INSIDE, "answers", trouble, ok=False),)
    if spec.runtime is Runtime.RUNSC:
        return tuple(_sentry_answers(spec, tries.answers))
    return (_filter_check(tries), *_answers(spec, box, tries.answers))


def _filter_check(tries: Tries) -> Check:
    digests = [hashlib.sha256(b64decode(code)).hexdigest()[:16] for code in tries.filters]
    note = _UNREADABLE_NOTE if tries.filters_unreadable else _FILTER_NOTE
    got = " ".join(digests) or tries.filters_unreadable or "none"
    return Check("system call filter", Source.INSIDE, "at least one", got, bool(digests), note)


def _answers(spec: BoxSpec, box: Box, answers: Mapping[str, str]) -> Iterator[Check]:
    ids = " ".join([str(spec.uid)] * 3 + [str(spec.gid)] * 4)
    exact = {"host name": {HOSTNAME}, "ids": {ids}, "write to /": {"EROFS"}, "write to /etc": {"EROFS"}}
    for name, got in answers.items():
        if name in exact:
            yield _one_of(name, exact[name], got)
        elif name.startswith(("read /etc/", "read /proc/1/")):
            yield _text_check(name, got, box)
        elif name.startswith("read "):
            yield _one_of(name, {"empty", "absent"}, got)
        elif name.startswith("truncate "):
            yield _one_of(name, {"EROFS", "ENOENT"}, got)
        elif name.endswith("to outside"):
            yield _one_of(name, NO_ROUTE, got)
        else:
            yield _one_of(name, {"EPERM"}, got)
    for name in exact.keys() - answers.keys():
        yield _one_of(name, exact[name], "not tried")


def _text_check(name: str, got: str, box: Box) -> Check:
    if name.endswith("resolv.conf"):
        return _one_of(name, {f"nameserver {OUTSIDE_NAMESERVER}"}, got)
    if name.endswith("hosts"):
        foreign = [word for word in got.split() if not _is_local(word)]
        return Check(name, Source.INSIDE, "local names", " ".join(foreign) or "local names", not foreign)
    named = box.id in got or box.id[:12] in got
    return Check(
        name, Source.INSIDE, "no identifier", "the box's id" if named else "no identifier", not named
    )


def _is_local(word: str) -> bool:
    return word in LOCAL_NAMES or word.startswith(("127.", "ip6-", "::1", "fe00::", "ff00::", "ff02::"))


def _sentry_answers(spec: BoxSpec, answers: Mapping[str, str]) -> Iterator[Check]:
    status = parse_status(answers.get("status", ""))
    yield _one_of("kernel", {"its own"}, answers.get("kernel", "not shown"))
    for name in CAPABILITY_SETS[:4]:
        yield _one_of(name, {"0" * 16}, status.get(name, "not shown"))
    yield _one_of("uid", {" ".join([str(spec.uid)] * 4)}, status.get("Uid", "not shown"))
    yield _one_of("gid", {" ".join([str(spec.gid)] * 4)}, status.get("Gid", "not shown"))
    for name in ("write to /", "write to /etc", "write to /proc/sys"):
        yield _one_of(name, {"refused"}, answers.get(name, "not tried"))
    yield _one_of("network interfaces", {"lo"}, " ".join(parse_interfaces(answers.get("interface", ""))))
    yield _one_of("host name", {HOSTNAME}, answers.get("host name", "not shown"))
    nameservers = {f"nameserver {OUTSIDE_NAMESERVER}"}
    yield _one_of("read /etc/resolv.conf", nameservers, answers.get("read /etc/resolv.conf", "not shown"))
    yield _one_of("open files limit", {str(spec.limits.nofile)}, answers.get("files", "not shown"))
    yield from _sentry_mounts(spec, answers.get("mount", ""))
    for name in ("Seccomp", "NoNewPrivs"):
        shown = status.get(name, "not shown")
        yield Check(name, Source.INSIDE, "given by the sentry", shown, ok=True, note=_SENTRY_NOTE)


def _sentry_mounts(spec: BoxSpec, text: str) -> Iterator[Check]:
    lines = [line.split() for line in text.splitlines() if line]
    options = {target: words.split(",") for _, target, _, words, *_ in lines}
    yield _one_of("root file system", {"ro"}, "ro" if "ro" in options.get("/", []) else "rw")
    for item in spec.tmpfs:
        size = next((word for word in options.get(item.target, []) if word.startswith("size=")), "no size")
        yield _one_of(f"scratch {item.target}", {f"size={item.size_mib}m"}, size)


def _one_of(name: str, expected: "frozenset[str] | set[str]", got: str) -> Check:
    return Check(name, Source.INSIDE, " or ".join(sorted(expected)), got, got in expected)
