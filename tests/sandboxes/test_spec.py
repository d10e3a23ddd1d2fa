"""What a box may be made of."""

from collections.abc import Callable

import pytest

from sandboxes.errors import BoxSpecError
from sandboxes.spec import BoxLimits, BoxSpec, Mount, Tmpfs

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "root": (lambda: BoxSpec(image="i", uid=0), "uid is 0"),
    "the root group": (lambda: BoxSpec(image="i", gid=0), "gid is 0"),
    "an empty command": (lambda: BoxSpec(image="i", command=()), "command is empty"),
    "stdio behind the gate": (lambda: BoxSpec(image="i", stdio=True), "stdio needs a command"),
    "an environment before release": (lambda: BoxSpec(image="i", environment={"A": "b"}), "given at release"),
    "a relative working directory": (lambda: BoxSpec(image="i", workdir="work"), "workdir is 'work'"),
    "the root as a mount": (lambda: Mount(source="/srv/x", target="/"), "mount target is '/'"),
    "a way up": (lambda: Mount(source="/srv/../etc", target="/x"), "without '..'"),
    "an option smuggled into a path": (lambda: Tmpfs(target="/x:exec", size_mib=1), "without colon"),
    "the engine's socket": (lambda: Mount(source="/var/run/docker.sock", target="/s"), "never in a box"),
    "scratch without a size": (lambda: Tmpfs(target="/x", size_mib=0), "size_mib is 0"),
    "two mounts at one place": (
        lambda: BoxSpec(image="i", mounts=(Mount(source="/srv/x", target="/tmp"),)),
        "more than one mount at /tmp",
    ),
    "no memory": (lambda: BoxLimits(memory_mib=0), "memory_mib is 0"),
    "no processor": (lambda: BoxLimits(cpus=0), "cpus is 0"),
    "no pids": (lambda: BoxLimits(pids=0), "pids is 0"),
    "no time": (lambda: BoxLimits(wall_seconds=0), "wall_seconds is 0"),
    "a label of another shape": (lambda: BoxSpec(image="i", labels={"Run.Id": "x"}), "label 'Run.Id'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_box_may_have_is_refused_by_name(what: str) -> None:
    build, message = REFUSED[what]

    with pytest.raises(BoxSpecError, match=message):
        build()


def test_a_box_without_a_command_waits_behind_its_gate() -> None:
    assert BoxSpec(image="i").gated
    assert not BoxSpec(image="i", command=("agent",)).gated


def test_the_user_always_comes_with_its_group() -> None:
    """R-24: a bare uid would be given group 0 by the engine."""
    assert BoxSpec(image="i", uid=1000, gid=1001).user == "1000:1001"
