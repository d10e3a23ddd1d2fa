"""Take away each hardening option, one by one, and the attestation refuses the box."""

import json
from dataclasses import dataclass

import pytest

from sandboxes.attest import attest, examine
from sandboxes.docker_driver import Alter
from sandboxes.docker_options import create_arguments
from sandboxes.errors import AttestationError, BoxGoneError
from sandboxes.proof import Source
from sandboxes.spec import Runtime
from tests.standins.altered import both, config, security, walls
from tests.standins.boxes import SHELLLESS, Boxes, needs, small_spec

pytestmark = pytest.mark.engine
BIND = {"Type": "bind", "Source": "/var/tmp", "Target": "/data", "ReadOnly": False}


@dataclass(frozen=True)
class Row:
    """One option taken away, and checks that must notice."""

    alter: Alter
    expected: set[str]


def row(alter: Alter, *expected: str) -> Row:
    return Row(alter, set(expected))


ON_RUNC = {
    "network none to bridge": row(
        walls(NetworkMode="bridge"),
        "host:network interfaces",
        "inside:IPv4 to outside",
    ),
    "network none to host": row(walls(NetworkMode="host"), "host:net namespace", "host:network"),
    "private ipc": row(walls(IpcMode="host"), "host:ipc namespace", "engine:IpcMode"),
    "private cgroup namespace": row(
        walls(CgroupnsMode="host"),
        "host:cgroup namespace",
        "inside:read /proc/1/cgroup",
    ),
    "own process namespace": row(walls(PidMode="host"), "host:pid namespace", "engine:PidMode"),
    "own host name": row(
        both(walls(UTSMode="host"), config(Hostname=None)),
        "host:uts namespace",
        "inside:host name",
    ),
    "init": row(walls(Init=None), "engine:Init"),
    "not privileged": row(walls(Privileged=True), "host:CapBnd", "engine:Privileged"),
    "dropped capabilities": row(walls(CapDrop=None), "host:CapBnd", "engine:CapDrop"),
    "no capability added": row(walls(CapAdd=["NET_ADMIN"]), "host:CapBnd", "engine:CapAdd"),
    "no new privileges": row(security("seccomp"), "host:NoNewPrivs", "engine:SecurityOpt"),
    "our system call filter": row(security("no-new"), "inside:call ptrace", "inside:vsock socket"),
    "any system call filter": row(
        security("no-new", "seccomp=unconfined"),
        "host:Seccomp",
        "inside:call unshare",
    ),
    "read-only root": row(walls(ReadonlyRootfs=None), "host:root file system", "inside:write to /"),
    "masked paths": row(walls(MaskedPaths=[]), "host:masked /proc/version", "inside:read /proc/version"),
    "read-only paths": row(
        walls(ReadonlyPaths=[]),
        "host:read-only /proc/sys",
        "inside:truncate /proc/sys/kernel/hostname",
    ),
    "neutral name server": row(walls(Dns=["192.0.2.53"]), "inside:read /etc/resolv.conf"),
    "no name server asked for": row(walls(Dns=None), "engine:Dns"),
    "no search domain": row(walls(DnsSearch=["corp.example"]), "inside:read /etc/resolv.conf"),
    "no other host named": row(walls(ExtraHosts=["db.example:192.0.2.7"]), "inside:read /etc/hosts"),
    "memory limit": row(walls(Memory=None, MemorySwap=None), "host:memory limit"),
    "no swap": row(walls(MemorySwap=-1), "host:swap limit"),
    "processor limit": row(walls(NanoCpus=None), "host:cpu limit"),
    "pids limit": row(walls(PidsLimit=None), "host:pids limit"),
    "small shared memory": row(walls(ShmSize=None), "host:scratch /dev/shm"),
    "open files and core limits": row(walls(Ulimits=[]), "host:open files limit", "host:core dump limit"),
    "capped log": row(walls(LogConfig=None), "engine:LogConfig"),
    "uncapped local log": row(walls(LogConfig={"Type": "local", "Config": {}}), "engine:LogConfig"),
    "sized scratch": row(
        walls(Tmpfs={"/tmp": "rw", "/home/agent": "rw"}), "host:scratch /tmp", "engine:Tmpfs"
    ),
    "scratch at all": row(walls(Tmpfs=None), "host:scratch /tmp", "host:scratch /home/agent"),
    "no other mount": row(walls(Mounts=[BIND]), "host:unexpected writable mounts", "engine:mounts"),
    "no bind": row(walls(Binds=["/var/tmp:/data:rw"]), "host:unexpected writable mounts", "engine:Binds"),
    "no volume": row(config(Volumes={"/data": {}}), "host:unexpected writable mounts", "engine:mounts"),
    "no device": row(
        walls(Devices=[{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}]),
        "engine:Devices",
    ),
    "no sysctl": row(walls(Sysctls={"net.ipv4.ip_unprivileged_port_start": "0"}), "engine:Sysctls"),
    "no more groups": row(walls(GroupAdd=["4"]), "host:groups", "inside:ids"),
    "no restart": row(walls(RestartPolicy={"Name": "always"}), "engine:RestartPolicy"),
    "killed when out of memory": row(walls(OomKillDisable=True), "engine:OomKillDisable"),
    "a user": row(config(User=None), "host:uid", "inside:gain root"),
    "a group": row(config(User="65534"), "host:gid", "inside:ids"),
    "constant host name": row(config(Hostname="tier-0"), "inside:host name", "engine:Hostname"),
    "no terminal": row(config(Tty=True), "engine:Tty"),
    "stdin stays open": row(config(StdinOnce=True), "engine:StdinOnce"),
    "no health check": row(config(Healthcheck={"Test": ["CMD", "true"]}), "engine:Healthcheck"),
    "the gate": row(config(Entrypoint=["sleep"], Cmd=["60"]), "engine:Entrypoint"),
    "the image": row(config(Image=SHELLLESS, Entrypoint=["sleep"], Cmd=["60"]), "engine:image"),
    "the working directory": row(config(WorkingDir="/"), "engine:WorkingDir"),
}
ON_RUNSC = {
    "network none to bridge": row(
        walls(NetworkMode="bridge"),
        "host:network interfaces",
        "inside:network interfaces",
    ),
    "dropped capabilities": row(walls(CapDrop=None), "inside:CapBnd"),
    "read-only root": row(walls(ReadonlyRootfs=None), "inside:root file system"),
    "memory limit": row(walls(Memory=None, MemorySwap=None), "host:memory limit"),
    "no swap": row(walls(MemorySwap=-1), "host:swap limit"),
    "processor limit": row(walls(NanoCpus=None), "host:cpu limit"),
    "pids limit": row(walls(PidsLimit=None), "host:pids limit"),
    "open files limit": row(walls(Ulimits=[]), "inside:open files limit"),
    "neutral name server": row(walls(Dns=["192.0.2.53"]), "inside:read /etc/resolv.conf"),
    "sized scratch": row(walls(Tmpfs={"/tmp": "rw", "/home/agent": "rw"}), "inside:scratch /tmp"),
    "no bind": row(walls(Binds=["/var/tmp:/data:rw"]), "engine:Binds", "engine:mounts"),
    "a user": row(config(User=None), "inside:uid", "engine:User"),
    "a group": row(config(User="65534"), "inside:gid"),
    "constant host name": row(config(Hostname="tier-0"), "inside:host name"),
    "capped log": row(walls(LogConfig=None), "engine:LogConfig"),
    "gVisor itself": row(walls(Runtime="runc"), "engine:Runtime", "inside:kernel"),
}


