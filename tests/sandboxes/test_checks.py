"""Judging what the witnesses said, pure: silence and nonsense are failures."""

from dataclasses import replace

import pytest

from runtime.clock import utc_now
from sandboxes.docker_options import MASKED_PATHS
from sandboxes.driver import Box
from sandboxes.engine_checks import engine_checks
from sandboxes.errors import AttestationError
from sandboxes.inside import Tries, kernel_of, parse_shell_answers, read_answer
from sandboxes.inside_checks import inside_checks
from sandboxes.proof import Check, Proof, Source
from sandboxes.spec import BoxSpec, Runtime

SPEC = BoxSpec(image="i")
BOX = Box(
    id="c0ffee" + "0" * 58,
    owner="o",
    image="sha256:1",
    runtime=Runtime.RUNC,
    user="65534:65534",
    gated=True,
    expires_at=utc_now(),
)
GOOD = {
    "host name": "box",
    "ids": "65534 65534 65534 65534 65534 65534 65534",
    "write to /": "EROFS",
    "write to /etc": "EROFS",
    "IPv4 to outside": "ENETUNREACH",
    "read /proc/kcore": "absent",
    "read /etc/resolv.conf": "nameserver 127.0.0.1",
    "read /etc/hosts": "127.0.0.1 localhost ::1 localhost ip6-localhost fe00::0 ip6-localnet",
    "read /proc/1/cgroup": "0::/",
    "truncate /proc/sys/kernel/hostname": "EROFS",
    "call ptrace": "EPERM",
}
BAD = {
    "host name": "tier-0",
    "ids": "65534 65534 65534 0 0 0 0",
    "write to /": "EACCES",
    "write to /etc": "done",
    "IPv4 to outside": "done",
    "read /proc/kcore": "EACCES",
    "read /etc/resolv.conf": "nameserver 192.0.2.1",
    "read /etc/hosts": "127.0.0.1 localhost 192.0.2.7 db.example",
    "read /proc/1/cgroup": "0::/docker/c0ffee" + "0" * 58,
    "truncate /proc/sys/kernel/hostname": "EACCES",
    "call ptrace": "done",
}


def tries(answers: dict[str, str]) -> Tries:
    return Tries(answers=answers, filters=("AAAA",))


def test_good_answers_pass() -> None:
    assert [check for check in inside_checks(SPEC, BOX, tries(GOOD)) if not check.ok] == []


@pytest.mark.parametrize("name", BAD)
def test_one_bad_answer_fails_its_own_check(name: str) -> None:
    checks = inside_checks(SPEC, BOX, tries(GOOD | {name: BAD[name]}))

    assert [check.name for check in checks if not check.ok] == [name]


@pytest.mark.parametrize("name", ["write to /", "ids", "host name", "write to /etc"])
def test_what_was_not_tried_fails(name: str) -> None:
    left = {key: value for key, value in GOOD.items() if key != name}

    assert [check.got for check in inside_checks(SPEC, BOX, tries(left)) if not check.ok] == ["not tried"]


@pytest.mark.parametrize("silent", [Tries(), Tries(trouble="killed"), Tries(answers=GOOD, trouble="x")])
def test_a_witness_that_cannot_be_heard_refuses_the_box(silent: Tries) -> None:
    assert [check.ok for check in inside_checks(SPEC, BOX, silent)] == [False]


def test_no_filter_is_a_failed_check_also_where_the_kernel_hides_it() -> None:
    hidden = replace(tries(GOOD), filters=(), filters_unreadable="EINVAL")

    failed = [check for check in inside_checks(SPEC, BOX, hidden) if not check.ok]

    assert [check.name for check in failed] == ["system call filter"]
    assert "CHECKPOINT_RESTORE" in failed[0].note


@pytest.mark.parametrize("out", [b"", b"nonsense", b"[]", b"3", b'{"tries": {}}', b'{"filters": 1}'])
def test_nonsense_from_the_helper_is_trouble(out: bytes) -> None:
    answer = read_answer(out, b"Traceback\nPermissionError: no\n")

    assert "PermissionError: no" in answer.trouble


def test_an_empty_answer_of_the_engine_fails_everywhere() -> None:
    checks = engine_checks(SPEC, BOX, {})

    assert {"image", "User", "NetworkMode", "CapDrop", "SecurityOpt"} <= {c.name for c in checks if not c.ok}


def test_a_proof_without_checks_has_failed() -> None:
    """DESIGN section 5: an empty set of conditions is never a pass."""
    assert Proof(box_id="b", image="i", runtime=Runtime.RUNC, checks=()).failed


def test_the_error_names_each_failed_check() -> None:
    failed = [
        Check("pids limit", Source.HOST, "64", "None", ok=False),
        Check("ids", Source.INSIDE, "a", "b", ok=False),
    ]

    message = str(AttestationError("c0ffee0123456789", failed))

    assert message.startswith(
        "box c0ffee012345: 2 isolation checks failed: host:pids limit: got None, expected 64"
    )
    assert "inside:ids: got b, expected a" in message


def test_shell_answers_of_one_name_are_joined() -> None:
    assert parse_shell_answers("a=1\nb=x=y\na=2\n") == {"a": "1\n2", "b": "x=y"}


@pytest.mark.parametrize(
    ("version", "kernel"),
    [
        ("Linux version 4.4.0 #1 SMP", "its own"),
        ("Linux version 6.1.0-x (gcc)", "the host's"),
        ("", "not shown"),
    ],
)
def test_a_sentry_shows_a_kernel_of_its_own(version: str, kernel: str) -> None:
    assert kernel_of(version, "6.1.0-x") == kernel


def test_masked_paths_hold_what_names_the_host() -> None:
    assert {"/proc/version", "/proc/cmdline", "/proc/keys"} <= set(MASKED_PATHS)
