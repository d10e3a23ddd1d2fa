"""Held actions: who waits, who decides, and that a yes is good for exactly one thing, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from profiles.effects import Effect
from runtime import grants
from runtime.gate.holds import HoldError, Voted
from runtime.gate.places import digest_of_key
from runtime.gate.replies import Done, Pending, Reply, Withheld
from runtime.gate.states import HoldState
from runtime.people.changes import Applied
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import Matter, StatementType
from tests.runtime.gate.conftest import NewWorkshop
from tests.standins.databases import RULE_BROKEN
from tests.standins.persons import Person
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN
from tests.standins.workshop import Workshop

PRIVATE = {"folder": "Private"}
CARD_MAIL = {"to": ["a@known.example"], "subject": "Hi", "body": "4111 1111 1111 1111"}
PAY = {"to": "a@known.example", "amount": 10}


async def _held(shop: Workshop, tool: str, args: dict[str, Any]) -> asyncio.Task[Reply]:
    """Begin a call and wait until its hold is there."""
    before = len(await shop.gate.holds.listed())
    task = asyncio.create_task(shop.act(tool, args))
    while len(await shop.gate.holds.listed()) == before:  # noqa: ASYNC110 a row of the database has no event
        await asyncio.sleep(0.005)
    return task


async def _quiet(shop: Workshop) -> None:
    await shop.gate.close()


def test_a_held_read_waits_and_runs_when_approved(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Reply:
        task = await _held(shop, "read_folder", PRIVATE)
        assert shop.hands.done == []
        voted = await shop.vote(await shop.waiting(), DORA)
        assert isinstance(voted[0], Voted)
        return await task

    assert asyncio.run(work()) == Done({"done": "read_folder"})
    assert shop.states() == ["done"]
    kinds = shop.town.kinds()
    assert kinds.index("approval.requested") < kinds.index("approval.given") < kinds.index("action.intent")


def test_what_was_approved_and_done_is_seen_from_then_on(new_workshop: NewWorkshop) -> None:
    """R-06: the folder is new once; another folder is new again."""
    shop = new_workshop(tier=0)

    async def work() -> tuple[Reply, Reply]:
        task = await _held(shop, "read_folder", PRIVATE)
        await shop.vote(await shop.waiting(), DORA)
        await task
        quick = shop.renewed(hold_wait_seconds=0.01)
        return await quick.act("read_folder", {**PRIVATE, "message_id": "9"}), await quick.act(
            "read_folder", {"folder": "Secret"}
        )

    same, other = asyncio.run(work())

    assert isinstance(same, Done)
    assert isinstance(other, Pending)


def test_a_row_in_the_seen_table_makes_nothing_seen(new_workshop: NewWorkshop) -> None:
    """DESIGN section 5: a row without a cause grants nothing."""
    shop = new_workshop(tier=0)
    asyncio.run(shop.act("list_folders"))
    key = digest_of_key(shop.run.deployment, "read:collection:Private")
    shop.town.tamper(
        "INSERT INTO seen (deployment, key, first_action) VALUES (:d, :k, 'act-1')",
        d=shop.run.deployment,
        k=key,
    )

    assert asyncio.run(shop.renewed(hold_wait_seconds=0.01).act("read_folder", PRIVATE)) == Pending()


def test_a_held_read_tells_its_progress(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)
    told: list[tuple[float, str]] = []

    async def work() -> Reply:
        async def progress(seconds: float, text: str) -> None:
            told.append((seconds, text))

        return await shop.renewed(hold_wait_seconds=0.05).take(shop.action("read_folder", PRIVATE), progress)

    assert asyncio.run(work()) == Pending()
    assert told
    assert {text for _, text in told} == {"waiting"}


def _two_for_a_read(shop: Workshop) -> None:
    """Let the policy ask for two persons, also for a read."""
    text = shop.town.state.head.text.replace("version: 1", "version: 2", 1)
    two = text.replace("  read:\n    count: 1", "  read:\n    count: 2", 1)
    assert isinstance(shop.town.change(two, OLGA, ROSA), Applied)


def test_whoever_waits_for_two_persons_waits_on_after_the_first(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)
    _two_for_a_read(shop)

    async def work() -> Reply:
        task = await _held(shop, "read_folder", PRIVATE)
        card = await shop.waiting()
        await shop.vote(card, DORA)
        await asyncio.wait([task], timeout=0.3)
        assert not task.done()
        await shop.vote(card, SVEN)
        return await task

    assert asyncio.run(work()) == Done({"done": "read_folder"})


def test_a_disconnect_after_pending_leaves_the_hold_and_its_votes(new_workshop: NewWorkshop) -> None:
    """It was told to ask again: a vote beside that is no reason to forget it."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.05)
    _two_for_a_read(shop)

    async def work() -> Reply:
        assert await shop.act("read_folder", PRIVATE) == Pending()
        card = await shop.waiting()
        await shop.vote(card, DORA)
        task = asyncio.create_task(shop.act("read_folder", PRIVATE))
        await asyncio.sleep(0.02)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await shop.vote(card, SVEN)
        return await shop.act("read_folder", PRIVATE)

    assert asyncio.run(work()) == Done({"done": "read_folder"})