def names_of(failed: AttestationError) -> set[str]:
    return {f"{check.source}:{check.name}" for check in failed.failed}


@pytest.mark.parametrize("missing", ON_RUNC)
def test_a_box_without_one_option_is_refused(missing: str, boxes: Boxes) -> None:
    """Issue 1, item 4; DESIGN section 4 "isolation reported on, actually off"."""
    taken = ON_RUNC[missing]
    spec = small_spec()

    with boxes.one(spec, taken.alter) as box, pytest.raises(AttestationError) as refused:
        attest(boxes.driver, box, spec)

    assert taken.expected <= names_of(refused.value)


@pytest.mark.gvisor
@pytest.mark.parametrize("missing", ON_RUNSC)
def test_a_gvisor_box_without_one_option_is_refused(missing: str, boxes: Boxes) -> None:
    """The same for gVisor, for the options that its sentry lets through to the box or the host."""
    needs(Runtime.RUNSC)
    taken = ON_RUNSC[missing]
    spec = small_spec(Runtime.RUNSC)

    with boxes.one(spec, taken.alter) as box, pytest.raises(AttestationError) as refused:
        attest(boxes.driver, box, spec)

    assert taken.expected <= names_of(refused.value)


def test_every_option_we_ask_for_has_a_row() -> None:
    """An option added without a row above would be one nobody notices missing."""
    arguments = create_arguments(small_spec(), {})
    rows = [json.dumps(row.alter(create_arguments(small_spec(), {}))) for row in ON_RUNC.values()]

    changed = {
        name
        for name, value in arguments["HostConfig"].items()
        if any(json.loads(row)["HostConfig"].get(name) != value for row in rows)
    }

    assert changed | {"Runtime"} == set(arguments["HostConfig"])


