"""Images that tell a status, and images that do not."""

import io
import json

import pytest

from sandboxes.errors import LintError
from sandboxes.lint.finding import UNREAD, VOLUME, Finding, Weight
from sandboxes.lint.image import lint_image
from sandboxes.lint.tree import files_in
from sandboxes.scrub.model import OwnValue
from tests.standins.image_store import CONSTANT_TIME, ImageStandIn

COMMIT = "4f2c9e1b7d3a5c8e0f6b2d4a1c3e5f7a9b8d6c0e"
BUILT = 1_790_000_000
DEBIAN = (
    b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
)
PEP_610 = json.dumps(
    {"url": "https://example.org/x", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
).encode()
ERRORS = [
    ("/app/.git/HEAD", b"ref: refs/heads/main", "version-control", "file /app/.git"),
    ("/usr/lib/python3/dist-packages/x/.git/HEAD", b"x", "version-control", "dist-packages/x/.git"),
    ("/srv/.github/workflows/ci.yml", b"on: push", "ci", "file /srv/.github"),
    ("/srv/Jenkinsfile", b"pipeline {}", "ci", "file /srv/Jenkinsfile"),
    ("/srv/.gitlab-ci.yml", b"stages: []", "ci", "file /srv/.gitlab-ci.yml"),
    ("/app/VERSION", b"2.4.1\n", "stamp", "file /app/VERSION"),
    ("/app/version.json", b'{"version": "2.4.1"}', "stamp", "file /app/version.json"),
    ("/build-info.properties", b"build=7", "stamp", "file /build-info.properties"),
    ("/app/REVISION", COMMIT.encode(), "stamp", "file /app/REVISION"),
    ("/opt/a/.deployed", b"2026-10-01", "stamp", "file /opt/a/.deployed"),
    ("/app/git.properties", b"git.commit.id=4f2c9e1", "stamp", "file /app/git.properties"),
    ("/app/.env.production", b"A=1", "environment-file", "file /app/.env.production"),
    (f"/app/agent-{COMMIT}.py", b"x", "revision-in-name", COMMIT),
    ("/app/agent-1.2-14-g4f2c9e1.whl", b"x", "revision-in-name", "agent-1.2-14-g4f2c9e1.whl"),
    (f"/srv/{COMMIT}/main.py", b"x", "revision-in-name", f"file /srv/{COMMIT}"),
    ("/srv/releases/20261001123000/main.py", b"x", "date-in-name", "file /srv/releases/20261001123000"),
    (
        "/usr/lib/python3/site-packages/a-1.dist-info/direct_url.json",
        PEP_610,
        "direct-url",
        "direct_url.json",
    ),
    ("/app/package.json", json.dumps({"gitHead": COMMIT}).encode(), "git-head", "file /app/package.json"),
    ("/etc/os-release", DEBIAN + b"IMAGE_VERSION=2026.10.1\n", "release-key", "file /etc/os-release"),
    ("/etc/acme-release", b"acme 7", "release-file", "file /etc/acme-release"),
    ("/usr/src/app/VERSION", b"2.4.1", "stamp", "file /usr/src/app/VERSION"),
    ("/app/GIT_COMMIT", COMMIT.encode(), "stamp", "file /app/GIT_COMMIT"),
    ("/app/.buildinfo", b"7", "stamp", "file /app/.buildinfo"),
    ("/.git-commit", COMMIT.encode(), "stamp", "file /.git-commit"),
    ("/app/image-tag", b"2.4.1", "stamp", "file /app/image-tag"),
    ("/app/.envrc", b"export STAGE=prod", "environment-file", "file /app/.envrc"),
    ("/etc/environment", b"LANG=C\nSTAGE=canary\n", "variable-in-file", "file /etc/environment"),
    ("/etc/profile.d/x.sh", b' export GIT_SHA="4f2c9e1"', "variable-in-file", "file /etc/profile.d/x.sh"),
]
WARNINGS = [
    ("/etc/hostname", b"build-7\n", "hostname"),
    ("/var/log/dpkg.log", b"2026-10-01 install", "log"),
    ("/root/.npm/_logs/debug.log", b"x", "left-over"),
    ("/tmp/wheels/a.whl", b"x", "left-over"),
    ("/root/.bash_history", b"make", "shell-history"),
    ("/etc/machine-id", b"4f2c9e1b7d3a5c8e", "machine-id"),
    ("/app/Chart.yaml", b"name: a", "manifest"),
]
HARMLESS = {
    "/etc/os-release": DEBIAN,
    "/etc/debian_version": b"12.4",
    "/etc/hostname": b"",
    "/etc/machine-id": b"",
    "/usr/lib/node_modules/x/.travis.yml": b"x",
    "/usr/lib/node_modules/x/package.json": json.dumps({"gitHead": COMMIT}).encode(),
    "/usr/share/x/VERSION": b"1",
    "/app/.gitignore": b"*.pyc",
    "/app/.env.example": b"A=",
    "/app/version.py": b"VERSION = 1",
    "/app/release": b"#!/bin/sh\n",
    "/app/main.3f2a1b9c.js": b"x",
    "/etc/ssl/certs/4f2c9e1b.0": b"x",
    "/etc/environment": b"PATH=/usr/bin\n",
    "/etc/profile.d/color.sh": b"export HOSTNAME=$(hostname)\nalias ls=ls\n",
    "/usr/src/linux-headers-6.1/.version": b"1",
    "/usr/lib/python3/site-packages/a-1.dist-info/direct_url.json": b"[",
    "/app/package.json": json.dumps({"name": "a", "version": "1.0.0"}).encode(),
}


def found_in(image: ImageStandIn, *own: OwnValue) -> tuple[Finding, ...]:
    return lint_image(image, "any", own)


@pytest.mark.parametrize(("path", "content", "rule", "named"), ERRORS)
def test_a_file_that_tells_is_an_error_with_its_fix(path: str, content: bytes, rule: str, named: str) -> None:
    """R-20."""
    (one,) = found_in(ImageStandIn({path: content}))

    assert (one.rule, one.weight) == (rule, Weight.ERROR)
    assert named in one.where
    assert one.fix


def test_a_stamp_is_found_also_where_the_builder_marked_every_file_as_executable() -> None:
    """R-20: `COPY --chmod=755 . /app`; a program that happens to be called so tells nothing."""
    tree = {"/app/VERSION": b"2.4.1", "/app/release": b"#!/bin/sh", "/app/build": b"\x7fELF\x02"}

    assert [one.where for one in found_in(ImageStandIn(tree, mode=0o755))] == ["file /app/VERSION"]


def test_directories_and_links_tell_by_their_names_and_by_where_they_lead() -> None:
    """R-20: an agent lists directories and follows links, also those that lead nowhere."""
    links = {
        "/app/current": "/srv/releases/20261001123000",
        "/app/code": f"../code-{COMMIT}",
        "/app/python": "/usr/bin/python3.12",
        "/app/mind": "/models/gpt-5-mini",
    }
    model = OwnValue("model", "gpt-5-mini", "assistant")

    found = found_in(ImageStandIn(links=links, directories=("/app/.git", f"/srv/{COMMIT}")), model)

    assert {(one.where, one.rule) for one in found} == {
        ("file /app/.git", "version-control"),
        (f"file /srv/{COMMIT}", "revision-in-name"),
        ("link /app/current", "date-in-name"),
        ("link /app/code", "revision-in-name"),
        ("file /app/mind -> /models/gpt-5-mini", "model"),
    }


def test_a_second_name_of_a_file_is_a_file() -> None:
    """R-20: a hard link's content stands under its first name, and need not tell there."""
    (one,) = found_in(ImageStandIn({"/app/a": b"2.4.1"}, hard_links={"/app/VERSION": "/app/a"}))

    assert (one.where, one.rule) == ("file /app/VERSION", "stamp")


def test_a_long_file_of_empty_lines_is_read_at_once() -> None:
    assert found_in(ImageStandIn({"/etc/environment": b"\n" * 65_536})) == ()


@pytest.mark.parametrize(("path", "content", "rule"), WARNINGS)
def test_a_file_that_may_tell_is_a_warning(path: str, content: bytes, rule: str) -> None:
    (one,) = found_in(ImageStandIn({path: content}))

    assert (one.rule, one.weight, one.where) == (rule, Weight.WARNING, f"file {path}")


def test_what_distributions_and_packages_bring_along_tells_nothing() -> None:
    assert found_in(ImageStandIn(HARMLESS)) == ()


def test_a_variable_is_an_error_and_a_label_a_warning() -> None:
    """R-20: variables stand in /proc/1/environ; labels are kept outside, but tools pass them on."""
    env = ["PATH=/bin", "PYTHON_VERSION=3.12.1", "BUILD_DATE=2026-10-01", "NODE_ENV=staging", "EMPTY_COMMIT="]
    labels = {"maintainer": "a@example.org", "org.opencontainers.image.version": "2.4.1"}

    found = found_in(ImageStandIn(config={"Env": env, "Labels": labels}))

    assert [(one.where, one.weight.value) for one in found] == [
        ("variable BUILD_DATE", "error"),
        ("variable NODE_ENV", "error"),
        ("label org.opencontainers.image.version", "warning"),
    ]


def test_a_volume_of_the_images_own_is_named_where_nothing_of_ours_takes_its_place() -> None:
    """The engine would mount what no description of a box has, so no box of it is proved."""
    (one,) = found_in(ImageStandIn(config={"Volumes": {"/data": {}, "/tmp": {}, "/home/agent/": {}}}))

    assert (one.where, one.rule, one.weight) == ("volume /data", VOLUME, Weight.WARNING)
    assert "take `VOLUME` out of the Dockerfile" in one.fix


def test_values_are_read_where_the_name_tells_nothing() -> None:
    sentence = "You are an AI model that will be updated quarterly."
    config = {"Env": [f"BANNER={sentence}"], "Cmd": ["agent", "--say", sentence]}

    found = found_in(ImageStandIn(config=config))

    assert {one.where for one in found} == {"variable BANNER", "cmd"}
    assert {one.weight for one in found} == {Weight.WARNING}


def test_the_history_is_read_for_what_was_passed_to_the_build() -> None:
    steps = ["|1 GIT_SHA=4f2c9e1 /bin/sh -c make", "/bin/sh -c #(nop) ENV PYTHON_VERSION=3.12.1"]

    assert [one.where for one in found_in(ImageStandIn(steps=steps))] == ["history GIT_SHA"]


def test_times_of_files_are_told_once_with_the_newest() -> None:
    """R-20: no file is newer than its image, so the newest one tells when that was built."""
    tree = {
        "/a": (b"", BUILT),
        "/b": (b"", BUILT + 60),
        "/c": (b"", CONSTANT_TIME),
        "/etc/hostname": (b"", BUILT),
    }

    (one,) = found_in(ImageStandIn(tree))

    assert (one.rule, one.weight) == ("file-times", Weight.WARNING)
    assert one.found.startswith("2 files with times of their own, up to 2026-09-21T14:14:20+00:00 (/b)")


def test_byte_code_that_names_a_time_tells_it() -> None:
    """PEP 552: with flags of zero the time of the source follows; with others a hash does."""
    timed = b"\xa7\r\r\n" + bytes(4) + BUILT.to_bytes(4, "little") + bytes(4)
    hashed = b"\xa7\r\r\n" + b"\x01\0\0\0" + bytes(8)

    assert [one.rule for one in found_in(ImageStandIn({"/a.pyc": timed}))] == ["byte-code-times"]
    assert found_in(ImageStandIn({"/a.pyc": hashed})) == ()


def test_an_own_value_may_stand_in_no_path_and_no_variable() -> None:
    model = OwnValue("model", "Gpt-5-Mini", "assistant")
    image = ImageStandIn({"/models/gpt-5-mini/weights": b"x"}, config={"Env": ["ASK=gpt-5-mini"]})

    found = found_in(image, model)

    assert {one.where for one in found} == {"variable ASK", "file /models/gpt-5-mini/weights"}
    assert {one.weight for one in found} == {Weight.ERROR}


def test_much_of_one_rule_is_counted_and_does_not_fill_the_page() -> None:
    tree = {f"/app/{number}/VERSION": b"1" for number in range(50)}

    found = found_in(ImageStandIn(tree))

    assert len(found) == 21
    assert found[-1].found == "30 more of rule stamp"


def test_a_broken_tree_is_refused_and_never_taken_for_a_clean_one() -> None:
    """Fail closed: what cannot be read to its end is no clean image."""
    with ImageStandIn({"/a": b"x" * 4096}).files("any") as stream:
        whole = stream.read()

    with pytest.raises(LintError):
        list(files_in(io.BytesIO(whole[:2000]), lambda _: 0))
    with pytest.raises(LintError):
        list(files_in(io.BytesIO(b"no tar at all" * 100), lambda _: 0))


TEXTS = [
    ("/app/config.yaml", b"environment: staging\nport: 80\n", "environment"),
    ("/srv/agent/settings.toml", b'port = 80\nrelease_channel = "canary"\n', "rollout"),
    ("/prompt.md", b"You sort mail.\nYou run on staging.\n", "environment"),
    ("/opt/agent/notes.txt", b"This agent will be deprecated in March 2027.\n", "deprecation"),
    ("/usr/src/app/conf/app.properties", b"region=eu-west-1\n", "place"),
    ("/etc/agent/config.json", b'{"environment": "staging"}', "environment"),
    ("/usr/local/etc/agent.ini", b"[agent]\nenvironment = staging\n", "environment"),
]


@pytest.mark.parametrize(("path", "content", "kind"), TEXTS)
def test_what_settings_and_texts_of_the_agent_tell_is_found(path: str, content: bytes, kind: str) -> None:
    """R-20: inside files, by the shipped rules; the file is named, and how to mend it."""
    found = found_in(ImageStandIn({path: content}))

    assert {(one.where, str(one.kind), one.weight) for one in found} == {
        (f"file {path}", kind, Weight.WARNING)
    }
    assert all(path in one.fix for one in found)


PLAIN_TEXTS = {
    "/app/config.yaml": b"server:\n  port: 8080\nlog_level: info\nretries: 3\n",
    "/app/README.md": b"# Invoice agent\n\nIt sorts invoices by vendor and asks where it is not sure.\n",
    "/app/requirements.txt": b"httpx==0.28.1\n",
    "/app/pyproject.toml": b'[project]\nname = "agent"\nversion = "2.4.1"\n',
    "/app/poetry.lock.json": b'{"environment": "staging"}',
    "/app/node_modules/x/config.yaml": b"environment: staging",
    "/usr/share/x/config.yaml": b"environment: staging",
    "/usr/local/lib/x/config.yaml": b"environment: staging",
    "/etc/default/x.conf": b"environment = staging",
    "/app/data.json": b"environment: staging\0",
    "/app/main.py": b'ENVIRONMENT = "staging"',
}


def test_ordinary_settings_packages_and_source_code_tell_nothing() -> None:
    """R-20: a lint that cries wolf is switched off."""
    assert found_in(ImageStandIn(PLAIN_TEXTS)) == ()


def test_a_deployments_own_values_in_its_settings_are_errors() -> None:
    """R-20: an agent reads them in its box, whatever its model gateway hides."""
    model = OwnValue("model", "acme-mind-7", "assistant")

    (one,) = found_in(ImageStandIn({"/app/config.yaml": b"mind: acme-mind-7\n"}), model)

    assert (one.where, one.kind, one.weight) == ("file /app/config.yaml", None, Weight.ERROR)


def test_how_much_of_the_texts_was_not_read_is_said() -> None:
    """Reading is bounded; whoever looks at the answer knows what nobody has looked through."""
    long, many = {"/app/a.txt": b"x\n" * 9_000}, {f"/app/{n}.txt": b"x\n" * 8_000 for n in range(10)}

    assert [one.found for one in found_in(ImageStandIn(long))] == [
        "1 settings or texts of which not all was read"
    ]
    (one,) = found_in(ImageStandIn(many))
    assert (one.rule, one.found) == (UNREAD, "2 settings or texts of which not all was read")
