"""Agents: named things that operators own. Their traits say what they are, and so how risky (R-01)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from profiles.risk import RiskAssessment, Trait, assess, implied_traits
from profiles.schema import Profile
from runtime.canonical import JsonValue, canonical, parse_canonical
from runtime.errors import KernelError
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.leaf import decode_leaf
from runtime.tables.agents import AgentRow
from runtime.tables.log import LogEntryRow

_AGENT = AgentRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it to every table class
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it to every table class
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class AgentError(KernelError):
    """An agent that cannot be registered or found."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A registered agent.

    Attributes:
        name: what it is called.
        owner: the person or user who owns it, and never approves what it does.
        traits: what it is, as registered.
        registered_at: when.
    """

    name: str
    owner: str
    traits: tuple[Trait, ...]
    registered_at: datetime

    def assessment(self, profile: Profile | None = None) -> RiskAssessment:
        """Return risk row, controls and review cadence.

        Args:
            profile: of the agent's deployment, if it has one; what it permits adds to the traits, so that
                they cannot be understated. An agent registered without any counts as everything.
        """
        implied = implied_traits(profile) if profile and self.traits else frozenset()
        return assess({*self.traits, *implied})


def register(
    tx: Tx, name: str, traits: Iterable[str], *, owner: str, now: datetime, actor: str | None = None
) -> Agent:
    """Register an agent.

    Args:
        tx: the unit of work.
        name: lower-case letters, digits and dashes, at most 63.
        traits: what it is; none at all counts as everything (R-16).
        owner: who owns it.
        now: the present moment.
        actor: who says so, for the record; None: the owner.

    Raises:
        AgentError: the name is unusable or taken, or a trait is unknown.
    """
    agent = Agent(name=_checked(name), owner=owner, traits=_traits(traits), registered_at=now)
    if tx.conn.execute(select(_AGENT.c.name).where(_AGENT.c.name == name)).first():
        raise AgentError(f"agent {name} is registered already; see `handrail agent show {name}`")
    named = [trait.value for trait in agent.traits]
    risk = agent.assessment().risk.label
    tx.conn.execute(
        insert(_AGENT).values(
            name=name, owner=owner, traits=canonical(named).decode(), risk=risk, registered_at=now
        )
    )
    data: dict[str, JsonValue] = {
        "owner": owner,
        "traits": named,
        "risk": risk,
        "registered_at": utc_text(now),
    }
    tx.append(Event(kind=EventKind.AGENT_REGISTERED, at=now, actor=actor or owner, agent=name, data=data))
    return agent


def find(conn: Connection, name: str) -> Agent:
    """Return an agent. Raises AgentError if there is none of this name."""
    row = conn.execute(select(_AGENT).where(_AGENT.c.name == name)).mappings().one_or_none()
    if row is None:
        raise AgentError(f"no agent {name}; register it with `handrail agent register {name}`")
    return _agent(row)


def as_registered(conn: Connection, name: str) -> Agent:
    """Return an agent as the record has it: who owns it and how risky it is decides who may give it power.

    Raises:
        AgentError: there is none of this name, or its row is not what was recorded.
    """
    agent = find(conn, name)
    query = select(_LOG.c.leaf).where(_LOG.c.kind == EventKind.AGENT_REGISTERED.value, _LOG.c.agent == name)
    leaf = conn.execute(query.order_by(_LOG.c.seq).limit(1)).scalar()
    said = {} if leaf is None else decode_leaf(leaf).data
    if (said.get("owner"), said.get("traits")) != (agent.owner, [trait.value for trait in agent.traits]):
        raise AgentError(f"agent {name}: its row is not what was recorded; run `handrail audit verify`")
    return agent


def everyone(conn: Connection) -> list[Agent]:
    """Return all agents by name."""
    return [_agent(row) for row in conn.execute(select(_AGENT).order_by(_AGENT.c.name)).mappings()]


def _agent(row: RowMapping) -> Agent:
    stored = parse_canonical(row["traits"].encode())
    if not isinstance(stored, list):
        raise AgentError(f"agent {row['name']}: its stored traits are no list; run `handrail audit verify`")
    traits = _traits(str(trait) for trait in stored)
    return Agent(name=row["name"], owner=row["owner"], traits=traits, registered_at=row["registered_at"])


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AgentError(f"agent name {name!r}: expected at most 63 lower-case letters, digits and dashes")
    return name


def _traits(names: Iterable[str]) -> tuple[Trait, ...]:
    given = tuple(names)
    unknown = sorted(set(given) - {trait.value for trait in Trait})
    if unknown:
        expected = ", ".join(trait.value for trait in Trait)
        raise AgentError(f"unknown trait {', '.join(unknown)}; expected one of {expected}")
    return tuple(trait for trait in Trait if trait.value in given)
