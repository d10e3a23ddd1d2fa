"""Comparing what boxes can see, and the lists that people keep of what varies; pure."""

import hashlib

import pytest

from sandboxes.errors import ParityError
from sandboxes.parity.compare import Status, Why, compare, suspected
from sandboxes.parity.inside.facts import Facts as Found
from sandboxes.parity.inside.facts import packed, shape
from sandboxes.parity.inside.trees import made_at
from sandboxes.parity.lists import Entry, Lists, parse_lists, shipped_lists
from sandboxes.parity.probe import Fact, Facts, probe_command, read_facts

NOTHING = Lists(varies=())


def seen(masked: tuple[str, ...] = (), **values: str) -> Facts:
    """What a box saw: `family__name=text`."""
    facts = {}
    for name, text in values.items():
        family, _, rest = name.partition("__")
        digest = hashlib.sha256(text.encode()).hexdigest()
        facts[f"{family}:{rest}"] = Fact(family, rest, digest, text, f"{family}:{rest}" in masked)
    return facts


SAME = seen(environment__A="1", proc__stat="5")


def test_boxes_that_see_the_same_prove_it() -> None:
    """R-19, issue 4 item 5."""
    found = compare([SAME, SAME], {Status.TIER: [SAME, SAME]}, NOTHING)

    assert found.ok
    assert found.families()["environment"].equal == 1


@pytest.mark.parametrize("status", Status)
def test_a_fact_that_the_status_explains_is_named_with_both_values(status: Status) -> None:
    other = seen(environment__A="2", proc__stat="5")

    found = compare([SAME, SAME], {status: [other, other]}, NOTHING)

    assert not found.ok
    (told,) = found.differences
    assert (told.why, told.status, told.fact) == (Why.STATUS, status, "environment:A")
    assert told.values == ("1", "2")


def test_a_fact_that_is_there_in_one_status_only_is_a_difference() -> None:
    more = SAME | seen(environment__STAGE="x")

    found = compare([SAME, SAME], {Status.TIER: [more, more]}, NOTHING)

    assert found.differing == ("environment:STAGE",)


def test_what_varies_anyway_needs_a_reason() -> None:
    one, two = SAME, SAME | seen(proc__stat="6")

    without = compare([one, two], {Status.TIER: [one, two]}, NOTHING)
    listed = Lists(varies=(Entry(("proc:st*",), "a counter"),))
    within = compare([one, two], {Status.TIER: [one, two]}, listed)

    assert [item.why for item in without.differences] == [Why.UNEXPLAINED]
    assert within.ok
    assert within.justified == {"proc:stat": "a counter"}


def test_a_listed_fact_that_is_steady_within_each_status_is_a_difference_all_the_same() -> None:
    listed = Lists(varies=(Entry(("environment:*",), "whatever"),))
    other = SAME | seen(environment__A="2")

    found = compare([SAME, SAME], {Status.REVIEW: [other, other]}, listed)

    assert found.differing == ("environment:A",)


def test_what_is_the_same_because_it_was_covered_is_counted_apart() -> None:
    covered = seen(("proc:version",), proc__version="", proc__stat="5")

    found = compare([covered, covered], {Status.TIER: [covered, covered]}, NOTHING)

    assert found.masked == {"proc:version"}
    assert found.families()["proc"].equal == 1
    assert found.families()["proc"].masked == 1


def test_a_cover_in_one_status_only_is_a_difference() -> None:
    covered = seen(("proc:version",), proc__version="")
    bare = seen(proc__version="Linux 6")

    found = compare([covered, covered], {Status.TIER: [bare, bare]}, NOTHING)

    assert found.differing == ("proc:version",)
    assert not found.masked


def test_a_name_of_this_installation_is_found_wherever_it_stands_even_in_what_varies() -> None:
    """What varies hides a difference of status from the comparison, not from this."""
    listed = Lists(varies=(Entry(("*",), "all of it"),))
    one, two = seen(mounts__root="/x/1"), seen(mounts__root="/x/run-7f3/2")

    found = compare([one, two], {Status.RUN: [one, two]}, listed, {"run-7f3": Status.RUN})

    assert [(item.why, item.fact) for item in found.differences] == [(Why.NAMED, "mounts:root")]


@pytest.mark.parametrize("usual", [[], [{}, {}]])
def test_nothing_seen_proves_nothing(usual: list[Facts]) -> None:
    assert not compare(usual, {Status.TIER: usual}, NOTHING).ok


def test_nothing_compared_proves_nothing() -> None:
    assert not compare([SAME, SAME], {}, NOTHING).ok