def test_after_pending_the_identical_call_runs_once_when_approved(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0, hold_wait_seconds=0.02)

    async def work() -> list[Reply]:
        first = await shop.act("read_folder", PRIVATE)
        await shop.vote(await shop.waiting(), DORA)
        other = await shop.act("read_folder", {"folder": "Other"})
        return [first, other, await shop.act("read_folder", PRIVATE)]

    assert asyncio.run(work()) == [Pending(), Pending(), Done({"done": "read_folder"})]
    assert len(shop.hands.done) == 1


def test_an_approval_is_used_once_even_where_nothing_becomes_seen(new_workshop: NewWorkshop) -> None:
    """R-17: a key in a search is held each time, and one yes is one search."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.02)
    secret = {"query": "AKIA" + "Q3EGRVJ7KW2LXN5T"}

    async def work() -> list[Reply]:
        await shop.act("search", secret)
        await shop.vote(await shop.waiting(), DORA)
        return [await shop.act("search", secret), await shop.act("search", secret)]

    assert asyncio.run(work()) == [Done({"done": "search"}), Pending()]


def test_changed_arguments_are_another_action(new_workshop: NewWorkshop) -> None:
    """DESIGN section 5: approve-then-edit voids; R-17: the digest is what was approved."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.02)

    async def work() -> Reply:
        await shop.act("fetch", {"url": "https://new.example/a"})
        await shop.vote(await shop.waiting(), DORA)
        return await shop.act("fetch", {"url": "https://new.example/b"})

    assert asyncio.run(work()) == Pending()
    assert shop.hands.done == []


def test_a_new_reason_holds_again(new_workshop: NewWorkshop) -> None:
    """An approval names the reasons it clears. Here the effect's class loses its grant after the yes."""
    shop = new_workshop(tier=3)

    async def work() -> list[Any]:
        await shop.act("send_mail", CARD_MAIL)
        card = await shop.waiting()
        assert card.clears == (("sensitive", "data:payment-card"),)
        gate, shop.gate = shop.gate, shop.renewed(carrier=_Closed()).gate
        await shop.gate.holds.load()
        await shop.vote(card, SVEN)
        await shop.gate.close()
        shop.town.write(
            lambda tx: grants.revoke(
                tx, shop.run.deployment, effects=[Effect.SEND], cause="t", actor="t", now=tx.now
            )
        )
        shop.gate = gate
        await gate.sweep()
        await _quiet(shop)
        return list(await shop.holds_in(HoldState.VOIDED))

    (voided,) = asyncio.run(work())

    assert voided.state == "voided"
    assert shop.hands.done == []


