"""What files tell: /proc, /sys, devices, mounts, processes and the whole tree with sizes, modes and times."""

# ruff: noqa: TID251, PTH114, PTH115, PTH118, PTH119, PTH120, PTH208 - runs inside a box; os.path is quicker

import hashlib
import os
import stat
import time
from collections.abc import Iterator

from .facts import Facts, answer

READ_BYTES = 65536
READ_PIECES = 16
MAPPED_FILE = 5  # the word of a line of /proc/PID/maps that names a file
BEFORE_BOX_S = 30
ENGINES_MARK = "/.dockerenv"  # the engine makes it with the box, before anything else of its own
BEFORE_MARK_S = 1
SPLIT = frozenset(
    ("meminfo", "vmstat", "stat", "status", "limits", "mounts", "mountinfo", "devices", "misc", "cgroups",
     "filesystems", "netstat", "snmp", "sockstat", "io", "sched", "protocols", "dev", "smaps_rollup",
     "memory.stat", "cpuacct.stat", "cpu.stat", "snmp6")
)  # fmt: skip
SKIPPED = frozenset(
    ("kmsg", "kcore", "mem", "pagemap", "clear_refs", "kpagecount", "kpageflags", "kpagecgroup", "task",
     "map_files", "fd", "fdinfo", "environ", "cmdline", "auxv", "smaps", "maps", "numa_maps", "kallsyms",
     "sysrq-trigger")
)  # fmt: skip
TREES = ("/bin", "/boot", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/root", "/run",
         "/sbin", "/srv", "/tmp", "/usr", "/var")  # fmt: skip  # noqa: S108 - looked at, not used


def look(facts: Facts) -> None:
    """Note everything of this module."""
    for path in _files_below("/proc", depth=6):
        _read_proc(facts, path)
    for process in ("1", "self"):
        for path in _files_below(f"/proc/{process}", depth=2):
            _read_proc(facts, path)
    _mapped(facts)
    _namespaces(facts)
    _sys(facts)
    _devices(facts)
    _processes(facts)
    _tree(facts)


def _files_below(root: str, depth: int) -> Iterator[str]:
    """Every file under a directory, links and processes apart."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.isdigit() and root == "/proc":
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth > 1 and entry.name not in SKIPPED:
                yield from _files_below(entry.path, depth - 1)
        elif not entry.is_symlink() and entry.name not in SKIPPED:
            yield entry.path


def read(path: str) -> str:
    """Return the start of a file without ever waiting for it."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        pieces: list[bytes] = []
        while len(piece := os.read(handle, READ_BYTES)) and len(pieces) < READ_PIECES:
            pieces.append(piece)
        return b"".join(pieces).decode(errors="backslashreplace")
    finally:
        os.close(handle)


def is_masked(path: str) -> bool:
    """Whether something empty was put over a path of /proc or /sys."""
    found = os.lstat(path)
    if stat.S_ISCHR(found.st_mode):
        return not path.startswith("/dev/")
    parent = os.lstat(os.path.dirname(path))
    return stat.S_ISDIR(found.st_mode) and found.st_dev != parent.st_dev and not os.listdir(path)


def _family(path: str) -> str:
    if path.startswith("/proc/net") or "/net/" in path:
        return "network"
    if "cgroup" in path:
        return "cgroup"
    if path.endswith(("/mounts", "/mountinfo", "/mountstats")):
        return "mounts"
    if path in ("/proc/meminfo", "/proc/vmstat", "/proc/zoneinfo", "/proc/buddyinfo", "/proc/slabinfo"):
        return "memory"
    return "proc"


def _read_proc(facts: Facts, path: str) -> None:
    masked = answer(is_masked, path) is True
    content = str(answer(read, path))
    family, name = _family(path), os.path.basename(path)
    if name == "stat" and path != "/proc/stat":
        _fields(facts, path, content)
    elif name in SPLIT and not masked and not content.startswith("error:"):
        note_lines(facts, family, path, content)
    else:
        facts.put(family, path, content, masked=masked)


def _fields(facts: Facts, path: str, content: str) -> None:
    for number, field in enumerate(content.rpartition(")")[2].split(), 3):
        facts.put("proc", f"{path} field {number}", field)


def note_lines(facts: Facts, family: str, path: str, content: str) -> None:
    """Note each line under its first word, each mount under its target and each of its parts apart."""
    for line in content.splitlines():
        words = line.split()
        if not words:
            continue
        if family == "mounts":
            _mount(facts, path, words)
        else:
            facts.put(family, f"{path} {words[0].rstrip(':')}", line)


def _mount(facts: Facts, path: str, words: list[str]) -> None:
    if path.endswith("/mountinfo") and "-" in words:
        dash = words.index("-")
        parts = {
            "numbers": words[:2], "device": words[2], "root": words[3], "options": words[5],
            "propagation": words[6:dash],
            "kind": words[dash + 1], "source": words[dash + 2], "more options": words[dash + 3 :],
        }  # fmt: skip
        facts.each("mounts", f"{path} {words[4]} ", parts)
        return
    parts = {"source": words[0], "rest": words[2:]} if path.endswith("/mounts") else {"line": words}
    facts.each("mounts", f"{path} {words[1]} ", parts)


