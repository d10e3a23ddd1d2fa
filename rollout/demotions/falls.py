"""Reading the record for causes to take power away, each once: the cursor moves in the unit that acts.

Nothing here waits for anybody: it only takes. What was taken voids the open requests of the deployment in the
same unit, so a demotion wins against every promotion (F20).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, select

from profiles.effects import Effect, Tier
from rollout.demotions.progress import move_to, read_from
from rollout.demotions.rules import Judged, agreement_lost, below, evidence_lost, one_lower
from rollout.errors import RolloutError
from rollout.evidence.samples import collect_sample, count
from rollout.evidence.verdicts import Standing
from rollout.evidence.words import words_of
from rollout.promotions.ending import void_open
from rollout.promotions.frozen import Frozen, PromotionError, thaw
from runtime.alerts.rules import IncidentCause
from runtime.demotion import DemotionCause, drop
from runtime.errors import KernelError
from runtime.gate.states import JUDGES
from runtime.grant_rows import KEPT
from runtime.people.roster import Roster
from runtime.record.batch import Tx
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.grants import GrantRow
from runtime.tables.log import LogEntryRow
from runtime.tables.promotions import PromotionRow

STEP: Final = 100
_NAME: Final = "demotions"
_BY: Final = "rollout"
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_PROMOTION = PromotionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Fall:
    """A deployment that lost power.

    Attributes:
        grants: ids of the grants that were revoked.
        requests: ids of the open requests that were voided.
    """

    deployment: str
    to: Tier
    cause: DemotionCause
    grants: tuple[str, ...]
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What one step found; `done` if nothing is left to read."""

    falls: tuple[Fall, ...]
    done: bool


def look(tx: Tx, *, roster: Roster) -> Looked:
    """Read the next entries of the record that can be a cause, and act on each; call it until it is done."""
    query = select(_LOG.c.seq, _LOG.c.leaf).where(
        _LOG.c.kind.in_([kind.value for kind in _CAUSES]), _LOG.c.seq >= read_from(tx.conn, _NAME)
    )
    rows = tx.conn.execute(query.order_by(_LOG.c.seq).limit(STEP)).all()
    if not rows:
        return Looked((), done=True)
    causes = dict.fromkeys(_cause(decode_leaf(row.leaf)) for row in rows)
    falls = [fall for cause in causes for fall in _CAUSES[cause.kind](tx, cause, roster)]
    move_to(tx, _NAME, rows[-1].seq + 1)
    return Looked(tuple(falls), done=len(rows) < STEP)


def fall(tx: Tx, deployment: str, to: Tier, cause: DemotionCause, *, actor: str = _BY) -> Iterator[Fall]:
    """Take a deployment down and void its open requests; yield nothing where there was nothing to take."""
    taken = drop(tx, deployment, to, cause, actor=actor, now=tx.now)
    voided = void_open(tx, deployment, reason=f"power was taken away: {cause.value}", actor=actor)
    if taken or voided:
        yield Fall(deployment, to, cause, taken, voided)


@dataclass(frozen=True, slots=True)
class _Cause:
    """What of an entry decides; entries that agree in it are looked at once."""

    kind: EventKind
    deployment: str
    person: str
    incident: str


def _cause(leaf: Leaf) -> _Cause:
    person = leaf.subject if leaf.kind is EventKind.PERSON_REVOKED else None
    return _Cause(leaf.kind, leaf.deployment or "", person or "", str(leaf.data.get("cause", "")))


def _incident(tx: Tx, cause: _Cause, roster: Roster) -> Iterator[Fall]:
    del roster
    if cause.deployment and cause.incident == IncidentCause.PATTERN.value:
        left = one_lower(_tier(tx, cause.deployment))
        yield from fall(tx, cause.deployment, left, DemotionCause.PATTERN)


def _judged(tx: Tx, cause: _Cause, roster: Roster) -> Iterator[Fall]:
    deployment = cause.deployment
    for effect in _kept_writes(tx, deployment):
        if why := _disproved(tx, deployment, effect, roster):
            yield from fall(tx, deployment, below(effect), why)
            return


def _revoked(tx: Tx, cause: _Cause, roster: Roster) -> Iterator[Fall]:
    for based in _bases(tx.conn):
        if based.frozen is None or _needs(tx, based.frozen, cause.person, roster):
            yield from fall(tx, based.deployment, below(based.effect), DemotionCause.REVIEWER)


def _lost_roles(tx: Tx, _: _Cause, roster: Roster) -> Iterator[Fall]:
    """Look again at the evidence of reviewers whom a new policy no longer lets judge (F6, F17)."""
    for based in _bases(tx.conn):
        if based.frozen is None or any(
            _needs(tx, based.frozen, person, roster)
            for person in based.frozen.reviewers
            if not roster.roles_of(person) & JUDGES
        ):
            yield from fall(tx, based.deployment, below(based.effect), DemotionCause.REVIEWER)


