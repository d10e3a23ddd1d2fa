"""One action from the request to its recorded end, on a real record with real signatures."""

import asyncio
from typing import Any

import pytest

from profiles.effects import Effect
from runtime import grants
from runtime.broker import Broker
from runtime.clock import new_id, random_bytes
from runtime.errors import LedgerUnavailableError
from runtime.freeze_rules import Scope
from runtime.gate.replies import WITHHELD_TEXT, Admitted, Broken, Done, Performed, Unknown, Withheld
from tests.runtime.gate.conftest import NewWorkshop
from tests.standins.towns import OLGA, set_freeze, stop_of
from tests.standins.workshop import PROFILE, Workshop, refuses

MAIL = {"to": ["a@known.example"], "subject": "Hi", "body": "Yes."}
INBOX = {"folder": "INBOX"}


def test_an_allowed_read_is_done_and_recorded(new_workshop: NewWorkshop) -> None:
    """R-10: proposal, decision, execution and outcome of a read stand in the record."""
    shop = new_workshop(tier=0)

    reply = asyncio.run(shop.act("read_folder", INBOX))

    assert reply == Done({"done": "read_folder"})
    assert shop.states() == ["done"]
    assert shop.town.kinds()[-3:] == ["lease.issued", "action.intent", "action.outcome"]


def test_a_write_at_tier_0_becomes_a_suggestion_and_is_not_done(new_workshop: NewWorkshop) -> None:
    """R-31: it is answered at once, with one constant text."""
    shop = new_workshop(tier=0)

    reply = asyncio.run(shop.act("send_mail", MAIL))

    assert reply == Withheld(WITHHELD_TEXT)
    assert shop.hands.done == []
    assert shop.states() == ["suggested"]
    assert shop.town.kinds()[-2:] == ["action.decision", "suggestion.made"]


def test_every_class_runs_at_its_tier_by_signed_grants(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=3)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("read_folder", INBOX),
        ("set_label", {"message_id": "1", "label": "good"}),
        ("update_record", {"number": "1"}),
        ("send_mail", MAIL),
    ]

    async def work() -> list[Any]:
        return [await shop.act(tool, args) for tool, args in calls]

    assert asyncio.run(work()) == [Done({"done": tool}) for tool, _ in calls]


def test_without_any_grant_all_is_denied(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=-1)

    assert asyncio.run(shop.act("read_folder", INBOX)) == Withheld()
    assert shop.codes() == {"no_grant"}


def test_all_that_is_withheld_is_told_in_the_same_words(new_workshop: NewWorkshop) -> None:
    """F27: a denial, a suggestion and a held write cannot be told apart."""
    shop = new_workshop(tier=1)

    async def work() -> list[Any]:
        return [
            await shop.act("send_mail", MAIL),
            await shop.act("update_record", {"number": "1"}),
            await shop.act("search", {"query": 5}),
            await shop.act("no_such_tool", {}),
            await shop.act("shred", {"number": "1"}),
        ]

    replies = asyncio.run(work())

    assert set(replies) == {Withheld()}
    assert shop.states() == ["suggested", "held", "denied", "denied", "denied"]
    for word in ("tier", "rule", "polic", "grant", "approv", "review", "handrail"):
        assert word not in WITHHELD_TEXT.lower()


def test_rationale_arguments_and_verdicts_are_kept_encrypted(new_workshop: NewWorkshop) -> None:
    """R-11, R-79: the three questions are answered and stored with each action."""
    shop = new_workshop(tier=3)

    async def work() -> None:
        await shop.act("read_folder", INBOX, rationale="to find the invoice")
        await shop.act("search", {"query": "a planted sentence"})

    asyncio.run(work())

    first, second = (
        shop.town.ledger.entry(row[0]) for row in shop.rows("SELECT log_seq FROM action ORDER BY log_seq")
    )
    assert first.payload is not None
    assert second.payload is not None
    assert first.payload["rationale"] == "to find the invoice"
    assert second.payload["rationale"] == "not_provided"
    assert second.payload["args"] == {"query": "a planted sentence"}
    assert first.payload["questions"] == {
        "makes_sense_now": "yes",
        "sensitive_data": "none found",
        "human": "not needed",
    }


