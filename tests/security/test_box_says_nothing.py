"""R-05, R-20: nothing a program can read in its box tells Handrail's name, a run, an owner or a tier."""

import pytest

from sandboxes.attest import attest
from sandboxes.channel import open_channel
from sandboxes.context import visible_context
from sandboxes.spec import Runtime
from tests.standins.boxes import Boxes, small_spec

pytestmark = pytest.mark.engine
READ_ALL = r"""
env
for f in /proc/self/environ /proc/1/environ /proc/1/cmdline /proc/self/cmdline /proc/self/cgroup \
  /proc/1/cgroup /proc/self/mountinfo /proc/mounts /proc/version /proc/cmdline /proc/sys/kernel/hostname \
  /proc/self/status /proc/sys/kernel/domainname /etc/hostname /etc/hosts /etc/resolv.conf \
  /proc/net/unix /proc/net/tcp; do
  echo "== $f"; cat $f 2>/dev/null | tr '\0' '\n'; done
hostname; id; ls -laR /etc /home /tmp /dev /run 2>/dev/null; ps
find / -xdev 2>/dev/null
"""
READ_CONSTANT = """
env; hostname; ls -R /etc
cat /proc/1/environ /proc/1/cmdline /proc/1/cgroup /etc/hosts /etc/resolv.conf
"""
SECRETS = {"run": "run-zq7secretzq7", "agent": "invoicebotzq7"}


def everything_readable(boxes: Boxes, runtime: Runtime) -> tuple[str, str]:
    spec = small_spec(runtime, labels=SECRETS)
    box = boxes.started(spec)
    channel = open_channel(boxes.driver, box)
    attest(boxes.driver, box, spec)
    context = visible_context(command=["sh", "-c", READ_ALL], task="count the files", model="fast")
    boxes.driver.release(box, context.command, context.environment)
    boxes.driver.wait(box)
    channel.close()
    return b"".join(boxes.driver.logs(box)).decode(errors="replace"), box.id


def test_nothing_readable_inside_names_what_stands_outside(runtime: Runtime, boxes: Boxes) -> None:
    text, _ = everything_readable(boxes, runtime)

    assert "== /proc/net/tcp" in text
    assert "count the files" in text
    for word in (
        "handrail",
        boxes.owner,
        *SECRETS.values(),
        "tier",
        "attest",
        "probe",
        "write-test",
        "deployment",
    ):
        assert word not in text.lower()


def test_groups_environment_and_command_lines_hold_no_identifier(runtime: Runtime, boxes: Boxes) -> None:
    """The engine's own id shows in mount sources alone, which no option hides; it says nothing of status."""
    text, box_id = everything_readable(boxes, runtime)

    parts = dict(part.split("\n", 1) for part in text.split("== ") if "\n" in part)
    for name, content in parts.items():
        if name not in ("/proc/self/mountinfo", "/proc/mounts"):
            assert box_id[:12] not in content, name


def test_two_boxes_that_differ_only_in_their_labels_read_the_same(boxes: Boxes) -> None:
    """R-43: what differs outside must not show inside."""
    seen = []
    for labels in ({"run": "run-a", "purpose": "evaluation"}, {"run": "run-b", "purpose": "production"}):
        box = boxes.started(small_spec(labels=labels))
        boxes.driver.release(box, ["sh", "-c", READ_CONSTANT], visible_context(command=["x"]).environment)
        boxes.driver.wait(box)
        seen.append(b"".join(boxes.driver.logs(box)))

    assert seen[0] == seen[1]
