"""Months in a minute: the same parts as in serve, so a story is a test of all of them together."""

from pathlib import Path

from rollout.simulation.plot import tier_plot
from rollout.simulation.script import Plot
from rollout.simulation.story import Told, tell


def _place(directory: Path, name: str) -> Path:
    place = directory / name
    place.mkdir()
    return place


def words(told: Told) -> list[tuple[int, str]]:
    return [(one.day, one.text) for one in told.happenings]


def test_an_agent_climbs_on_judged_work_and_falls_by_one_call_out_of_scope(tmp_path: Path) -> None:
    """R-31, R-32, R-35, R-51, F3: reads, then drafts; nobody reviews for three days; one call, and tier 0."""
    plot = Plot(astray_on=25, absent=(19, 21))
    told = tell(_place(tmp_path, "a"), days=27, seed=7, plot=plot)
    tiers = [one.tier for one in told.evenings]

    assert tiers[:18] == [0] * 18  # ten working days and four more observed ones: weekends earn nothing
    assert tiers[18:20] == [1, 1]
    assert tiers[20:22] == [0, 0]  # granted, and suspended: a review was due on day 21
    assert tiers[22:] == [1, 1, 1, 0, 0]
    assert (18, "draft granted: tier 1") in words(told)
    assert (21, "writes suspended: review-overdue") in words(told)
    assert [one.day for one in told.evenings if one.suspended] == [20, 21]
    assert (25, "down from tier 1 to 0: out-of-scope") in words(told)
    assert "</svg>" in tier_plot(told)


def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    first, second = (tell(_place(tmp_path, name), days=3, seed=5) for name in ("a", "b"))

    assert words(first) == words(second)
    assert first.evenings == second.evenings


def test_an_agent_that_is_often_wrong_is_never_promoted(tmp_path: Path) -> None:
    """R-44: silence and average do not help it."""
    told = tell(_place(tmp_path, "a"), days=20, seed=3, plot=Plot(wrong_share=0.3))

    assert {one.tier for one in told.evenings} == {0}
    assert told.judged > 100
