"""What reviewers said about the items of one deployment, as the record and their signatures have it.

No row is believed. The record's entries say which draws were made and which statements must be there; a
statement that is missing, or a drawn item more or less, is an error and never a better figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, Row, select

from profiles.effects import Effect
from rollout.evidence.items import EvidenceError, Item, ItemKind, digest_of_items
from rollout.evidence.verdicts import Verdict
from runtime.gate.states import JUDGES, JudgementVerdict
from runtime.moments import utc_text
from runtime.people.roster import Refused, Roster, Verified, recheck
from runtime.people.statement import SignedStatement, StatementType
from runtime.people.statements import load_statements
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.agents import AgentRow, DeploymentRow
from runtime.tables.evidence import DrawnItemRow
from runtime.tables.log import EVIDENCE, LogEntryRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ITEM = DrawnItemRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_AGENT = AgentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_AT_ONCE = 500
JUDGED = (EventKind.SUGGESTION_JUDGED, EventKind.EXECUTED_JUDGED)


@dataclass(frozen=True)
class Words:
    """What was drawn and said about one deployment since a moment.

    Attributes:
        items: every drawn item of the class asked for.
        verdicts: by item, drawn or not: every verdict that counts. On an item that is drawn blind only those
            of persons who had said before what they would do; `harmful` always counts.
    """

    items: tuple[Item, ...]
    verdicts: Mapping[str, tuple[Verdict, ...]]


def words_of(
    conn: Connection,
    deployment: str,
    effect: Effect,
    *,
    since: datetime,
    roster: Roster,
    before: int | None = None,
) -> Words:
    """Read and verify what was said about a deployment.

    Args:
        conn: a view of the database.
        deployment: the deployment's digest.
        effect: the class whose draws are read.
        since: the entries from this moment on; what was drawn and judged is later than what happened.
        roster: who counts now.
        before: only what the record held before it had this entry; None: all of it.

    Raises:
        EvidenceError: the database does not hold what the record says was drawn or signed.
    """
    entries = _entries(conn, deployment, since, before)
    drawn = [leaf for leaf in entries if leaf.kind is EventKind.ITEMS_DRAWN]
    items = _items(conn, [leaf for leaf in drawn if leaf.data.get("effect") == effect.value])
    said = _said(conn, [leaf for leaf in entries if leaf.kind is not EventKind.ITEMS_DRAWN], roster)
    blind = frozenset(item.id for item in items if item.blind)
    return Words(items, _verdicts(said, blind, owner=owner_of(conn, deployment, roster), roster=roster))


def owner_of(conn: Connection, deployment: str, roster: Roster) -> str:
    """Return the person who owns the agent of a deployment; they never judge what it does."""
    query = (
        select(_AGENT.c.owner)
        .join_from(_AGENT, _DEPLOYMENT, _DEPLOYMENT.c.agent == _AGENT.c.name)
        .where(_DEPLOYMENT.c.digest == deployment)
    )
    owner = conn.execute(query).scalar_one_or_none()
    if owner is None:
        raise EvidenceError(f"no deployment {deployment[:12]}; see `handrail agent list`")
    return roster.person_of(owner)


def verdict_of(said: Verified) -> JudgementVerdict | None:
    """Return the verdict that a statement gives; None if it gives none."""
    word = said.statement.body.get("verdict")
    if said.statement.type is not StatementType.JUDGEMENT:
        return None
    return next((one for one in JudgementVerdict if one.value == word), None)


def _entries(conn: Connection, deployment: str, since: datetime, before: int | None) -> list[Leaf]:
    query = (
        select(_LOG.c.leaf)
        .where(_LOG.c.deployment == deployment, EVIDENCE, _LOG.c.at >= utc_text(since))
        .order_by(_LOG.c.seq)
    )
    if before is not None:
        query = query.where(_LOG.c.seq < before)
    return [_leaf(row[0]) for row in conn.execute(query)]


@lru_cache(maxsize=65_536)
def _leaf(data: bytes) -> Leaf:
    return decode_leaf(data)


def _items(conn: Connection, draws: Sequence[Leaf]) -> tuple[Item, ...]:
    rows: dict[str, list[Item]] = defaultdict(list)
    for ids in _pieces([str(leaf.subject) for leaf in draws]):
        for row in conn.execute(select(_ITEM).where(_ITEM.c.draw.in_(ids)).order_by(_ITEM.c.item)):
            rows[row.draw].append(item_of(row))
    for leaf in draws:
        found = digest_of_items((i.id, i.cluster, i.blind) for i in rows[str(leaf.subject)])
        if found != leaf.data.get("items"):
            raise EvidenceError(
                f"draw {leaf.subject}: its items are not those that the record says were drawn; "
                "run `handrail audit verify`"
            )
    return tuple(item for leaf in draws for item in rows[str(leaf.subject)])


def item_of(row: Row[tuple[object, ...]]) -> Item:
    """Return a drawn item from its row."""
    return Item(
        row.item,
        ItemKind(row.kind),
        row.draw,
        row.deployment,
        row.agent,
        Effect(row.effect),
        row.cluster,
        row.blind,
        row.happened_at,
    )


def _said(conn: Connection, entries: Sequence[Leaf], roster: Roster) -> list[tuple[Verified, Leaf]]:
    """Return every word that still is one, with its entry, in the order of the record."""
    named = {leaf.seq: str(leaf.data.get("statement")) for leaf in entries}
    stored: dict[str, SignedStatement] = {}
    for ids in _pieces(sorted(set(named.values()))):
        stored |= load_statements(conn, ids)
    if missing := sorted(set(named.values()) - stored.keys()):
        raise EvidenceError(
            f"{len(missing)} signed statements are gone, among them {missing[0][:16]}; "
            "run `handrail audit verify`"
        )
    read = ((_recheck(stored[named[leaf.seq]], roster), leaf) for leaf in entries)
    return [(said, leaf) for said, leaf in read if isinstance(said, Verified) and _is_about(said, leaf)]


@lru_cache(maxsize=65_536)
def _recheck(signed: SignedStatement, roster: Roster) -> Verified | Refused:
    return recheck(signed, roster)


def _is_about(said: Verified, leaf: Leaf) -> bool:
    """Whether a statement says what its entry says it does."""
    if said.statement.subject != leaf.subject or said.statement.digest != leaf.data.get("card"):
        return False
    if leaf.kind is EventKind.EXPECTATION_STATED:
        return said.statement.type is StatementType.EXPECTATION
    verdict = verdict_of(said)
    return verdict is not None and leaf.data.get("verdict") == verdict.value


def _verdicts(
    said: Iterable[tuple[Verified, Leaf]], blind: frozenset[str], *, owner: str, roster: Roster
) -> dict[str, tuple[Verdict, ...]]:
    expected: set[tuple[str, str]] = set()
    found: dict[str, dict[str, Verdict]] = defaultdict(dict)
    for word, leaf in said:
        item, person = word.statement.subject, word.person
        if person == owner or not roster.roles_of(person) & JUDGES:
            continue
        verdict = verdict_of(word)
        if verdict is None:
            expected.add((item, person))
        elif verdict is JudgementVerdict.HARMFUL or item not in blind or (item, person) in expected:
            at = max(leaf.at, word.statement.at)
            found[item].setdefault(person, Verdict(person, verdict, at, word.id))
    return {item: tuple(by_person.values()) for item, by_person in found.items()}


def _pieces(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Part a list so that no query has more parameters than a database takes."""
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
