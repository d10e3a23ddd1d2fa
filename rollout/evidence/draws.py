"""Draws: which items people must judge, chosen by our seed after everything in the draw had happened.

Nobody picks the easy ones: the agent cannot know what will be drawn, and what was drawn must be judged (G2).
The record holds a digest over each draw, so that a row more or less is seen (`rollout.evidence.samples`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from profiles.effects import Effect
from profiles.policy import EvidenceRules, Policy
from profiles.schema import Profile
from rollout.evidence.desk import profile_of
from rollout.evidence.items import Candidate, ItemKind, cluster_of, digest_of_items, seeded_order
from rollout.evidence.piles import candidates, last_through
from runtime.canonical import JsonValue
from runtime.clock import new_id
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.keyring import KeyRing
from runtime.record.trace import read_entry
from runtime.tables.evidence import DrawnItemRow, DrawRow

SEED_BYTES = 32
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Draw:
    """What one draw took.

    Attributes:
        seed: 32 random bytes in hex, made in this draw.
        from_at: it took from what happened at this moment or later,
        through_at: and before this one.
        population: how many there were.
        items: ids of what was drawn.
        blind: ids of those that are judged blind first.
    """

    id: str
    deployment: str
    effect: Effect
    kind: ItemKind
    seed: str
    from_at: datetime
    through_at: datetime
    population: int
    items: tuple[str, ...]
    blind: frozenset[str]


def draw(
    tx: Tx,
    deployment: str,
    effect: Effect,
    kind: ItemKind,
    *,
    policy: Policy,
    keyring: KeyRing,
    random: Callable[[int], bytes],
    now: datetime,
) -> Draw | None:
    """Draw from everything that happened since the last draw; None if that is nothing.

    Args:
        tx: the unit of work.
        deployment: the deployment's digest.
        effect: the class.
        kind: suggestions, or writes that were carried out.
        policy: says how many.
        keyring: opens the arguments, by which items form clusters.
        random: gives the seed.
        now: the present moment; what happens from it on is for the next draw.
    """
    last = last_through(tx.conn, deployment, effect, kind)
    from_at, through = last or _BEGINNING, max(now, last or now)
    found = candidates(tx.conn, deployment, effect, kind, from_at=from_at, through=through)
    if not found:
        return None
    seed = random(SEED_BYTES).hex()
    items = take(found, seed, kind, policy.evidence)
    blind = blind_of(items, seed, kind, policy.evidence)
    made = Draw(
        new_id("draw"),
        deployment,
        effect,
        kind,
        seed,
        from_at,
        through,
        len(found),
        tuple(item.id for item in items),
        blind,
    )
    _write(tx, made, items, _clusters(tx.conn, keyring, deployment, items), now=now)
    return made


def take(found: Sequence[Candidate], seed: str, kind: ItemKind, rules: EvidenceRules) -> list[Candidate]:
    """Return what a seed takes. Pure.

    Args:
        found: everything there is, in any order.
        seed: in hex.
        kind: of suggestions all are taken, up to a number; of what was carried out a share, at least one.
        rules: the number and the share.
    """
    most = rules.draw_all_up_to
    if kind is ItemKind.EXECUTED:
        most = min(most, math.ceil(rules.executed_share * len(found)))
    return sorted(found, key=lambda item: seeded_order(seed, "draw", item.id))[:most]


def blind_of(items: Sequence[Candidate], seed: str, kind: ItemKind, rules: EvidenceRules) -> frozenset[str]:
    """Return the ids of the drawn suggestions that are judged blind first: a share, at least one. Pure."""
    if kind is ItemKind.EXECUTED:
        return frozenset()
    ordered = sorted((item.id for item in items), key=lambda id_: seeded_order(seed, "blind", id_))
    return frozenset(ordered[: math.ceil(rules.blind_share * len(items))])


def _clusters(conn: Connection, keyring: KeyRing, deployment: str, items: Sequence[Candidate]) -> list[str]:
    profile = profile_of(conn, deployment)
    return [_cluster(conn, keyring, profile, item) for item in items]


def _cluster(conn: Connection, keyring: KeyRing, profile: Profile | None, item: Candidate) -> str:
    payload = read_entry(conn, keyring, item.log_seq).payload or {}
    card = payload.get("card")
    args = card.get("args") if isinstance(card, dict) else payload.get("args")
    spec = None if profile is None else profile.tools.get(item.tool)
    return cluster_of(item.task, item.tool, spec, args, args_digest=item.args_digest)


def _write(tx: Tx, made: Draw, items: Sequence[Candidate], clusters: Sequence[str], *, now: datetime) -> None:
    drawn = [
        {
            "item": item.id,
            "draw": made.id,
            "deployment": made.deployment,
            "agent": item.agent,
            "effect": made.effect.value,
            "kind": made.kind.value,
            "cluster": cluster,
            "blind": item.id in made.blind,
            "happened_at": item.happened_at,
            "settled": False,
        }
        for item, cluster in zip(items, clusters, strict=True)
    ]
    row = {
        "id": made.id,
        "deployment": made.deployment,
        "effect": made.effect.value,
        "kind": made.kind.value,
        "seed": made.seed,
        "from_at": made.from_at,
        "through_at": made.through_at,
        "population": made.population,
        "drawn": len(drawn),
        "made_at": now,
    }
    tx.conn.execute(insert(DrawRow).values(row))
    tx.conn.execute(insert(DrawnItemRow), drawn)
    tx.append(_event(made, items, clusters, now=now))


def _event(made: Draw, items: Sequence[Candidate], clusters: Sequence[str], *, now: datetime) -> Event:
    taken = ((i.id, cluster, i.id in made.blind) for i, cluster in zip(items, clusters, strict=True))
    data: dict[str, JsonValue] = {
        "effect": made.effect.value,
        "kind": made.kind.value,
        "seed": made.seed,
        "from": utc_text(made.from_at),
        "through": utc_text(made.through_at),
        "population": made.population,
        "drawn": len(items),
        "items": digest_of_items(taken),
        "made_at": utc_text(now),
    }
    return Event(
        kind=EventKind.ITEMS_DRAWN,
        at=now,
        actor="handrail",
        agent=items[0].agent,
        deployment=made.deployment,
        subject=made.id,
        data=data,
    )
