"""A box's word against the host's: what counts as a contradiction, and that one fails the proof."""

from sandboxes.parity.compare import Status, Why, compare
from sandboxes.parity.lists import Lists
from sandboxes.parity.probe import Facts, as_facts
from sandboxes.parity.witness import contradictions

MOUNT = "mounts:/proc/1/mountinfo /tmp options"


def named(**rows: str) -> Facts:
    return as_facts({key: [value, 0, value] for key, value in rows.items()})


KNOWN = named(**{MOUNT: "ro", "environment:variable A": "1", "users:ids": "65534"})


def test_what_agrees_and_what_only_the_box_can_know_is_no_contradiction() -> None:
    said = named(**{**{key: fact.digest for key, fact in KNOWN.items()}, "clocks:uptime": "7"})
    assert contradictions(said, KNOWN) == ()


def test_what_is_changed_left_out_or_made_up_is_each_named() -> None:
    """Issue 4, item 5: of variables and mounts the host knows all there are."""
    made_up = {"environment:variable B": "2", MOUNT.replace("/tmp", "/srv"): "rw"}
    said = named(**{MOUNT: "rw", "users:ids": "65534", **made_up})

    found = {one.fact: one.values for one in contradictions(said, KNOWN)}

    assert found == {
        MOUNT: ("the box: rw", "the host: ro"),
        "environment:variable A": ("the box: (not there)", "the host: 1"),
        "environment:variable B": ("the box: 2", "the host: (not there)"),
        MOUNT.replace("/tmp", "/srv"): ("the box: rw", "the host: (not there)"),
    }


def test_mounts_of_a_box_with_a_kernel_of_its_own_are_not_the_hosts_to_know() -> None:
    known = named(**{"environment:variable A": "1"})
    assert contradictions(named(**{MOUNT: "rw", "environment:variable A": "1"}), known) == ()


def test_one_contradiction_fails_the_proof_though_every_status_says_the_same() -> None:
    """R-43: and it counts in its family once, also where the box left the fact out."""
    said = named(**{"users:ids": "65534"})
    against = [*contradictions(said, KNOWN), *contradictions(said, KNOWN)]

    found = compare([said, said], {Status.TIER: [said, said]}, Lists(()), contradicted=against)

    assert not found.ok
    assert [(one.why, one.fact) for one in found.differences] == [
        (Why.CONTRADICTED, MOUNT),
        (Why.CONTRADICTED, "environment:variable A"),
    ]
    assert found.families()["environment"].differing == 1
