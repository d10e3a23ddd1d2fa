"""What happened in a window, counted from the record of a real gate; no agent's word comes out."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from rollout.reviews.packet.activity import days_of, first_seen, window_of
from rollout.reviews.packet.model import Day, Window
from rollout.reviews.packet.patterns import Whose, patterns_of
from runtime.gate.replies import Done
from runtime.moments import utc_text
from runtime.record.events import Event, EventKind
from runtime.tables.actions import SeenRow
from tests.standins.workshop import Workshop, make_workshop

BEGIN = timedelta(minutes=-1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """An agent at tier 1 that reads, labels, suggests a mail, and tries what it may not."""
    opened = make_workshop(tmp_path, tier=1)
    yield opened
    opened.town.close()


async def work(shop: Workshop) -> None:
    assert isinstance(await shop.act("read_folder", {"folder": "INBOX"}), Done)
    assert isinstance(await shop.act("set_label", {"message_id": "7", "label": "good"}), Done)
    await shop.act("send_mail", {"to": ["a@known.example"], "subject": "x", "body": "y"})
    await shop.act("no such tool", {"number": "secret words of an agent"})


def window(shop: Workshop, begin: timedelta = BEGIN, end: timedelta = timedelta(minutes=1)) -> Window:
    now = shop.town.now
    return shop.town.read(lambda conn: window_of(conn, now + begin, now + end))


def days(shop: Workshop, seen: Window) -> tuple[Day, ...]:
    return shop.town.read(lambda conn: days_of(conn, shop.run.deployment, seen))


def test_a_day_counts_what_became_of_each_action(shop: Workshop) -> None:
    asyncio.run(work(shop))

    assert days(shop, window(shop)) == (Day("2026-11-21", 2, 1, 0, 1),)


def test_what_happened_outside_the_window_is_not_counted(shop: Workshop) -> None:
    asyncio.run(shop.act("read_folder", {"folder": "INBOX"}))
    shop.town.later(hours=30)
    asyncio.run(shop.act("read_folder", {"folder": "INBOX"}))

    assert [day.day for day in days(shop, window(shop))] == ["2026-11-22"]
    assert [day.day for day in days(shop, window(shop, timedelta(hours=-40)))] == ["2026-11-21", "2026-11-22"]
    assert days(shop, window(shop, timedelta(hours=-20), timedelta(hours=-10))) == ()


def test_another_deployment_s_actions_are_not_counted(shop: Workshop) -> None:
    asyncio.run(work(shop))
    seen = window(shop)
    counted = shop.town.read(lambda conn: days_of(conn, "f0" * 32, seen))

    assert counted == ()


def test_things_reached_for_the_first_time_are_counted_in_their_window_only(shop: Workshop) -> None:
    asyncio.run(work(shop))
    deployment, seen = shop.run.deployment, window(shop)
    row = insert(SeenRow).values(deployment=deployment, key="recipient:a@known.example", first_action="act-1")
    shop.town.write(lambda tx: tx.conn.execute(row) and None)
    shop.town.later(days=1)
    later = window(shop)

    assert shop.town.read(lambda conn: first_seen(conn, deployment, seen)) == 1
    assert shop.town.read(lambda conn: first_seen(conn, deployment, later)) == 0


def test_the_patterns_of_real_denials_quote_no_agent(shop: Workshop) -> None:
    """R-36: tool and reason, in our words."""
    asyncio.run(work(shop))
    whose = Whose("rev-1", shop.run.agent, shop.run.deployment)
    seen = window(shop)
    found = shop.town.read(lambda conn: patterns_of(conn, whose, seen, longest_gap_seconds=999))
    texts = [one.text for one in found]

    assert "a tool outside the profile was denied: unknown_tool" in texts
    assert not any("secret" in text for text in texts)


@pytest.mark.parametrize(
    ("spans", "observed"),
    [([], 0), ([(0, 30)], 1800), ([(-30, 30), (40, 90)], 1800 + 1200), ([(-180, -120)], 0)],
)
def test_only_the_part_of_a_heartbeat_inside_the_window_counts(
    shop: Workshop, spans: list[tuple[int, int]], observed: int
) -> None:
    """F1: and as the record has it."""
    base = shop.town.later(hours=4)
    shop.town.later(hours=-4)
    for began, ended in spans:
        shop.town.now = base + timedelta(minutes=ended)
        told = Event(
            kind=EventKind.MONITOR_OBSERVED,
            at=shop.town.now,
            subject=utc_text(base + timedelta(minutes=began)),
        )
        shop.town.write(lambda tx, told=told: tx.append(told))  # type: ignore[misc]
    shop.town.now = base + timedelta(hours=2)
    seen = shop.town.read(lambda conn: window_of(conn, base, base + timedelta(hours=1)))

    assert (seen.observed_seconds, seen.gap_seconds) == (observed, 3600 - observed)