def _mapped(facts: Facts) -> None:
    lines = str(answer(read, "/proc/self/maps")).splitlines()
    named = sorted(
        {" ".join(words[MAPPED_FILE:]) for words in map(str.split, lines) if len(words) > MAPPED_FILE}
    )
    facts.put("memory", "mapped files", named)


def _namespaces(facts: Facts) -> None:
    for name in sorted(os.listdir("/proc/self/ns")):
        facts.ask("proc", f"namespace {name}", os.readlink, f"/proc/self/ns/{name}")


def _sys(facts: Facts) -> None:
    """Note /sys file by file, and the directories that something empty was put over."""
    for path in _files_below("/sys", depth=14):
        content = str(answer(read, path))
        masked = answer(is_masked, path) is True
        family = "cgroup" if path.startswith("/sys/fs/cgroup") else "sys"
        if family == "cgroup" and os.path.basename(path) in SPLIT:
            note_lines(facts, family, path, content)
        else:
            facts.put(family, path, content, masked=masked)
    for root in ("/proc", "/sys"):
        for path in _directories(root, 4):
            if answer(is_masked, path) is True:
                facts.put(root[1:], path, "", masked=True)


def _directories(root: str, depth: int) -> Iterator[str]:
    entries = answer(lambda: sorted(os.scandir(root), key=lambda entry: entry.name))
    for entry in entries if isinstance(entries, list) else []:
        if entry.is_dir(follow_symlinks=False) and not entry.name.isdigit():
            yield entry.path
            if depth > 1:
                yield from _directories(entry.path, depth - 1)


def _devices(facts: Facts) -> None:
    for root, directories, files in os.walk("/dev"):
        directories.sort()
        for name in sorted(files + directories):
            path = os.path.join(root, name)
            found = os.lstat(path)
            told = (stat.filemode(found.st_mode), found.st_uid, found.st_gid, found.st_rdev, _open(path))
            facts.put("devices", path, told)


def _open(path: str) -> object:
    def attempt() -> str:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))
        return "opens"

    return answer(attempt)


def _processes(facts: Facts) -> None:
    numbers = sorted((name for name in os.listdir("/proc") if name.isdigit()), key=int)
    facts.put("processes", "numbers", numbers)
    for position, number in enumerate(numbers, 1):
        for name in ("comm", "cmdline", "wchan", "cgroup", "oom_score_adj", "loginuid", "sessionid"):
            path = f"/proc/{number}/{name}"
            facts.ask("processes", f"process {position}: {name}", read, path)
        for name in ("exe", "cwd", "root"):
            path = f"/proc/{number}/{name}"
            facts.ask("processes", f"process {position}: {name}", os.readlink, path)


def _tree(facts: Facts) -> None:
    """Note each tree of the image as one fact, and every file that came with the box by itself."""
    facts.ask("files", "/", lambda: sorted(os.listdir("/")))
    begun = time.time()
    box = _made()
    for top in TREES:
        hashed, count = hashlib.sha256(), 0
        for path in _all_below(top):
            found = os.lstat(path)
            if max(found.st_mtime, found.st_ctime) > box:
                _young(facts, path, found, begun)
                continue
            hashed.update(f"{path} {_told(path, found)}\n".encode(errors="surrogateescape"))
            count += 1
        facts.put("files", f"{top}/**", f"{count} files {hashed.hexdigest()}")


def _made() -> float:
    try:
        mark = os.lstat(ENGINES_MARK).st_ctime
    except OSError:
        mark = 0.0
    return made_at(time.time() - _age_of_first_process(), mark)


def made_at(started: float, mark: float) -> float:
    """Return the time from which on a file came with the box and not with its image, in seconds since 1970.

    An image may have been built half a minute ago: its files are no younger for the box that looks first.

    Args:
        started: when the first process started.
        mark: when the engine made its first file in the box; 0 where there is none.
    """
    return max(started - BEFORE_BOX_S, mark - BEFORE_MARK_S)


def _age_of_first_process() -> float:
    ticks = int(read("/proc/1/stat").rpartition(")")[2].split()[19])
    return float(read("/proc/uptime").split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def _all_below(top: str) -> Iterator[str]:
    if not os.path.lexists(top):
        return
    yield top
    if not os.path.islink(top):
        for root, directories, files in os.walk(top):
            directories.sort()
            yield from (os.path.join(root, name) for name in sorted(directories + files))


def _told(path: str, found: os.stat_result) -> str:
    link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
    times = f"{found.st_mtime_ns} {found.st_ctime_ns}"
    return f"{found.st_mode:o} {found.st_uid} {found.st_gid} {found.st_size} {found.st_nlink} {times} {link}"


def _young(facts: Facts, path: str, found: os.stat_result, begun: float) -> None:
    facts.put("files", f"young {path} kind", (found.st_mode, found.st_uid, found.st_gid, found.st_nlink))
    if stat.S_ISREG(found.st_mode):
        facts.ask("files", f"young {path} text", lambda: (found.st_size, read(path)))
    for name in ("st_mtime", "st_ctime"):
        age = int(max(0.0, begun - getattr(found, name)))
        facts.put("files", f"young {path} {name}, doublings of seconds", age.bit_length())
