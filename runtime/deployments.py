"""Deployments: everything that shapes an agent's behaviour, pinned by one digest (R-15, R-68, R-76).

Any difference in any part is another deployment, which starts at tier 0 with no evidence. A deployment is
first drafted (resolved and hashed), then created by an operator's signed word over its digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from sqlalchemy import Connection, RowMapping, func, insert, select

from profiles.load import LoadedProfile, parse_profile
from profiles.schema import Profile
from runtime.canonical import JsonValue, canonical, parse_canonical
from runtime.errors import KernelError
from runtime.gate.actions import digest_of
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.agents import DeploymentRow

_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it to every table class
_LATER = _DEPLOYMENT.alias("later")
SINCE = func.coalesce(_DEPLOYMENT.c.restored_at, _DEPLOYMENT.c.created_at)
"""Since when a deployment is its agent's present one, if none came after it."""
PRESENT = ~(
    select(_LATER.c.digest)
    .where(
        _LATER.c.agent == _DEPLOYMENT.c.agent,
        func.coalesce(_LATER.c.restored_at, _LATER.c.created_at) > SINCE,
    )
    .exists()
)
"""A condition on deployments: that it is its agent's present one."""
NO_MEMORY = "none"


class DeploymentError(KernelError):
    """A deployment that cannot be drafted, created or found."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What shapes behaviour.

    Attributes:
        agent: whose deployment it is.
        profile: digest of the profile, which holds the model's name, the command and the limits.
        image: digest of the agent's image.
        upstream_images: digest of each boxed upstream's image.
        manifest: for each upstream the hash of each thing it offers: tools with schemas, resources, prompts.
        memory: digest of the reviewed memory version.
        rules: digest of the operator's own rules of the scrubber; empty where there are none.
    """

    agent: str
    profile: str
    image: str
    upstream_images: Mapping[str, str]
    manifest: Mapping[str, Mapping[str, str]]
    memory: str = NO_MEMORY
    rules: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """The parts as plain JSON, rules only if there are any; the deployment's digest is over this."""
        own: dict[str, JsonValue] = {"rules": self.rules} if self.rules else {}
        return {
            **own,
            "agent": self.agent,
            "profile": self.profile,
            "image": self.image,
            "upstream_images": dict(self.upstream_images),
            "manifest": {name: dict(pins) for name, pins in self.manifest.items()},
            "memory": self.memory,
        }

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical parts."""
        return digest_of(self.as_json())


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A created deployment."""

    digest: str
    parts: Parts
    profile: Profile
    profile_text: str
    created_at: datetime


@dataclass(frozen=True)
class Difference:
    """One part in which two deployments differ."""

    part: str
    before: JsonValue
    after: JsonValue


def difference(before: Parts, after: Parts) -> tuple[Difference, ...]:
    """Return every part in which two deployments differ, nested parts by their own name."""
    old, new = _flat(before.as_json()), _flat(after.as_json())
    names = sorted(old.keys() | new.keys())
    return tuple(Difference(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n))


def create(
    tx: Tx,
    parts: Parts,
    profile: LoadedProfile,
    *,
    statement: str,
    actor: str,
    told: Mapping[str, int],
    now: datetime,
) -> None:
    """Write a deployment; its first grant is issued by the caller in the same unit.

    Args:
        tx: the unit of work.
        parts: as they were drafted and signed for.
        profile: the profile they pin.
        statement: id of the operator's verified statement over the digest.
        actor: the operator.
        told: how much of what the agent is shown tells its status, by kind.
        now: the present moment.

    Raises:
        DeploymentError: the profile is not the one pinned, or the deployment exists.
    """
    if profile.digest != parts.profile:
        raise DeploymentError(
            f"profile {profile.profile.profile}: digest {profile.digest}, expected {parts.profile}"
        )
    if tx.conn.execute(select(_DEPLOYMENT.c.digest).where(_DEPLOYMENT.c.digest == parts.digest)).first():
        short = parts.digest[:12]
        raise DeploymentError(
            f"deployment {short} exists already: nothing has changed since; "
            f"if it is an earlier one: handrail deploy rollback {parts.agent} {short}"
        )
    began = begins(tx.conn, parts.agent, now=now)
    tx.conn.execute(
        insert(_DEPLOYMENT).values(
            digest=parts.digest,
            agent=parts.agent,
            parts=canonical(parts.as_json()),
            profile_text=profile.text,
            statement=statement,
            created_at=began,
        )
    )
    tx.append(
        Event(
            kind=EventKind.DEPLOYMENT_CREATED,
            at=now,
            actor=actor,
            agent=parts.agent,
            deployment=parts.digest,
            subject=statement,
            data={
                "parts": parts.as_json(),
                "told": dict(told),
                "profile_text": sha256(profile.text.encode()).hexdigest(),
                "created_at": utc_text(began),
            },
        )
    )


