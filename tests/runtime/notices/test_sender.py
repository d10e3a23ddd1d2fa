"""Notices are written with their cause, told by every channel, tried again for ever, and in nobody's way."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from runtime.alerts.rules import AlertRule
from runtime.notices import queue
from runtime.notices.channels import Channel, Command, Mail, NoticeError, Webhook
from runtime.notices.message import Message
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.notices.sender import Sender
from runtime.settings import MailTls
from tests.standins.alarms import deviation, raise_in
from tests.standins.persons import Town
from tests.standins.receivers import MailReceiver, WebReceiver
from tests.standins.towns import staffed, town
from tests.standins.workshop import make_workshop

__all__ = ["staffed", "town"]

LOOK = 0.02


def sender(town: Town, **channels: Channel) -> Sender:
    return Sender(channels, town.ledger, lambda: town.now, first_wait_seconds=0.01, look_seconds=LOOK)


def put_in(town: Town, subject: str, kind: NoticeKind = NoticeKind.ALERT) -> str:
    return town.write(lambda tx: put(tx, kind, subject, Route.OPERATORS, facts={"agent": "bot"}, now=tx.now))


def unsent(town: Town) -> int:
    query = "SELECT count(*) FROM notice WHERE sent_at IS NULL"
    return int(town.read(lambda conn: conn.exec_driver_sql(query).scalar_one()))


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not ready():  # noqa: ASYNC110 the other side is a process, a socket or a row
            await asyncio.sleep(LOOK)


def run(town: Town, ready: Callable[[], bool], **channels: Channel) -> None:
    """Send until something is so."""

    async def work() -> None:
        told = sender(town, **channels)
        told.start()
        try:
            await until(ready)
        finally:
            await told.close()

    asyncio.run(work())


class Down:
    """A channel that takes nothing until it is repaired."""

    def __init__(self) -> None:
        self.works = False
        self.tries = 0
        self.told: list[Message] = []

    async def send(self, message: Message) -> None:
        self.tries += 1
        if not self.works:
            raise NoticeError("it is down")
        self.told.append(message)


def test_an_alert_and_an_incident_are_told_to_operators_and_leadership(staffed: Town) -> None:
    """R-51: an incident notifies the leadership route."""
    raise_in(staffed, deviation(AlertRule.NEVER))
    mails, web = MailReceiver(), WebReceiver()

    async def work() -> None:
        with mails.open() as port:
            async with web.open() as url:
                to = {Route.OPERATORS: ("ops@x.example",), Route.LEADERSHIP: ("lena@x.example",)}
                mail = Mail("127.0.0.1", port, "h@x.example", to, MailTls.NONE)
                told = sender(staffed, webhook=Webhook(url, lambda: staffed.now), mail=mail)
                told.start()
                await until(lambda: unsent(staffed) == 0)
                await told.close()

    asyncio.run(work())

    assert {to[0]: sent["Subject"] for to, sent in mails.mails} == {
        "ops@x.example": "Handrail (operators): 1 alert, 1 incident",
        "lena@x.example": "Handrail (leadership): 1 incident",
    }
    posts = [json.loads(post.body) for post in web.posts]
    assert {post["route"]: post["waiting"] for post in posts} == {
        "operators": {"alert": 1, "incident": 1},
        "leadership": {"incident": 1},
    }
    assert staffed.kinds().count("notice.sent") == 4


def test_a_notice_is_tried_again_in_one_round_and_once_more_in_the_next(staffed: Town) -> None:
    web = WebReceiver(codes=[500] * 4)
    put_in(staffed, "alert-1")

    async def work() -> None:
        async with web.open() as url:
            told = sender(staffed, webhook=Webhook(url, lambda: staffed.now))
            told.start()
            await until(lambda: "notice.sent" in staffed.kinds())
            assert unsent(staffed) == 1
            staffed.later(seconds=31)
            await until(lambda: unsent(staffed) == 0)
            await told.close()

    asyncio.run(work())

    assert len(web.posts) == 5
    assert staffed.entry("notice.sent", 0).leaf.data["sent"] is False
    assert staffed.entry("notice.sent", -1).leaf.data["sent"] is True


def test_no_restart_loses_a_notice(staffed: Town) -> None:
    put_in(staffed, "alert-1")
    down = Down()
    run(staffed, lambda: "notice.sent" in staffed.kinds(), command=down)
    assert unsent(staffed) == 1

    staffed.later(hours=1)
    down.works = True
    run(staffed, lambda: unsent(staffed) == 0, command=down)

    assert [one.notices[0].subject for one in down.told] == ["alert-1"]


def test_a_process_that_dies_while_it_sends_loses_nothing(staffed: Town) -> None:
    """The claim of the dead one runs out."""
    put_in(staffed, "alert-1")
    assert len(staffed.write(lambda tx: queue.claim(tx, ("command",)))) == 1
    assert staffed.write(lambda tx: queue.claim(tx, ("command",))) == ()
    staffed.later(minutes=5)

    (message,) = staffed.write(lambda tx: queue.claim(tx, ("command",)))
    assert message.notices[0].tries == 2


def test_two_processes_send_a_notice_once(staffed: Town) -> None:
    for number in range(5):
        put_in(staffed, f"alert-{number}")
    channels = [Down(), Down()]
    for one in channels:
        one.works = True

    async def work() -> None:
        told = [sender(staffed, command=one) for one in channels]
        for one in told:
            one.start()
        await until(lambda: unsent(staffed) == 0)
        for one in told:
            await one.close()

    asyncio.run(work())
    assert sum(len(message.notices) for one in channels for message in one.told) == 5


def test_the_wait_between_rounds_grows_to_an_hour_and_nothing_is_given_up(staffed: Town) -> None:
    put_in(staffed, "alert-1")
    waits = []
    for _ in range(12):
        (message,) = staffed.write(lambda tx: queue.claim(tx, ("command",)))
        staffed.write(lambda tx, message=message: queue.settle(tx, message, sent=False))  # type: ignore[misc]  # mypy cannot infer it
        began = staffed.now
        while not staffed.read(lambda conn: queue.is_due(conn, now=staffed.now)):
            staffed.later(seconds=30)
        waits.append(staffed.now - began)

    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert waits[-1] == timedelta(hours=1)


def test_a_channel_that_is_gone_leaves_its_notices_to_the_others(staffed: Town) -> None:
    put_in(staffed, "alert-1")
    run(staffed, lambda: "notice.sent" in staffed.kinds(), command=Down())
    staffed.later(hours=1)
    other = Down()
    other.works = True
    run(staffed, lambda: unsent(staffed) == 0, webhook=other)

    assert len(other.told) == 1


def test_without_any_channel_nothing_piles_up(staffed: Town) -> None:
    put_in(staffed, "alert-1")
    run(staffed, lambda: unsent(staffed) == 0)

    assert "notice.sent" not in staffed.kinds()


def test_no_word_of_an_agents_is_in_a_notice_and_a_dead_channel_holds_nobody_up(tmp_path: Path) -> None:
    web = WebReceiver()

    async def work() -> None:
        async with web.open() as url:
            shop = make_workshop(tmp_path, tier=4)
            told = sender(shop.town, webhook=Webhook(url, lambda: shop.town.now), command=Command("/no/such"))
            told.start()
            shop = shop.renewed(notifier=told)
            async with asyncio.timeout(20):
                mail = {"to": ["$reboot@x.example"], "subject": "`id`", "body": "\x1b]0;planted\x07"}
                await shop.act("send_mail", mail, rationale="planted")
                label = {"message_id": "planted", "label": "good"}
                await shop.act("pay", {"to": "bob@partner.example", "amount": 5}, rationale="planted")
                await shop.act("set_label", label, rationale="planted")
                await shop.act("planted_\x1b[2J", {"planted": "planted"})
            for kind in (b"suggestion", b"alert", b"hold"):
                await until(lambda kind=kind: any(kind in post.body for post in web.posts))  # type: ignore[misc]  # mypy cannot infer it
            await told.close()
            shop.town.close()

    asyncio.run(work())

    for post in web.posts:
        assert b"planted" not in post.body
        assert b"reboot" not in post.body