def test_every_family_counts_each_fact_once() -> None:
    other = seen(environment__A="2", proc__stat="5")
    found = compare([SAME, SAME], {Status.TIER: [other, other], Status.OWNER: [other, other]}, NOTHING)

    counts = found.families()["environment"]

    assert counts.facts == counts.equal + counts.masked + counts.justified + counts.differing == 1


def test_the_shipped_lists_give_a_reason_for_each_entry() -> None:
    lists = shipped_lists()

    assert lists.reason_of("proc:/proc/uptime")
    assert lists.reason_of("environment:variable TASK") is None
    assert lists.shown_of("kernel:uname release")


@pytest.mark.parametrize("family", ["environment", "users", "limits", "devices", "dns", "mcp", "tools"])
def test_no_fact_of_these_families_may_vary(family: str) -> None:
    """A list that justified everything would prove nothing."""
    assert shipped_lists().reason_of(f"{family}:anything") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("varies: []", "exactly the lists"),
        ("varies: {}\nshown: []", "expected a list"),
        ("varies: [{facts: [a]}]\nshown: []", "entry 1"),
        ("varies: [{facts: a, reason: x}]\nshown: []", "list of keys"),
        ("varies: [{facts: [a], reason: ' '}]\nshown: []", "reason"),
    ],
)
def test_a_list_that_is_wrong_is_refused_by_entry(text: str, told: str) -> None:
    with pytest.raises(ParityError, match=told):
        parse_lists(text, source="own.yaml")


def test_what_the_probe_packs_is_read_back() -> None:
    found = Found()
    found.put("environment", "A", "1")
    found.put("environment", "A", "2")
    found.ask("users", "nobody", int, "x")

    read = read_facts(b"noise\n" + packed(found.rows).encode() + b"\n")

    assert list(read) == ["environment:A", "environment:A#2", "users:nobody"]
    assert read["environment:A"].text == "1"
    assert read["users:nobody"].text == "error: ValueError"


@pytest.mark.parametrize("output", [b"", b"Traceback ...", b"-----BEGIN FACTS-----\nabc\n"])
def test_a_probe_that_did_not_reach_its_end_is_an_error_not_an_empty_answer(output: bytes) -> None:
    with pytest.raises(ParityError, match="did not reach its end"):
        read_facts(output)


def test_what_cannot_be_unpacked_is_an_error() -> None:
    with pytest.raises(ParityError, match="cannot be read"):
        read_facts(b"-----BEGIN FACTS-----\nAAAA\n-----END FACTS-----\n")


def test_the_probe_is_the_same_each_time_and_fits_into_arguments() -> None:
    plan = {"calls": [["read_mail", {"id": 7}]], "model": "fast"}
    command = probe_command(plan)

    assert command == probe_command(dict(reversed(plan.items())))
    assert max(map(len, command)) < 128 * 1024


def test_of_an_id_only_its_shape_is_compared() -> None:
    assert shape("chatcmpl-9aF") == "chatcmpl-xxx"
    assert shape("9aF-0") == "xxx-x"


def test_what_was_steady_by_chance_is_looked_at_again_and_the_rest_once() -> None:
    listed = Lists(varies=(Entry(("proc:*",), "a counter"),))
    figure = compare([SAME, SAME], {Status.TIER: [SAME | seen(proc__stat="6")] * 2}, listed)
    real = compare([SAME, SAME], {Status.OWNER: [SAME | seen(environment__A="2")] * 2}, listed)

    assert suspected(figure, listed, first=False) == {Status.TIER}
    assert suspected(real, listed, first=True) == {Status.OWNER}
    assert suspected(real, listed, first=False) == frozenset()


@pytest.mark.parametrize(
    ("mark", "boundary"),
    [(1_999.5, 1_998.5), (0.0, 1_970.0), (1_000.0, 1_970.0)],
    ids=["the engine's own mark", "no mark", "a mark that came with the image"],
)
def test_an_image_built_just_now_does_not_count_as_made_with_the_box(mark: float, boundary: float) -> None:
    """R-20: it would be younger in the first box than in the last, and be taken for what tells a status."""
    assert made_at(2_000.0, mark) == boundary


def test_the_time_of_unpacking_and_the_size_of_the_disk_are_listed_as_shown() -> None:
    """Issue 4 item 2: what cannot be hidden is listed, never silently left."""
    lists = shipped_lists()

    assert lists.shown_of("files:/usr/**")
    assert lists.shown_of("limits:room of /")
    assert lists.shown_of("limits:room of /tmp") is None