def test_a_box_as_specified_is_attested(runtime: Runtime, boxes: Boxes) -> None:
    """The proof holds checks of all three witnesses, and names what gVisor's sentry answers for."""
    spec = small_spec(runtime)

    with boxes.one(spec) as box:
        proof = attest(boxes.driver, box, spec)

    assert {check.source for check in proof.checks} == set(Source)
    assert len(proof.checks) > 70
    given = {check.name for check in proof.checks if check.expected == "given by the sentry"}
    assert given == ({"Seccomp", "NoNewPrivs"} if runtime is Runtime.RUNSC else set())


def test_an_image_without_a_shell_is_attested_too(boxes: Boxes) -> None:
    """The helper enters the box, so nothing of the image is needed to try."""
    spec = small_spec(image=SHELLLESS, command=("sleep", "60"))

    with boxes.one(spec) as box:
        proof = attest(boxes.driver, box, spec)

    assert any(check.name == "call ptrace" and check.got == "EPERM" for check in proof.checks)


@pytest.mark.parametrize(
    "missing", ["read-only root", "our system call filter", "no new privileges", "a user"]
)
def test_an_image_without_a_shell_is_refused_as_surely(missing: str, boxes: Boxes) -> None:
    taken = ON_RUNC[missing]
    spec = small_spec(image=SHELLLESS, command=("sleep", "60"))

    with boxes.one(spec, taken.alter) as box, pytest.raises(AttestationError) as refused:
        attest(boxes.driver, box, spec)

    assert taken.expected <= names_of(refused.value)


@pytest.mark.gvisor
def test_a_gvisor_box_without_a_shell_is_refused_because_nobody_can_try_inside(boxes: Boxes) -> None:
    needs(Runtime.RUNSC)
    spec = small_spec(Runtime.RUNSC, image=SHELLLESS, command=("sleep", "60"))

    with boxes.one(spec) as box:
        proof = examine(boxes.driver, box, spec)

    assert [check.name for check in proof.failed] == ["tries"]


def test_a_box_whose_stdin_is_closed_ends_before_it_can_be_attested(boxes: Boxes) -> None:
    spec = small_spec()
    box = boxes.started(spec, config(OpenStdin=False))
    boxes.driver.wait(box)

    with pytest.raises(BoxGoneError):
        attest(boxes.driver, box, spec)


def test_attesting_leaves_the_gate_closed_and_usable(runtime: Runtime, boxes: Boxes) -> None:
    spec = small_spec(runtime)
    box = boxes.started(spec)

    attest(boxes.driver, box, spec)
    boxes.driver.release(box, ["echo", "first byte"], {"PATH": "/bin"})

    assert boxes.driver.wait(box).exit_code == 0
    assert b"".join(boxes.driver.logs(box)) == b"first byte\n"
