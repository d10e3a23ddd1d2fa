"""The images, built and run for real: `make images` has made the base and fetched the wheels."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.build_image import Recipe, build, image_id
from scripts.shell import ask, must

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parent.parent.parent
WHEELS = Path("build/wheels")
DISTRIBUTION = Path("build/dist")
ALONE = ["docker", "run", "--rm", "--network", "none", "--read-only"]
MAKE = "`make images`"
NOW_AND_THEN = 315532800  # the constant time of every file


@pytest.fixture(scope="module", autouse=True)
def _from_the_root() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


def built(name: str, target: str, wheels: dict[Path, Path], *more: Path) -> Iterator[str]:
    inputs = (Path("Dockerfile"), *wheels.values(), *more)
    build(Recipe(name, Path(), "handrail/base:1", target, wheels, inputs))
    yield name
    must(["docker", "image", "rm", name], next_step=MAKE)


@pytest.fixture(scope="module")
def agent_image() -> Iterator[str]:
    yield from built("handrail-test/agent:1", "agent", {Path("requirements-agent.txt"): WHEELS / "agent"})


@pytest.fixture(scope="module")
def operator_image(agent_image: str) -> Iterator[str]:
    assert agent_image  # its wheels are in the same Dockerfile
    wheels = {Path("requirements.txt"): WHEELS / "operator"}
    yield from built("handrail-test/operator:1", "operator", wheels, DISTRIBUTION)


@pytest.fixture(scope="module")
def agent_files(agent_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tarfile.TarFile]:
    archive = tmp_path_factory.mktemp("agent") / "files.tar"
    container = must(["docker", "create", agent_image], next_step=MAKE)
    try:
        must(["docker", "export", "--output", str(archive), container], next_step=MAKE)
    finally:
        must(["docker", "rm", container], next_step=MAKE)
    with tarfile.open(archive) as opened:
        yield opened
    archive.unlink()


def test_the_agent_image_brings_python_and_the_three_clients(agent_image: str) -> None:
    program = "import mcp, openai, anthropic, os; print(os.getuid(), os.getgid())"
    assert must([*ALONE, agent_image, "python", "-c", program], next_step=MAKE) == "65534 65534"


def test_nothing_of_ours_is_in_the_agent_images_files(agent_files: tarfile.TarFile) -> None:
    """R-20: no name, no path and no content of the runtime is in the box."""
    found = [
        member.name
        for member in agent_files
        if "handrail" in member.name.lower()
        or (member.isreg() and b"handrail" in agent_files.extractfile(member).read().lower())  # type: ignore[union-attr] # regular files have content
    ]
    assert found == []


def test_no_file_of_the_agent_image_tells_when_it_was_built(agent_files: tarfile.TarFile) -> None:
    """R-20: only what the engine makes for each container may carry a time."""
    engines = {"", ".", ".dockerenv", "dev", "etc", "proc", "sys"}
    engines |= {f"etc/{name}" for name in ("hosts", "hostname", "mtab", "resolv.conf")}
    engines |= {f"dev/{name}" for name in ("console", "pts", "shm")}
    timed = {member.name for member in agent_files if member.mtime != NOW_AND_THEN}
    assert timed - engines == set()


def test_no_set_uid_file_is_in_the_agent_image(agent_files: tarfile.TarFile) -> None:
    assert [member.name for member in agent_files if member.isreg() and member.mode & 0o6000] == []


def test_the_agent_images_environment_labels_and_history_tell_nothing(agent_image: str) -> None:
    """R-20."""
    (image,) = json.loads(must(["docker", "image", "inspect", agent_image], next_step=MAKE))
    config = image["Config"]
    assert [variable.split("=")[0] for variable in config["Env"]] == ["PATH"]
    assert not config["Labels"]
    assert config["User"] == "65534:65534"
    history = must(
        ["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Comment}}", agent_image],
        next_step=MAKE,
    )
    assert "handrail" not in history.lower()


def test_byte_code_is_valid_though_the_root_is_read_only(agent_image: str) -> None:
    told = ask([*ALONE, agent_image, "python", "-v", "-c", "import asyncio, mcp"])
    assert told.ok
    assert "# code object from '" in told.err  # what the interpreter says of a module it found compiled
    assert "# bytecode is stale" not in told.err


def test_the_operator_image_runs_the_command(operator_image: str) -> None:
    assert "Usage" in must([*ALONE, operator_image, "--help"], next_step=MAKE)


def test_a_person_can_make_a_key_and_sign_in_the_operator_image(operator_image: str) -> None:
    sign = (
        "cd /tmp && ssh-keygen -q -t ed25519 -N '' -f key && echo yes > said && "
        "ssh-keygen -q -Y sign -n handrail -f key said && head -1 said.sig"
    )
    run = [*ALONE, "--tmpfs", "/tmp", "--entrypoint", "sh", operator_image]
    assert must([*run, "-c", sign], next_step=MAKE) == "-----BEGIN SSH SIGNATURE-----"


def test_the_operator_image_serves_by_default_and_keeps_state_and_anchor(operator_image: str) -> None:
    (image,) = json.loads(must(["docker", "image", "inspect", operator_image], next_step=MAKE))
    config = image["Config"]
    assert (config["Entrypoint"], config["Cmd"]) == (["handrail"], ["serve"])
    assert set(config["Volumes"]) == {"/var/lib/handrail", "/var/log/handrail-anchor"}


def test_an_agent_of_ones_own_is_built_by_the_recipe_and_runs_alone(agent_image: str) -> None:
    """The recipe of docs/agents.md: the host downloads, the Dockerfile copies."""
    name = "handrail-test/own-agent:1"
    context = Path("examples/images/own-agent")
    wheels = {context / "requirements.txt": context / "wheels"}
    build(Recipe(name, context, agent_image, None, wheels, ()))
    try:
        assert "MCP_SERVER_URL is not set" in must([*ALONE, name], next_step=MAKE)
    finally:
        must(["docker", "image", "rm", name], next_step=MAKE)


def test_an_image_whose_inputs_have_not_changed_is_not_built_again(
    agent_image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = image_id(agent_image)
    wheels = {Path("requirements-agent.txt"): WHEELS / "agent"}
    build(
        Recipe(
            agent_image, Path(), "handrail/base:1", "agent", wheels, (Path("Dockerfile"), *wheels.values())
        )
    )
    assert capsys.readouterr().out == f"handrail: {agent_image} is there\n"
    assert image_id(agent_image) == before


def test_the_git_server_image_has_git_and_the_unmodified_server() -> None:
    run = [*ALONE, "handrail/mcp-git:1"]
    assert must([*run, "git", "--version"], next_step=MAKE).startswith("git version")
    assert "Usage" in must([*run, "mcp-server-git", "--help"], next_step=MAKE)
