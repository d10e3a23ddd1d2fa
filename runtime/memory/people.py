"""What people do with versions of an agent's memory: adopt one, go back to one, quarantine one (R-70, R-77).

Each takes a signed word over the version's digest. The first two change what the next deployment pins and
nothing else. A quarantine bites in its own unit: every deployment that pins the version loses all its grants.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from profiles.effects import Effect, Tier
from profiles.setting import Setting
from runtime import agents, deployments, grants
from runtime.canonical import JsonValue
from runtime.demotion import DemotionCause, drop
from runtime.memory.errors import AgentMemoryError
from runtime.memory.line import Closed, Line, quarantined, read_line, read_version
from runtime.memory.loading import loaded_digest, readable, requested
from runtime.memory.model import Entry, Version
from runtime.memory.words import NO_VERSION, Do, MemoryOrder, empty_digest, may_say
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.runs.states import RunState
from runtime.tables.agents import RunRow

_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Settled:
    """A version is the present one now."""

    version: str
    digest: str
    person: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What a quarantine stopped.

    Attributes:
        person: whose word it is.
        versions: the versions that no run reads any more, this one and those that came from it.
        suspended: digests of the deployments that lost all grants.
        runs: the unfinished runs that loaded one of them; whoever called ends their boxes.
    """

    person: str
    versions: tuple[str, ...]
    suspended: tuple[str, ...]
    runs: tuple[str, ...]


def settle(tx: Tx, order: MemoryOrder, signed: SignedStatement, *, roster: Roster) -> Settled | Refused:
    """Make a version the present one: adopt a proposed one, or go back to an earlier one or to none.

    The caller has read its texts just before (`MemoryFiles.check`), and raises on a refusal.

    Raises:
        AgentMemoryError: there is no such version.
        MemoryAlteredError: it is not what was recorded.
    """
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    line = read_line(tx.conn, order.agent, order.setting, roster=roster)
    owner = agents.as_registered(tx.conn, order.agent).owner
    refused = may_say(said, order, owner, roster) or _cannot_settle(tx.conn, line, order)
    if refused := refused or consume(tx, said):
        return refused
    _record(tx, EventKind.MEMORY_ADOPTED, order, said)
    return Settled(order.version, order.digest, said.person)


def quarantine(
    tx: Tx, order: MemoryOrder, signed: SignedStatement, *, roster: Roster
) -> Quarantined | Refused:
    """Let no run read a version again, nor what came from it, nor, for one entry, whatever holds that entry.

    Raises:
        AgentMemoryError: there is no such version.
    """
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    line = read_line(tx.conn, order.agent, order.setting, roster=roster)
    owner = agents.as_registered(tx.conn, order.agent).owner
    stopped = quarantined(tx.conn, line.without(order.version, order.entry))
    unknown = _unknown(line, order) or _without_entry(order, stopped)
    refused = may_say(said, order, owner, roster) or unknown or consume(tx, said)
    if refused is not None:
        return refused
    _record(tx, EventKind.MEMORY_QUARANTINED, order, said)
    digests = {one.digest for one in stopped}
    suspended = _suspend(tx, order, digests, actor=said.person)
    runs = _loaded(tx.conn, order.agent, order.setting, digests)
    return Quarantined(said.person, tuple(one.id for one in stopped), suspended, runs)


def to_accept(conn: Connection, line: Line, version: Version) -> tuple[str, ...]:
    """Return the digests of the untrusted entries that a person must name to adopt a version.

    Those that stand as they are in the present version were named before, unless no run may read that one.
    """
    known = {entry.digest for entry in _present_entries(conn, line)}
    return tuple(
        entry.digest for entry in version.entries if entry.is_untrusted and entry.digest not in known
    )


def _present_entries(conn: Connection, line: Line) -> tuple[Entry, ...]:
    if line.present is None:
        return ()
    try:
        return readable(conn, line, line.present.id).entries
    except AgentMemoryError:
        return ()  # then every untrusted entry must be named


def _cannot_settle(conn: Connection, line: Line, order: MemoryOrder) -> Refused | None:
    if order.version == NO_VERSION:
        right = order.do is Do.ROLLBACK and order.digest == empty_digest(order.agent, order.setting)
        return None if right else _no("the empty memory is gone back to, not adopted")
    version = read_version(conn, line, order.version)
    if (version.id, version.digest) != (order.version, order.digest):
        return _no(f"version {order.version} has another digest than what was signed")
    if line.is_quarantined(version):
        return _no(f"version {version.id} is quarantined")
    if order.do is Do.ROLLBACK:
        spoken = any(word.version == version.id for word in line.words)
        return None if spoken else _no(f"version {version.id} was never adopted: adopt it")
    missing = set(to_accept(conn, line, version)) - set(order.accept)
    named = ", ".join(sorted(entry.digest[:12] for entry in version.entries if entry.digest in missing))
    return _no(f"untrusted entries are not accepted by name: {named}") if missing else None


def _unknown(line: Line, order: MemoryOrder) -> Refused | None:
    known = line.of(order.version)
    if known is None or known.digest != order.digest:
        return _no(f"the record has no version {order.version} with that digest")
    return None


def _without_entry(order: MemoryOrder, stopped: Sequence[Closed]) -> Refused | None:
    if order.version not in {one.id for one in stopped}:
        return _no(f"version {order.version} has no entry with the digest {order.entry}")
    return None


def _no(detail: str) -> Refused:
    return Refused(RefusalCode.OTHER_MATTER, detail)


def _suspend(tx: Tx, order: MemoryOrder, digests: set[str], *, actor: str) -> tuple[str, ...]:
    """Take every grant from the deployments that pin one of these versions."""
    if order.setting is not Setting.PRODUCTION:
        return ()
    pinned = [one for one in deployments.history(tx.conn, order.agent) if one.parts.memory in digests]
    for deployment in pinned:
        data: dict[str, JsonValue] = {"memory": order.version}
        tx.append(
            Event(
                kind=EventKind.DEPLOYMENT_SUSPENDED,
                at=tx.now,
                actor=actor,
                agent=order.agent,
                deployment=deployment.digest,
                data=data,
            )
        )
        cause = DemotionCause.MEMORY
        drop(tx, deployment.digest, Tier.OBSERVE, cause, actor=actor, now=tx.now)
        read = (Effect.READ,)
        grants.revoke(tx, deployment.digest, effects=read, cause=cause.value, actor=actor, now=tx.now)
    return tuple(one.digest for one in pinned)


def _loaded(conn: Connection, agent: str, setting: Setting, digests: Iterable[str]) -> tuple[str, ...]:
    """Return the unfinished runs of a setting that loaded one of these versions, as the record has it."""
    query = select(_RUN.c.id).where(_RUN.c.agent == agent, _RUN.c.state != RunState.ENDED.value)
    entries = {run: requested(conn, run) for run in conn.execute(query.order_by(_RUN.c.id)).scalars()}
    wanted = set(digests)
    return tuple(
        run
        for run, leaf in entries.items()
        if loaded_digest(leaf) in wanted and leaf.data.get("setting") == setting.value
    )


def _record(tx: Tx, kind: EventKind, order: MemoryOrder, said: Verified) -> None:
    data: dict[str, JsonValue] = {
        "do": order.do.value,
        "setting": order.setting.value,
        "digest": order.digest,
        "statement": said.id,
    }
    if order.do is Do.QUARANTINE:
        data["entry"] = order.entry
    tx.append(
        Event(
            kind=kind,
            at=tx.now,
            actor=said.person,
            agent=order.agent,
            subject=order.version,
            data=data,
            payload={"reason": order.reason},
        )
    )
