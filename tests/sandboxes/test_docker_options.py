"""The create arguments of a box, pure."""

import json

from sandboxes.docker_options import create_arguments, seccomp_profile
from sandboxes.spec import BoxLimits, BoxSpec, Mount, Runtime


def test_every_hardening_option_is_asked_for() -> None:
    """DESIGN section 4, the box: the whole list in one place."""
    host = create_arguments(BoxSpec(image="i", limits=BoxLimits(memory_mib=100, pids=50)), {})["HostConfig"]

    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"][0] == "no-new-privileges"
    assert json.loads(host["SecurityOpt"][1].removeprefix("seccomp=")) == json.loads(seccomp_profile())
    assert (host["ReadonlyRootfs"], host["Init"], host["Privileged"]) == (True, True, False)
    assert (host["CgroupnsMode"], host["IpcMode"]) == ("private", "private")
    assert host["Memory"] == host["MemorySwap"] == 100 * 1024 * 1024
    assert (host["PidsLimit"], host["NanoCpus"]) == (50, 1_000_000_000)
    assert {"/proc/version", "/proc/cmdline", "/proc/kcore", "/sys/firmware"} <= set(host["MaskedPaths"])
    assert host["LogConfig"]["Type"] == "local"
    assert all("nosuid,nodev" in options and "size=" in options for options in host["Tmpfs"].values())


def test_a_gated_box_is_a_waiting_shell_with_a_constant_name() -> None:
    arguments = create_arguments(BoxSpec(image="i"), {})

    assert (arguments["Entrypoint"], arguments["Cmd"]) == (["sh"], [])
    assert (arguments["Hostname"], arguments["User"]) == ("box", "65534:65534")
    assert (arguments["OpenStdin"], arguments["StdinOnce"], arguments["Tty"]) == (True, False, False)


def test_an_agents_own_command_has_no_stdin_but_a_server_has() -> None:
    agent = create_arguments(BoxSpec(image="i", command=("a", "b"), environment={"K": "v"}), {})
    server = create_arguments(BoxSpec(image="i", command=("a",), stdio=True), {})

    assert (agent["Entrypoint"], agent["Cmd"], agent["OpenStdin"]) == (["a"], ["b"], False)
    assert "K=v" in agent["Env"]
    assert server["OpenStdin"]


def test_an_agent_gets_none_of_its_images_variables_and_a_server_keeps_its_own() -> None:
    """R-20, issue 4 item 1: also the first process, which an agent may read, has a built-up environment."""
    of_image = ["PATH=/opt/bin", "GIT_COMMIT=4f2c9e1", "NOTE=a=b"]
    agent = create_arguments(BoxSpec(image="i"), {}, of_image=of_image)
    server = create_arguments(BoxSpec(image="i", command=("a",), stdio=True), {}, of_image=of_image)

    assert agent["Env"][-2:] == ["GIT_COMMIT", "NOTE"]  # a name alone takes it away
    assert not any(entry.startswith("PATH=/opt") for entry in agent["Env"])
    assert all("=" in entry for entry in server["Env"])


def test_labels_stay_beside_the_box() -> None:
    """R-20: only the engine keeps them; nothing else of the arguments changes with them."""
    plain, labelled = (
        create_arguments(BoxSpec(image="i"), labels) for labels in ({}, {"handrail.owner": "x"})
    )

    assert labelled.pop("Labels") == {"handrail.owner": "x"}
    assert plain.pop("Labels") == {}
    assert plain == labelled


def test_a_sentry_gets_room_of_its_own() -> None:
    limits = BoxLimits(memory_mib=100, pids=50)
    host = create_arguments(BoxSpec(image="i", runtime=Runtime.RUNSC, limits=limits), {})["HostConfig"]

    assert host["Runtime"] == "runsc"
    assert (host["PidsLimit"], host["Memory"]) == (50 + 256, 164 * 1024 * 1024)


def test_mounts_are_binds_that_do_not_spread() -> None:
    spec = BoxSpec(image="i", mounts=(Mount(source="/srv/mail", target="/mail"),))

    assert create_arguments(spec, {})["HostConfig"]["Mounts"] == [
        {
            "Type": "bind",
            "Source": "/srv/mail",
            "Target": "/mail",
            "ReadOnly": True,
            "BindOptions": {"Propagation": "rprivate"},
        }
    ]
