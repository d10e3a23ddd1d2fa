"""The desk: which drawn items wait for one person's word. Views only; what counts is decided elsewhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, exists, func, select

from profiles.load import parse_profile
from profiles.schema import Profile
from rollout.evidence.items import Item
from rollout.evidence.words import item_of
from runtime.people.roster import Roster
from runtime.people.statement import StatementType
from runtime.tables.actions import JudgementRow
from runtime.tables.agents import AgentRow, DeploymentRow
from runtime.tables.evidence import DrawnItemRow
from runtime.tables.people import StatementRow

_ITEM = DrawnItemRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_JUDGED = JudgementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_AGENT = AgentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True)
class Mark:
    """What a list says of a suggestion: whether it was drawn, and the verdicts so far, as rows have them."""

    drawn: bool
    blind: bool
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """What waits for one person.

    Attributes:
        item: the next item; None: nothing waits.
        left: how many wait, this one among them.
    """

    item: Item | None
    left: int


def next_for(conn: Connection, person: str, roster: Roster, *, agent: str | None) -> Waiting:
    """Return the next item for a person: those called harmful by another first, then blind ones, then by age.

    Args:
        conn: a view of the database.
        person: who judges; items of agents that they own are never theirs to judge.
        roster: knows whose account an owner is.
        agent: only items of this agent.
    """
    own = _owned_by(conn, person, roster)
    judged = _judgement(_SAID.c.person == person)
    wanted = [_ITEM.c.settled.is_(False), _ITEM.c.agent.not_in(own), ~judged]
    if agent is not None:
        wanted.append(_ITEM.c.agent == agent)
    left = conn.execute(select(func.count()).select_from(_ITEM).where(*wanted)).scalar_one()
    second = _judgement(_SAID.c.person != person)
    order = (second.desc(), _ITEM.c.blind.desc(), _ITEM.c.happened_at, _ITEM.c.item)
    row = conn.execute(select(_ITEM).where(*wanted).order_by(*order).limit(1)).one_or_none()
    return Waiting(None if row is None else item_of(row), int(left))


def marks(conn: Connection, suggestions: Sequence[str]) -> Mapping[str, Mark]:
    """Return what a list says of these suggestions."""
    ids = list(suggestions)
    drawn = select(_ITEM.c.item, _ITEM.c.blind).where(_ITEM.c.item.in_(ids))
    blind = {row.item: bool(row.blind) for row in conn.execute(drawn)}
    judged = select(_JUDGED.c.suggestion, _JUDGED.c.verdict).where(_JUDGED.c.suggestion.in_(ids))
    said: dict[str, list[str]] = defaultdict(list)
    for row in conn.execute(judged.order_by(_JUDGED.c.judged_at, _JUDGED.c.statement)):
        said[row.suggestion].append(row.verdict)
    return {id_: Mark(id_ in blind, blind.get(id_, False), tuple(said[id_])) for id_ in ids}


def drawn_item(conn: Connection, item: str) -> Item | None:
    """Return a drawn item; None if no draw took it."""
    row = conn.execute(select(_ITEM).where(_ITEM.c.item == item)).one_or_none()
    return None if row is None else item_of(row)


def profile_of(conn: Connection, deployment: str) -> Profile | None:
    """Return the profile of a deployment."""
    query = select(_DEPLOYMENT.c.profile_text).where(_DEPLOYMENT.c.digest == deployment)
    return read_profile(str(conn.execute(query).scalar_one()))


@lru_cache(maxsize=256)
def read_profile(text: str) -> Profile | None:
    """Read the stored text of a profile; None where there is none."""
    return parse_profile(text.encode(), source="deployment").profile if text else None


def _owned_by(conn: Connection, person: str, roster: Roster) -> Sequence[str]:
    rows = conn.execute(select(_AGENT.c.name, _AGENT.c.owner))
    return [row.name for row in rows if roster.person_of(row.owner) == person]


def _judgement(by: ColumnElement[bool]) -> ColumnElement[bool]:
    said = select(_SAID.c.id).where(
        _SAID.c.subject == _ITEM.c.item, _SAID.c.type == StatementType.JUDGEMENT.value, by
    )
    return exists(said)