def begins(conn: Connection, agent: str, *, now: datetime) -> datetime:
    """Return when a deployment becomes the present one that does so now: after every other of its agent.

    By a clock that is behind, or at the same moment, another one would stay the present one (F2).
    """
    latest = conn.execute(select(SINCE).where(_DEPLOYMENT.c.agent == agent).order_by(SINCE.desc())).scalar()
    return now if latest is None else max(now, latest + timedelta(microseconds=1))


def find(conn: Connection, digest: str) -> Deployment:
    """Return a deployment by its digest, or by a beginning of at least 8 characters that only one has.

    Raises:
        DeploymentError: none or several match, or what is stored is not what the digest says.
    """
    if len(digest) < 8:  # noqa: PLR2004 - 32 bits: shorter ones would soon be ambiguous
        raise DeploymentError(f"deployment {digest!r}: give at least the first 8 characters of the digest")
    query = select(_DEPLOYMENT).where(_DEPLOYMENT.c.digest.startswith(digest, autoescape=True))
    rows = conn.execute(query).mappings().all()
    if len(rows) != 1:
        raise DeploymentError(
            f"deployment {digest}: {len(rows)} match, expected one; see `handrail agent show`"
        )
    return _deployment(rows[0])


def newest(conn: Connection, agent: str) -> Deployment:
    """Return an agent's present deployment. Raises DeploymentError if it has none."""
    found = history(conn, agent)
    if not found:
        raise DeploymentError(
            f"agent {agent} has no deployment; make one with `handrail deploy create {agent}`"
        )
    return found[0]


def digests(conn: Connection, agent: str) -> list[str]:
    """Return the digests of an agent's deployments, newest first, without reading what they pin."""
    query = select(_DEPLOYMENT.c.digest).where(_DEPLOYMENT.c.agent == agent)
    return list(conn.execute(query.order_by(_DEPLOYMENT.c.created_at.desc())).scalars())


def history(conn: Connection, agent: str) -> list[Deployment]:
    """Return an agent's deployments, the present one first, then those before it."""
    query = select(_DEPLOYMENT).where(_DEPLOYMENT.c.agent == agent).order_by(SINCE.desc())
    return [_deployment(row) for row in conn.execute(query).mappings()]


def _deployment(row: RowMapping) -> Deployment:
    parts = _parts(parse_canonical(row["parts"]))
    loaded = _parsed(row["profile_text"], row["digest"])
    if parts.digest != row["digest"] or loaded.digest != parts.profile:
        raise DeploymentError(f"deployment {row['digest'][:12]}: what is stored is not what its digest says")
    return Deployment(
        digest=row["digest"],
        parts=parts,
        profile=loaded.profile,
        profile_text=row["profile_text"],
        created_at=row["created_at"],
    )


@lru_cache(maxsize=512)
def _parsed(text: str, digest: str) -> LoadedProfile:
    """Read a stored profile; what it says follows from its text alone, and YAML takes long."""
    return parse_profile(text.encode(), source=f"deployment {digest[:12]}")


def _parts(value: JsonValue) -> Parts:
    if not isinstance(value, dict):
        raise DeploymentError(f"stored parts are {type(value).__name__}, expected an object")
    return Parts(**value)


def _flat(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    flat: dict[str, JsonValue] = {}
    for name, part in value.items():
        nested = part if isinstance(part, Mapping) else None
        flat |= (
            {f"{name}.{key}": item for key, item in nested.items()} if nested is not None else {name: part}
        )
    return flat