def test_planted_text_is_not_found_in_the_database(new_workshop: NewWorkshop) -> None:
    """R-48: whatever an agent writes, names or is told stands encrypted."""
    shop = new_workshop(tier=2)
    planted = "zebra-planted-7731"

    async def work() -> None:
        await shop.act("search", {"query": planted}, rationale=planted)
        await shop.act(planted, {planted: planted})
        await shop.act("read_folder", {"folder": planted})
        await shop.act("send_mail", {**MAIL, "to": [f"{planted}@x.example"], "body": planted})
        await shop.act("update_record", {"number": "1", planted: planted})

    shop = shop.renewed(hold_wait_seconds=0.01)
    asyncio.run(work())
    shop.town.close()

    stored = b"".join(path.read_bytes() for path in shop.town.settings.state_dir.glob("handrail.db*"))
    assert len(shop.hands.done) == 1
    assert planted.encode() not in stored


def test_the_intent_is_durable_before_the_effect_and_the_outcome_before_the_reply(
    new_workshop: NewWorkshop,
) -> None:
    """R-10, R-17: no execution without an intent."""
    shop = new_workshop(tier=0)
    during: list[list[str]] = []

    async def work() -> None:
        async def perform() -> Performed:
            during.append(shop.states())
            return Performed({})

        action = shop.action("read_folder", INBOX)
        await shop.gate.enforce(shop.run, action, perform)

    asyncio.run(work())

    assert during == [["intent"]]
    assert shop.states() == ["done"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(refuses(), "failed"), (ConnectionResetError("gone"), "unknown"), (TimeoutError(), "unknown")],
)
def test_a_failed_effect_is_told_apart_from_an_unknown_one(
    new_workshop: NewWorkshop, error: Exception, state: str
) -> None:
    shop = new_workshop(tier=0)
    shop.hands.error = error

    reply = asyncio.run(shop.act("read_folder", INBOX))

    assert isinstance(reply, Broken)
    assert shop.states() == [state]


def test_a_caller_who_goes_away_during_the_effect_leaves_an_unknown_outcome(
    new_workshop: NewWorkshop,
) -> None:
    shop = new_workshop(tier=0)

    async def work() -> None:
        started = asyncio.Event()

        async def perform() -> Performed:
            started.set()
            await asyncio.sleep(3600)
            return Performed({})

        task = asyncio.create_task(shop.gate.enforce(shop.run, shop.action("list_folders"), perform))
        await started.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await shop.gate.close()

    asyncio.run(work())

    assert shop.states() == ["unknown"]


@pytest.mark.parametrize("pause", [0.0, 0.0005, 0.002, 0.01])
def test_a_caller_who_goes_away_while_being_admitted_leaves_no_open_intent(
    new_workshop: NewWorkshop, pause: float
) -> None:
    shop = new_workshop(tier=0)

    async def work() -> None:
        for _ in range(10):
            task = asyncio.create_task(shop.gate.admit(shop.run, shop.action("list_folders")))
            await asyncio.sleep(pause)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled() and isinstance(admitted := task.result(), Admitted):
                await shop.gate.settle(admitted.ticket, Unknown("test"))
        await shop.gate.close()

    asyncio.run(work())

    assert "intent" not in shop.states()


