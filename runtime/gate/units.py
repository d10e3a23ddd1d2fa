"""What one decision writes: intent, hold, suggestion or denial. Each runs inside the deciding transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.alerts.book import raise_alert
from runtime.alerts.rules import deviations
from runtime.canonical import JsonValue
from runtime.gate import hold_rows, rows, triggers
from runtime.gate.actions import digest_of
from runtime.gate.cards import HoldCard, hold_card, suggestion_card
from runtime.gate.checks.budgets import budgets_of
from runtime.gate.checks.novelty import seen_keys
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided
from runtime.gate.entries import Drawn, decision_event
from runtime.gate.parts import GateParts
from runtime.gate.replies import Admission, Admitted, Ticket, Waiting, Withheld
from runtime.gate.setting import noted
from runtime.gate.states import ActionState, HoldState
from runtime.gate.steps import APPENDED, RESERVED
from runtime.gate.tally import quorum_for
from runtime.gate.world import World
from runtime.models import usage
from runtime.moments import utc_text
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.actions import SuggestionRow


@dataclass(frozen=True)
class Recorded:
    """What was written, and what follows from it once it is durable.

    Attributes:
        admission: the answer.
        opened: a hold that began.
        closed: a hold that is over.
        suggestion: the id of a suggestion that was made.
        seen: keys that are seen from now on.
        changed: whether power went, so that no world that was read before is good any more.
    """

    admission: Admission
    opened: HoldCard | None = None
    closed: HoldCard | None = None
    suggestion: str | None = None
    seen: tuple[str, ...] = ()
    changed: bool = False


@dataclass(frozen=True)
class Case:
    """One decided action on its way into the record."""

    parts: GateParts
    run: RunContext
    decided: Decided
    world: World
    now: datetime
    hold: HoldCard | None = None


def intent(tx: Tx, case: Case) -> Recorded:
    """Write the intent with all that must hold when the effect begins: budgets, lease, seen places."""
    reading, run, action = case.decided.reading, case.run, case.decided.reading.action
    conn = tx.conn
    names = [name for name, _, _ in budgets_of(reading, run.profile, case.world.usage)]
    rows.reserve(conn, run, names, reading.units, now=tx.now)
    if action.model is not None:
        usage.reserve(conn, run.run, action.model)
    until = case.now + timedelta(seconds=case.world.roster.policy.expiry.token_seconds)
    audience = reading.upstream or "none"
    lease = case.parts.broker.for_action(
        tx,
        run.run,
        parent=_run_lease(tx, case),
        audience=audience,
        action=action.id,
        digest=reading.digest,
        expires_at=until,
    )
    case.parts.on_step(RESERVED)
    seen = seen_keys(reading, run.deployment)
    hold = case.hold.hold if case.hold else None
    drawn = Drawn((lease.id, audience, utc_text(until)), [n for n in names if n.startswith("effect:")])
    seq = tx.append(
        decision_event(
            EventKind.ACTION_INTENT, run, case.decided, now=tx.now, hold=hold, seen=seen, drawn=drawn
        )
    )
    rows.insert_action(conn, run, case.decided, state=ActionState.INTENT, log_seq=seq, now=tx.now)
    rows.mark_seen(conn, run, seen, action.id)
    if case.hold is not None and not hold_rows.end_hold(tx, case.hold, HoldState.USED):
        raise HoldSpentError(f"hold {case.hold.hold} was used already")
    case.parts.on_step(APPENDED)
    ticket = Ticket(
        action,
        reading.effect,
        run.agent,
        run.deployment,
        lease.id,
        intent_seq=seq,
        valid_until=until,
        hold=hold,
        passes=frozenset(case.hold.told) if case.hold else frozenset(),
    )
    return Recorded(Admitted(ticket), seen=seen)


def deny(tx: Tx, case: Case) -> Recorded:
    """Write a denial, raise the alerts that it shows, and take away the power that it costs."""
    _decision(tx, case, ActionState.DENIED)
    for deviation in deviations(case.decided, case.run):
        raise_alert(tx, deviation, policy=case.world.roster.policy, now=case.now)
    return Recorded(Withheld(), changed=triggers.respond(tx, case))


def suggest(tx: Tx, case: Case, *, repeated: bool) -> Recorded:
    """Write a suggestion; one that repeats an earlier one of the same run is written as a decision only."""
    _decision(tx, case, ActionState.SUGGESTED)
    if repeated:
        return Recorded(Withheld())
    suggestion = case.parts.new_id("sug")
    card = suggestion_card(suggestion, case.run, case.decided, created_at=case.now)
    made_from = {"action": case.decided.reading.action.id, **noted(case.run.setting)}
    data: dict[str, JsonValue] = {"card": digest_of(card), **made_from}
    seq = tx.append(_event(EventKind.SUGGESTION_MADE, case, suggestion, data, {"card": card}))
    tx.insert(SuggestionRow, _suggestion_row(case, suggestion, seq, tx.now))
    return Recorded(Withheld(), suggestion=suggestion)


def hold(tx: Tx, case: Case) -> Recorded:
    """Open a hold. A read may wait for it; a write is answered at once."""
    reading, policy = case.decided.reading, case.world.roster.policy
    quorum = quorum_for(policy, reading.effect)
    if quorum is None:
        raise LookupError(f"the policy names nobody who may approve {reading.effect}")
    expires_at = case.now + timedelta(seconds=policy.expiry.hold_seconds)
    id_ = case.parts.new_id("hold")
    card = hold_card(id_, case.run, case.decided, quorum, created_at=case.now, expires_at=expires_at)
    _decision(tx, case, ActionState.HELD, hold=id_)
    hold_rows.open_hold(tx, card, case.run, case.decided, needed=quorum.count, now=case.now)
    told: dict[str, JsonValue] = {"agent": case.run.agent, "effect": reading.effect.value}
    put(tx, NoticeKind.HOLD, id_, Route.OPERATORS, facts=told, now=case.now)
    return Recorded(_waiting(card) if reading.is_read else Withheld(), opened=card)


def held_again(tx: Tx, case: Case, card: HoldCard) -> Recorded:
    """Write that a held action was asked for again; its hold stands as it is."""
    _decision(tx, case, ActionState.HELD, hold=card.hold)
    return Recorded(_waiting(card) if case.decided.reading.is_read else Withheld())


def answered(tx: Tx, case: Case, card: HoldCard) -> Recorded:
    """Write that a held write was asked for again which was carried out already."""
    _decision(tx, case, ActionState.ANSWERED, hold=card.hold)
    return Recorded(Withheld())


class HoldSpentError(RuntimeError):
    """A hold was to be used twice; the transaction is undone."""


def _waiting(card: HoldCard) -> Waiting:
    return Waiting(card.hold, card.expires_at)


def _run_lease(tx: Tx, case: Case) -> str | None:
    if case.hold is not None and not case.decided.reading.is_read:
        return None  # an approved write stands on its approval, and may outlive its run
    if case.world.lease is not None:
        return case.world.lease.id
    until = case.world.until or case.now
    run = case.run
    lease = case.parts.broker.open_run(
        tx, run.run, agent=run.agent, deployment=run.deployment, expires_at=until
    )
    return lease.id


def _decision(tx: Tx, case: Case, state: ActionState, *, hold: str | None = None) -> None:
    seq = tx.append(decision_event(EventKind.ACTION_DECISION, case.run, case.decided, now=tx.now, hold=hold))
    rows.insert_action(tx.conn, case.run, case.decided, state=state, log_seq=seq, now=tx.now)


def _event(
    kind: EventKind, case: Case, subject: str, data: dict[str, JsonValue], payload: dict[str, JsonValue]
) -> Event:
    run = case.run
    return Event(
        kind=kind,
        at=case.now,
        actor="handrail",
        agent=run.agent,
        deployment=run.deployment,
        run=run.run,
        subject=subject,
        data=data,
        payload=payload,
    )


def _suggestion_row(case: Case, suggestion: str, seq: int, at: datetime) -> dict[str, object]:
    reading = case.decided.reading
    return {
        "id": suggestion,
        "action": reading.action.id,
        "run": case.run.run,
        "deployment": case.run.deployment,
        "agent": case.run.agent,
        "tool": reading.name or "unknown",
        "effect": reading.effect.value,
        "args_digest": reading.digest,
        "log_seq": seq,
        "created_at": at,
    }
