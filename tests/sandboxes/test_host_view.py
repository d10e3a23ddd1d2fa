"""Reading /proc and control groups as text, of both versions."""

from pathlib import Path

import pytest

from sandboxes.cgroups import cgroup_homes, read_limits
from sandboxes.errors import BoxGoneError
from sandboxes.host_checks import host_id
from sandboxes.host_view import (
    parse_cgroups,
    parse_interfaces,
    parse_limits,
    parse_mounts,
    parse_status,
    start_ticks,
)

VERSION_1 = {
    "memory/docker/abc/memory.limit_in_bytes": "1048576",
    "memory/docker/abc/memory.memsw.limit_in_bytes": "1048576",
    "pids/docker/abc/pids.max": "64",
    "cpu/docker/abc/cpu.cfs_quota_us": "50000",
    "cpu/docker/abc/cpu.cfs_period_us": "100000",
}
VERSION_2 = {
    "docker/abc/memory.max": "1048576",
    "docker/abc/memory.swap.max": "0",
    "docker/abc/pids.max": "64",
    "docker/abc/cpu.max": "50000 100000",
}


def hierarchy(place: Path, files: dict[str, str], mounts: list[str]) -> Path:
    """A proc directory and control group files as a kernel would show them."""
    for name, text in files.items():
        path = place / "cg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    proc = place / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "mountinfo").write_text("".join(f"{line}\n" for line in mounts))
    return proc


def test_version_1_limits_are_read_per_controller(tmp_path: Path) -> None:
    mounts = [f"1 1 0:1 / {tmp_path}/cg/{n} rw - cgroup cgroup rw,{n}" for n in ("memory", "pids", "cpu")]
    proc = hierarchy(tmp_path, VERSION_1, mounts)

    limits = read_limits(
        parse_cgroups("3:memory:/docker/abc\n2:pids:/docker/abc\n1:cpu:/docker/abc\n0::/x"), proc
    )

    assert (limits.memory_bytes, limits.swap_bytes, limits.pids, limits.cpus) == (1048576, 0, 64, 0.5)


def test_version_2_limits_are_read_from_the_one_group(tmp_path: Path) -> None:
    proc = hierarchy(tmp_path, VERSION_2, [f"1 1 0:1 / {tmp_path}/cg rw - cgroup2 cgroup2 rw"])

    limits = read_limits(parse_cgroups("0::/docker/abc"), proc)

    assert (limits.memory_bytes, limits.swap_bytes, limits.pids, limits.cpus) == (1048576, 0, 64, 0.5)
    assert [path.name for path in limits.procs_files] == ["cgroup.procs"]


def test_no_limit_is_never_taken_for_a_small_one(tmp_path: Path) -> None:
    files = {"docker/abc/memory.max": "max", "docker/abc/cpu.max": "max 100000", "docker/abc/pids.max": "max"}
    proc = hierarchy(tmp_path, files, [f"1 1 0:1 / {tmp_path}/cg rw - cgroup2 cgroup2 rw"])

    limits = read_limits(parse_cgroups("0::/docker/abc"), proc)

    assert (limits.memory_bytes, limits.swap_bytes, limits.pids, limits.cpus) == (None, None, None, None)


def test_a_hierarchy_this_host_does_not_show_gives_no_limits(tmp_path: Path) -> None:
    limits = read_limits(parse_cgroups("0::/docker/abc"), hierarchy(tmp_path, {}, []))

    assert (limits.memory_bytes, limits.procs_files) == (None, ())


def test_a_mount_that_shows_only_a_part_of_the_hierarchy_is_followed() -> None:
    """A serve that itself runs in a container sees its control groups from there."""
    homes = cgroup_homes({"": "/outer/docker/abc"}, "1 1 0:1 /outer /sys/fs/cgroup rw - cgroup2 cgroup2 rw")

    assert homes == {"": Path("/sys/fs/cgroup/docker/abc")}


def test_mount_lines_are_read_with_and_without_optional_fields() -> None:
    text = (
        "72 48 0:39 / / ro,relatime master:2 shared:1 - overlay overlay rw,lowerdir=/a\n"
        "90 72 0:48 /null /a\\040b rw,nosuid - tmpfs tmpfs rw,size=65536k\n"
    )

    first, second = parse_mounts(text)

    assert (first.target, first.kind, "ro" in first.options) == ("/", "overlay", True)
    assert (second.target, second.root, "size=65536k" in second.super_options) == ("/a b", "/null", True)


def test_small_tables_are_read() -> None:
    limits = (
        f"{'Limit':26}Soft Limit   Hard Limit   Units\n{'Max open files':26}64           64           files\n"
    )

    assert parse_status("Uid:\t1\t2\t3\t4\nCapEff:\t0000\n") == {"Uid": "1 2 3 4", "CapEff": "0000"}
    assert parse_limits(limits) == {"Max open files": ("64", "64")}
    assert parse_interfaces("Inter-|\n face |bytes\n    lo: 0 0\n  eth0: 1\n") == ("eth0", "lo")


def test_a_name_with_spaces_and_brackets_does_not_shift_the_start_time(tmp_path: Path) -> None:
    """A program may call itself `x) S 1`; fields are counted from the last bracket."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (x) S 1) S " + " ".join(str(n) for n in range(4, 40)))

    assert start_ticks(7, tmp_path) == 22


def test_a_process_that_ended_is_gone(tmp_path: Path) -> None:
    with pytest.raises(BoxGoneError, match="process 7"):
        start_ticks(7, tmp_path)


@pytest.mark.parametrize(
    ("inside", "id_map", "outside"),
    [
        (65534, "0 0 4294967295", 65534),
        (65534, "0 100000 65536", 165534),
        (5, "0 100000 1 1 7000 65535", 7004),
        (70000, "0 100000 65536", None),
        (1, "", None),
    ],
)
def test_a_users_number_is_followed_through_a_user_namespace(
    inside: int, id_map: str, outside: int | None
) -> None:
    assert host_id(inside, id_map) == outside