def test_an_outcome_is_recorded_once(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> None:
        admitted = await shop.gate.admit(shop.run, shop.action("list_folders"))
        assert isinstance(admitted, Admitted)
        await shop.gate.settle(admitted.ticket, Performed({}))
        await shop.gate.settle(admitted.ticket, Unknown("again"))

    asyncio.run(work())

    assert shop.states() == ["done"]
    assert shop.town.kinds().count("action.outcome") == 1


def test_a_reply_that_is_no_json_is_not_kept_but_counts_as_done(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> None:
        admitted = await shop.gate.admit(shop.run, shop.action("list_folders"))
        assert isinstance(admitted, Admitted)
        await shop.gate.settle(admitted.ticket, Performed({"value": float("nan"), "text": "\ud800"}))

    asyncio.run(work())

    assert shop.states() == ["done"]


def test_an_action_id_is_used_once(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)
    action = shop.action("list_folders")

    async def work() -> list[Any]:
        return [await shop.take(action), await shop.take(action)]

    first, second = asyncio.run(work())

    assert (first, second) == (Done({"done": "list_folders"}), Withheld())
    assert len(shop.hands.done) == 1


def test_a_record_that_does_not_answer_denies(new_workshop: NewWorkshop) -> None:
    """No audit, no action."""
    shop = new_workshop(tier=0)
    shop.town.ledger.close()

    assert asyncio.run(shop.act("list_folders")) == Withheld()
    assert shop.hands.done == []


def test_an_outcome_that_cannot_be_recorded_is_no_reply(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    async def work() -> Any:
        async def perform() -> Performed:
            shop.town.ledger.close()
            return Performed({"secret": 1})

        return await shop.gate.enforce(shop.run, shop.action("list_folders"), perform)

    assert isinstance(asyncio.run(work()), Broken)


def _revoke_read(shop: Workshop) -> None:
    shop.town.write(
        lambda tx: grants.revoke(
            tx, shop.run.deployment, effects=[Effect.READ], cause="test", actor="test", now=tx.now
        )
    )


def _freeze(shop: Workshop) -> None:
    stop = set_freeze(shop.town, stop_of(Scope.AGENT, shop.run.agent, shop.town), OLGA)
    assert stop is not None


def _end(shop: Workshop) -> None:
    shop.end_run()


def _revoke_lease(shop: Workshop) -> None:
    broker = Broker(new_id, random_bytes)
    shop.town.write(lambda tx: broker.revoke(tx, shop.run.run, cause="test", actor="test"))


@pytest.mark.parametrize(
    ("take_away", "code"),
    [(_revoke_read, "no_grant"), (_freeze, "frozen"), (_end, "run_not_live"), (_revoke_lease, "no_lease")],
)
def test_after_power_was_taken_away_nothing_more_is_allowed(
    new_workshop: NewWorkshop, take_away: Any, code: str
) -> None:
    """R-69, R-71: 32 clients at work; once revoke, freeze or stop has returned, no intent is written."""
    shop = new_workshop(tier=0, profile=_roomy())

    async def work() -> int:
        stopping = asyncio.Event()

        async def client() -> None:
            while not stopping.is_set():
                await shop.act("list_folders")
            assert await shop.act("list_folders") == Withheld()

        clients = [asyncio.create_task(client()) for _ in range(32)]
        while len(shop.hands.done) < 100:  # noqa: ASYNC110 until there is work under way
            await asyncio.sleep(0.01)
        await asyncio.to_thread(take_away, shop)
        mark = int(shop.rows("SELECT max(seq) FROM log_entry")[0][0])
        await asyncio.sleep(0.2)
        stopping.set()
        await asyncio.gather(*clients)
        return mark

    mark = asyncio.run(work())

    later = shop.rows(
        "SELECT count(*) FROM log_entry WHERE kind = 'action.intent' AND seq > :mark", mark=mark
    )
    assert later[0][0] == 0
    assert shop.codes() == {code}
    assert "done" in shop.states()


@pytest.mark.parametrize("limit", ["actions_per_run", "actions_per_hour"])
def test_budgets_are_never_overspent_by_many_at_once(new_workshop: NewWorkshop, limit: str) -> None:
    """R-23: 100 calls race for 20 actions."""
    profile = _roomy().replace(f"{limit}: {_ROOM[limit]}", f"{limit}: 20")
    shop = new_workshop(tier=0, profile=profile)

    async def work() -> list[Any]:
        return await asyncio.gather(*[shop.act("list_folders") for _ in range(100)])

    replies = asyncio.run(work())

    assert sum(isinstance(reply, Done) for reply in replies) == 20
    assert shop.states().count("done") == 20
    assert shop.states().count("denied") == 80
    assert len(shop.hands.done) == 20


def test_a_batch_of_ten_uses_ten_of_the_budget(new_workshop: NewWorkshop) -> None:
    """R-23."""
    shop = new_workshop(tier=1, profile=_roomy().replace("actions_per_run: 1000", "actions_per_run: 15"))
    ten = {"ids": [str(i) for i in range(10)]}

    async def work() -> list[Any]:
        return [await shop.act("label_many", ten), await shop.act("label_many", ten)]

    assert asyncio.run(work()) == [Done({"done": "label_many"}), Withheld()]
    assert shop.codes() == {"budget"}


def test_the_hourly_budget_comes_back_after_an_hour_and_not_before(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0, profile=_roomy().replace("actions_per_hour: 1000", "actions_per_hour: 2"))

    def act() -> Any:
        return asyncio.run(shop.act("list_folders"))

    assert [type(act()) for _ in range(3)] == [Done, Done, Withheld]
    shop.town.later(minutes=59)
    assert isinstance(act(), Withheld)
    shop.town.later(minutes=3)
    assert isinstance(act(), Done)


def test_a_clock_that_steps_back_revives_nothing(new_workshop: NewWorkshop) -> None:
    """F2: an expired grant stays expired, in this process and in the next one."""
    shop = new_workshop(tier=0)
    assert isinstance(asyncio.run(shop.act("list_folders")), Done)
    shop.town.later(days=8)
    assert isinstance(asyncio.run(shop.act("list_folders")), Withheld)

    shop.town.later(days=-8)
    assert isinstance(asyncio.run(shop.act("list_folders")), Withheld)
    again = shop.renewed()

    async def work() -> Any:
        await again.gate.start()
        try:
            return await again.act("list_folders")
        finally:
            await again.gate.close()

    assert isinstance(asyncio.run(work()), Withheld)


def test_the_ticket_of_a_slow_start_runs_out(new_workshop: NewWorkshop) -> None:
    """R-71: just-in-time privilege: the lease of one action lasts minutes."""
    shop = new_workshop(tier=0)

    async def work() -> Any:
        admitted = await shop.gate.admit(shop.run, action := shop.action("list_folders"))
        assert isinstance(admitted, Admitted)
        shop.town.later(minutes=16)
        return await shop.gate.perform(shop.run, admitted.ticket, lambda: shop.hands.perform(action))

    assert isinstance(asyncio.run(work()), Broken)
    assert shop.states() == ["failed"]
    assert shop.hands.done == []


def test_a_ticket_that_has_run_out_is_not_good_again_when_the_clock_steps_back(
    new_workshop: NewWorkshop,
) -> None:
    """F2, R-71: what has expired by the latest moment that this process knows stays expired."""
    shop = new_workshop(tier=0)

    async def work() -> Any:
        admitted = await shop.gate.admit(shop.run, action := shop.action("list_folders"))
        assert isinstance(admitted, Admitted)
        shop.town.later(minutes=16)
        await shop.act("list_folders")
        shop.town.later(minutes=-16)
        return await shop.gate.perform(shop.run, admitted.ticket, lambda: shop.hands.perform(action))

    assert isinstance(asyncio.run(work()), Broken)
    assert len(shop.hands.done) == 1


def test_each_action_has_its_own_spent_lease_below_the_runs(new_workshop: NewWorkshop) -> None:
    """R-71: a token for one action and one digest; the database holds no token."""
    shop = new_workshop(tier=0)
    asyncio.run(shop.act("list_folders"))

    query = "SELECT id, parent, action, args_digest, uses_left FROM lease ORDER BY parent IS NOT NULL"
    run, child = shop.rows(query)

    assert (run[0], run[1]) == ("lease-of-run-1", None)
    assert (child[1], child[2], child[4]) == ("lease-of-run-1", "act-1", 0)
    assert child[3] == shop.rows("SELECT args_digest FROM action")[0][0]


def test_a_restart_names_unknown_outcomes(new_workshop: NewWorkshop) -> None:
    """R-10: an intent without an outcome is listed as unknown after a crash."""
    shop = new_workshop(tier=0)

    async def work() -> None:
        await shop.gate.admit(shop.run, shop.action("list_folders"))
        await (later := shop.renewed().gate).start()
        await later.close()

    asyncio.run(work())

    assert shop.states() == ["unknown"]
    assert shop.town.kinds()[-1] == "action.outcome"


def test_a_full_queue_denies_at_once(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(shop.town.ledger, name)

        async def write(self, _unit: Any) -> Any:
            raise LedgerUnavailableError("the record has 10000 units waiting already")

    full = shop.renewed(ledger=Full())

    assert asyncio.run(full.act("list_folders")) == Withheld()
    assert full.hands.done == []


_ROOM = {"actions_per_run": 1000, "actions_per_hour": 1000}


def _roomy() -> str:
    text = PROFILE.replace("actions_per_run: 50", "actions_per_run: 1000")
    return text.replace("actions_per_hour: 80", "actions_per_hour: 1000")