def test_a_rejected_action_is_denied_as_often_as_it_is_repeated(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> list[Reply]:
        task = await _held(shop, "read_folder", PRIVATE)
        await shop.vote(await shop.waiting(), DORA, yes=False)
        return [await task, await shop.act("read_folder", PRIVATE)]

    assert asyncio.run(work()) == [Withheld(), Withheld()]
    assert shop.codes() >= {"rejected"}
    assert shop.hands.done == []


def test_one_no_beats_every_yes(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=4)

    async def work() -> list[Any]:
        await shop.act("pay", PAY)
        card = await shop.waiting()
        await shop.vote(card, SVEN)
        await shop.vote(card, DORA, yes=False)
        later = await shop.vote(card, LENA)
        await _quiet(shop)
        return later

    (refused,) = asyncio.run(work())

    assert isinstance(refused, Refused)
    assert shop.hands.done == []


def test_a_held_write_is_answered_at_once_and_carried_out_once_when_approved(
    new_workshop: NewWorkshop,
) -> None:
    shop = new_workshop(tier=3)

    async def work() -> list[Reply]:
        first = await shop.act("send_mail", CARD_MAIL)
        while_waiting = await shop.act("send_mail", CARD_MAIL)
        assert len(await shop.gate.holds.listed()) == 1
        await shop.vote(await shop.waiting(), SVEN)
        await _quiet(shop)
        return [
            first,
            while_waiting,
            await shop.act("send_mail", CARD_MAIL),
            await shop.act("send_mail", CARD_MAIL),
        ]

    replies = asyncio.run(work())

    assert replies == [Withheld(), Withheld(), Done({"done": "send_mail"}), Done({"done": "send_mail"})]
    assert len(shop.hands.done) == 1
    assert shop.states().count("answered") == 2


def test_an_approved_write_is_carried_out_after_its_run_has_ended(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=3)

    async def work() -> None:
        await shop.act("send_mail", CARD_MAIL)
        shop.end_run()
        await shop.vote(await shop.waiting(), SVEN)
        await _quiet(shop)

    asyncio.run(work())

    assert [action.tool for action in shop.hands.done] == ["send_mail"]


@pytest.mark.parametrize("outcome", ["stopped", "killed", "never_started", "lost"])
def test_what_a_stopped_run_wanted_is_not_carried_out(new_workshop: NewWorkshop, outcome: str) -> None:
    """After stop() returned, no further allow is possible."""
    shop = new_workshop(tier=3)

    async def work() -> None:
        await shop.act("send_mail", CARD_MAIL)
        shop.end_run(outcome)
        await shop.vote(await shop.waiting(), SVEN)
        await _quiet(shop)

    asyncio.run(work())

    assert shop.hands.done == []
    assert "run_not_live" in shop.codes()


def test_a_critical_action_takes_two_persons_of_two_groups(new_workshop: NewWorkshop) -> None:
    """R-17, R-83."""
    shop = new_workshop(tier=4)

    async def work() -> list[Any]:
        await shop.act("pay", PAY)
        card = await shop.waiting()
        first = await shop.vote(card, SVEN)
        assert shop.hands.done == []
        twice = await shop.vote(card, SVEN)
        second = await shop.vote(card, DORA)
        await _quiet(shop)
        return [*first, *twice, *second]

    first, twice, second = asyncio.run(work())

    assert (first.state, second.state) == (HoldState.WAITING, HoldState.APPROVED)
    assert isinstance(twice, Refused)
    assert [action.tool for action in shop.hands.done] == ["pay"]


@pytest.mark.parametrize("person", [OLGA, ROSA, Person("sven"), Person("stranger")])
def test_those_who_may_not_decide_are_refused(new_workshop: NewWorkshop, person: Person) -> None:
    """The operator who launched it, someone without the role, a forged key, a stranger."""
    shop = new_workshop(tier=0)

    async def work() -> list[Any]:
        await shop.act("read_folder", PRIVATE)
        return await shop.vote(await shop.waiting(), person)

    shop = shop.renewed(hold_wait_seconds=0.01)
    (answer,) = asyncio.run(work())

    assert isinstance(answer, Refused)
    assert shop.hands.done == []


def test_the_owner_and_the_operator_never_decide_under_any_name(new_workshop: NewWorkshop) -> None:
    """F7: no self-approval."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)
    shop.run = replace(shop.run, owner="dora", operator="sven")

    async def work() -> list[Any]:
        await shop.act("read_folder", PRIVATE)
        return await shop.vote(await shop.waiting(), DORA, SVEN)

    assert [refused.code for refused in asyncio.run(work())] == [RefusalCode.NOT_PERMITTED] * 2


def test_in_single_user_mode_the_one_user_may_decide(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)
    shop.run = replace(shop.run, owner="dora", operator="dora", single_user=True)

    async def work() -> Reply:
        await shop.act("read_folder", PRIVATE)
        await shop.vote(await shop.waiting(), DORA)
        return await shop.act("read_folder", PRIVATE)

    assert isinstance(asyncio.run(work()), Done)


def _other_card(card: Any, **changes: Any) -> Matter:
    matter = card.matter(StatementType.APPROVAL, reason="r")
    fields = {"type": matter.type, "subject": matter.subject, "digest": matter.digest, "body": matter.body}
    return Matter(**(fields | changes))


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "0" * 64},
        {"body": {"reason": "r", "clears": []}},
        {"body": {"reason": "r", "clears": [["first_seen", "read:collection:Other"]]}},
        {"body": {"reason": "r"}},
        {"type": StatementType.JUDGEMENT},
        {"type": StatementType.GRANT},
        {"subject": "hold-other"},
    ],
)
def test_a_statement_about_anything_else_counts_for_nothing(
    new_workshop: NewWorkshop, change: dict[str, Any]
) -> None:
    """F9: another card, other reasons, another kind of word, another hold."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)

    async def work() -> tuple[Any, Reply]:
        await shop.act("read_folder", PRIVATE)
        card = await shop.waiting()
        signed = shop.town.signed(DORA, _other_card(card, **change))
        return await shop.gate.vote(signed, card.hold), await shop.act("read_folder", PRIVATE)

    answer, reply = asyncio.run(work())

    assert isinstance(answer, Refused)
    assert reply == Pending()


def test_a_vote_is_used_once(new_workshop: NewWorkshop) -> None:
    """F9: replay."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)
    secret = {"query": "AKIA" + "Q3EGRVJ7KW2LXN5T"}

    async def work() -> Any:
        await shop.act("search", secret)
        card = await shop.waiting()
        signed = shop.town.signed(DORA, card.matter(StatementType.APPROVAL, reason="r"))
        assert isinstance(await shop.gate.vote(signed, card.hold), Voted)
        await shop.act("search", secret)
        await shop.act("search", secret)
        return await shop.gate.vote(signed, card.hold), await shop.gate.vote(
            signed, (await shop.waiting()).hold
        )

    assert all(isinstance(answer, Refused) for answer in asyncio.run(work()))
    assert len(shop.hands.done) == 1


@pytest.mark.parametrize(("tier", "tool", "args"), [(0, "read_folder", PRIVATE), (3, "send_mail", CARD_MAIL)])
def test_nothing_runs_on_an_expired_approval(
    new_workshop: NewWorkshop, tier: int, tool: str, args: dict[str, Any]
) -> None:
    """The policy says how long a hold lives: 900 seconds."""
    shop = new_workshop(tier=tier, hold_wait_seconds=0.01)

    async def work() -> list[Any]:
        await shop.act(tool, args)
        card = await shop.waiting()
        late = shop.town.signed(SVEN, card.matter(StatementType.APPROVAL, reason="r"))
        shop.town.later(seconds=901)
        refused = await shop.gate.vote(late, card.hold)
        await shop.gate.sweep()
        await shop.act(tool, args)
        await _quiet(shop)
        return [
            refused,
            len(await shop.holds_in(HoldState.EXPIRED)),
            len(await shop.holds_in(HoldState.WAITING)),
        ]

    refused, expired, waiting = asyncio.run(work())

    assert isinstance(refused, Refused)
    assert (expired, waiting) == (1, 1)
    assert shop.hands.done == []


def test_an_approval_that_comes_in_time_and_is_used_too_late_lets_nothing_happen(
    new_workshop: NewWorkshop,
) -> None:
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)

    async def work() -> Reply:
        await shop.act("read_folder", PRIVATE)
        await shop.vote(await shop.waiting(), DORA)
        shop.town.later(seconds=901)
        return await shop.act("read_folder", PRIVATE)

    assert asyncio.run(work()) == Pending()
    assert shop.hands.done == []


def test_a_disconnect_before_pending_voids_the_hold(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        task = await _held(shop, "read_folder", PRIVATE)
        card = await shop.waiting()
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await _quiet(shop)
        return await shop.vote(card, DORA), await shop.holds_in(HoldState.VOIDED)

    (refused,), voided = asyncio.run(work())

    assert isinstance(refused, Refused)
    assert len(voided) == 1


def test_never_beats_every_approval(new_workshop: NewWorkshop) -> None:
    """R-14: there is no hold to approve, and an approval of a like action does not help."""
    shop = new_workshop(tier=4)

    async def work() -> list[Any]:
        reply = await shop.act("shred", {"number": "1"})
        return [reply, await shop.gate.holds.listed()]

    assert asyncio.run(work()) == [Withheld(), []]
    assert "never" in shop.codes()


def test_six_racing_approvals_carry_out_once(new_workshop: NewWorkshop) -> None:
    """DESIGN section 5: six racing approvals make one."""
    shop = new_workshop(tier=3)

    async def work() -> None:
        await shop.act("send_mail", CARD_MAIL)
        card = await shop.waiting()
        matter = card.matter(StatementType.APPROVAL, reason="r")
        signed = [shop.town.signed(person, matter) for person in (SVEN, DORA) * 3]
        await asyncio.gather(*[shop.gate.vote(one, card.hold) for one in signed])
        await asyncio.gather(*[shop.gate.sweep() for _ in range(6)])
        await _quiet(shop)

    asyncio.run(work())

    assert len(shop.hands.done) == 1
    assert shop.rows("SELECT count(*) FROM log_entry WHERE kind = 'action.intent'")[0][0] == 1


def test_a_restart_carries_out_what_was_approved_and_only_once(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=3, carrier=_Closed())

    async def work() -> None:
        await shop.act("send_mail", CARD_MAIL)
        await shop.vote(await shop.waiting(), SVEN)
        await _quiet(shop)
        assert shop.hands.done == []
        for _ in range(2):
            again = shop.renewed()
            await again.gate.start()
            await again.gate.close()

    asyncio.run(work())

    assert len(shop.hands.done) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE hold SET state = 'approved'",
        "UPDATE hold SET state = 'approved', needed = 1, reasons = '[]'",
        "INSERT INTO vote (statement, hold, person, cast_at) SELECT 's', id, 'sven', created_at FROM hold",
    ],
)
def test_rows_written_by_hand_approve_nothing(new_workshop: NewWorkshop, sql: str) -> None:
    """DESIGN section 5: deciding code verifies signatures, not rows."""
    shop = new_workshop(tier=3)

    async def work() -> None:
        await shop.act("send_mail", CARD_MAIL)
        shop.town.tamper(sql)
        await shop.gate.sweep()
        await _quiet(shop)
        again = shop.renewed()
        await again.gate.start()
        await again.gate.close()

    asyncio.run(work())

    assert shop.hands.done == []


def test_a_used_hold_that_is_set_back_by_hand_runs_no_second_time(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=3)

    async def work() -> None:
        await shop.act("send_mail", CARD_MAIL)
        await shop.vote(await shop.waiting(), SVEN)
        await _quiet(shop)
        shop.town.tamper("UPDATE hold SET state = 'approved', result_seq = NULL")
        again = shop.renewed()
        await again.gate.start()
        await again.gate.close()

    asyncio.run(work())

    assert len(shop.hands.done) == 1


def test_a_hold_that_points_to_another_card_is_an_error(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)

    async def work() -> None:
        await shop.act("read_folder", PRIVATE)
        await shop.act("read_folder", {"folder": "Other"})
        shop.town.tamper("UPDATE hold SET log_seq = (SELECT max(log_seq) FROM hold)")
        await shop.renewed().gate.start()

    with pytest.raises(HoldError, match="not the recorded one"):
        asyncio.run(work())


def test_a_hold_needs_at_least_one_person_in_the_database_too(new_workshop: NewWorkshop) -> None:
    """DESIGN section 5: `approvals: 0` is refused."""
    shop = new_workshop(tier=0, hold_wait_seconds=0.01)
    asyncio.run(shop.act("read_folder", PRIVATE))

    with pytest.raises(RULE_BROKEN):
        shop.town.tamper("UPDATE hold SET needed = 0")


def test_a_person_sees_the_exact_arguments_reasons_and_expiry(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=4)

    async def work() -> Any:
        await shop.act("pay", PAY, rationale="the invoice is due")
        return await shop.gate.holds.show((await shop.waiting()).hold)

    shown = asyncio.run(work())

    assert shown.card.fields["args"] == PAY
    assert shown.card.fields["rationale"] == "the invoice is due"
    assert [reason["code"] for reason in shown.card.fields["reasons"]] == ["two_persons"]
    assert "2 more of 2" in shown.tally.missing[0]
    assert shown.state is HoldState.WAITING


def test_above_its_tier_a_listed_class_is_held_and_runs_when_approved(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=1)

    async def work() -> None:
        await shop.act("update_record", {"number": "5"})
        await shop.vote(await shop.waiting(), DORA)
        await _quiet(shop)

    asyncio.run(work())

    assert [action.tool for action in shop.hands.done] == ["update_record"]


def test_a_failed_carry_is_recorded_and_not_tried_again(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=3)

    async def work() -> Reply:
        await shop.act("send_mail", CARD_MAIL)
        shop.hands.error = ConnectionResetError("gone")
        await shop.vote(await shop.waiting(), SVEN)
        await _quiet(shop)
        shop.hands.error = None
        await shop.gate.sweep()
        await _quiet(shop)
        return await shop.act("send_mail", CARD_MAIL)

    assert asyncio.run(work()) == Withheld()
    assert shop.hands.done == []
    assert "unknown" in shop.states()


class _Closed:
    """A carrier whose upstreams do not start."""

    @asynccontextmanager
    async def open(self, run: str) -> AsyncIterator[Any]:
        raise ConnectionRefusedError(run)
        yield
