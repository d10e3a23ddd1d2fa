"""The set-up files: what they may not name, and that they fit each other."""

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-agent.txt",
    "examples/images/mcp-git/requirements.txt",
]
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
PYTHONS = ["3.11", "3.12", "3.13"]
# Written in two parts, so that this file does not name them.
ADDRESSES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "registry-1" + ".docker",
    "deb.debian" + ".org",
    "archive.ubuntu" + ".com",
]
# Written in two parts, so that this file does not need an engine.
ENGINE_MARK = "pytest.mark." + "engine"
MACHINE_PATHS = [f"{ROOT}/"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def pins(name: str) -> dict[str, Version]:
    return {found: Version(version) for found, version, _ in PIN.findall(text_of(name))}


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def declared(*extras: str) -> list[Requirement]:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    more = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in [*project["dependencies"], *more]]


def test_make_finds_every_test_that_needs_an_engine() -> None:
    """`make engine-test` reads a part of the tests; what it does not read would be run by nobody."""
    (places,) = re.findall(r"^ENGINE_TESTS := (.*)$", text_of("Makefile"), re.MULTILINE)
    named = [found for one in places.split() for found in ROOT.glob(one)]
    read = {path for one in named for path in (one, *one.rglob("test_*.py"))}
    marked = {path for path in (ROOT / "tests").rglob("test_*.py") if ENGINE_MARK in path.read_text()}

    assert marked <= read


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_requirements_file_is_a_pin_with_hashes_or_a_comment(lock: str) -> None:
    left = PIN.sub("", text_of(lock))
    assert [line for line in left.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []
    assert len(pins(lock)) > 10


@pytest.mark.parametrize("lock", LOCKS)
def test_requirements_files_are_compiled_for_the_oldest_python_and_name_no_address(lock: str) -> None:
    text = text_of(lock)
    assert "pip-compile with Python 3.11" in text
    assert "://" not in text
    assert not re.search(r"--(index|extra-index|find-links|trusted)", text)


@pytest.mark.parametrize(("lock", "extras"), [("requirements.txt", ()), ("requirements-dev.txt", ("dev",))])
def test_the_pins_satisfy_pyproject(lock: str, extras: tuple[str, ...]) -> None:
    pinned = pins(lock)
    wrong = [str(r) for r in declared(*extras) if pinned[canonicalize_name(r.name)] not in r.specifier]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_one_version_of_a_package_in_all_requirements_files(lock: str) -> None:
    everything = pins("requirements-dev.txt")
    assert {name: v for name, v in pins(lock).items() if everything.get(name, v) != v} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_hold_what_each_supported_python_needs(python: str) -> None:
    """A package that only a newer Python needs would be missing from a file compiled on the oldest."""
    pinned = pins("requirements-dev.txt")
    missing = {name for name in needed(declared("dev"), python) if name not in pinned}
    assert missing == set()


def needed(start: list[Requirement], python: str) -> set[str]:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(r.name), frozenset(r.extras)) for r in start]
    while waiting:
        name, extras = here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += [
                (canonicalize_name(r.name), frozenset(r.extras))
                for r in requirements_of(name)
                if r.marker is None
                or any(r.marker.evaluate({**environment, "extra": extra}) for extra in extras | {""})
            ]
    return {name for name, _ in seen}


def requirements_of(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in distribution(name).requires or []]
    except PackageNotFoundError:
        return []


def test_every_make_target_has_a_line_of_help() -> None:
    rules = re.findall(r"^([a-z][a-z-]*):(.*)$", text_of("Makefile"), re.MULTILINE)
    assert len(rules) > 10
    assert [target for target, rest in rules if "## " not in rest and not rest.startswith("=")] == []


def test_make_help_lists_the_targets_of_the_readme() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"demo", "test", "check", "bench"} <= {line.split()[0] for line in listed.stdout.splitlines()}


def test_ci_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines() == [
        "#!/usr/bin/env bash",
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "exec make test",
    ]


def test_no_tracked_file_names_a_registry_a_mirror_or_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked_files()
        for word in [*ADDRESSES, *MACHINE_PATHS]
        if word.encode() in path.read_bytes()
    ]
    assert found == []


def test_the_dockerfile_has_both_targets_and_begins_with_the_base_it_is_given() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", text_of("Dockerfile"), re.MULTILINE)
    assert {"agent", "operator"} <= {name for _, name in stages}
    assert {base for base, name in stages if name != "tools"} == {"${BASE}"}


def test_the_conformance_suite_is_pinned_with_hashes_and_without_addresses_to_fetch_from() -> None:
    lock = text_of("tests/conformance/package-lock.json")
    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