def _kept_writes(tx: Tx, deployment: str) -> list[Effect]:
    """Return the classes of writes that rows in their time name, lowest first, if they hold or not.

    A class that is suspended is one of them: nobody would look again at what was judged meanwhile. One whose
    time is over is not: taking it away would cost nothing.
    """
    query = select(_GRANT.c.effect).where(
        _GRANT.c.deployment == deployment, _GRANT.c.valid_until > tx.now, KEPT
    )
    named = set(tx.conn.execute(query).scalars())
    return [effect for effect in Effect if effect.value in named and effect is not Effect.READ]


def _tier(tx: Tx, deployment: str) -> Tier:
    return max((effect.tier for effect in _kept_writes(tx, deployment)), default=Tier.OBSERVE)


def _disproved(tx: Tx, deployment: str, effect: Effect, roster: Roster) -> DemotionCause | None:
    """Return why a class is taken away after a verdict; what cannot be read any more speaks for nobody."""
    p0 = _limit(roster, effect)
    try:
        lost = p0 is not None and agreement_lost(_since_granted(tx, deployment, effect, roster), p0)
    except (KernelError, RolloutError):
        return DemotionCause.AUDIT
    return DemotionCause.AGREEMENT if lost else None


def _since_granted(tx: Tx, deployment: str, effect: Effect, roster: Roster) -> Judged:
    """Count the verdicts on what happened since the class was granted: suggested, or carried out."""
    query = select(_GRANT.c.issued_at).where(
        _GRANT.c.deployment == deployment, _GRANT.c.effect == effect.value, KEPT
    )
    since = min(tx.conn.execute(query).scalars(), default=tx.now)
    words = words_of(tx.conn, deployment, effect, since=since, roster=roster)
    confirm = timedelta(hours=roster.policy.evidence.confirm_hours)
    counted = [one for one in count(words, confirm=confirm, now=tx.now) if one.item.happened_at >= since]
    settled = [one.standing for one in counted if one.standing not in {Standing.OPEN, Standing.WAITS}]
    return Judged(settled.count(Standing.AGREE), len(settled))


@dataclass(frozen=True, slots=True)
class _Based:
    """A class that was granted on evidence; `frozen` is None if it is not there as it was signed."""

    deployment: str
    effect: Effect
    frozen: Frozen | None


def _bases(conn: Connection) -> Iterator[_Based]:
    """Yield what every grant that is kept was issued on; the row of a request may say what it likes."""
    query = (
        select(_GRANT.c.deployment, _GRANT.c.effect, _GRANT.c.basis, _PROMOTION.c.frozen)
        .outerjoin(_PROMOTION, _PROMOTION.c.grant == _GRANT.c.id)
        .where(_GRANT.c.basis.is_not(None), _GRANT.c.effect.in_(list(Effect)), KEPT)
    )
    for row in conn.execute(query.order_by(_GRANT.c.id)).all():
        yield _Based(row.deployment, Effect(row.effect), _signed_for(row.frozen, row.basis))


def _signed_for(frozen: bytes | None, basis: str) -> Frozen | None:
    if frozen is None or hashlib.sha256(frozen).hexdigest() != basis:
        return None
    try:
        return thaw(frozen)
    except PromotionError:
        return None


def _needs(tx: Tx, frozen: Frozen, person: str, roster: Roster) -> bool:
    """Whether the evidence shows too little without a person, at the stricter limit of then and now (F25)."""
    p0 = _limit(roster, frozen.effect)
    if person not in frozen.reviewers:
        return False
    try:
        left = collect_sample(
            tx.conn,
            frozen.deployment,
            frozen.effect,
            since=frozen.since,
            through=frozen.valid_from,
            roster=roster,
            now=tx.now,
        )
        return p0 is None or evidence_lost(
            Judged(left.agree, left.agree + left.miss), max(p0, frozen.agreement)
        )
    except (KernelError, RolloutError):
        return True


def _limit(roster: Roster, effect: Effect) -> float | None:
    threshold = roster.policy.thresholds.get(effect)
    return None if threshold is None else threshold.agreement


_CAUSES: Final[Mapping[EventKind, Callable[[Tx, _Cause, Roster], Iterator[Fall]]]] = {
    EventKind.INCIDENT_OPENED: _incident,
    EventKind.SUGGESTION_JUDGED: _judged,
    EventKind.EXECUTED_JUDGED: _judged,
    EventKind.PERSON_REVOKED: _revoked,
    EventKind.POLICY_CHANGED: _lost_roles,
}
