"""Proofs of context isolation: what `handrail context verify` found, as the record has it.

A proof is about one image under one runtime, as this code and this engine showed it. The record's entry is
the proof; the row is there to be looked at. The newest one counts, whatever it says: an old success does not
outweigh a later failure.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from sqlalchemy import Connection, insert, select

from runtime.canonical import JsonValue
from runtime.clock import new_id
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.log import LogEntryRow
from runtime.tables.proofs import ContextProofRow
from sandboxes.parity.compare import Status

ROOMS: Final = ("profiles", "sandboxes", "runtime")
LEAST_FACTS: Final = 150
"""How many facts the smallest box shows; an image that answers the probe with less has not let it look."""
STATUSES: Final = frozenset(status.value for status in Status)
SOURCES: Final = (".py", ".yaml", ".json", ".tsv")
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


class ProofFault(StrEnum):
    """Why there is no proof that counts."""

    MISSING = "missing"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    STALE = "stale"
    OTHER_CODE = "other code"
    OTHER_ENGINE = "other engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextProof:
    """What was found once.

    Attributes:
        image: digest of the image that the proof is about.
        probed: digest of the image of the boxes; the default one where the image has no Python.
        runtime: the walls of the boxes.
        ok: whether nothing told the status.
        at: when.
        code: digest of the code that made boxes and answered at their doors, and of rules; see `code_of`.
        engine: version of the engine and of the host's kernel.
        facts: how many facts were compared.
        differing: keys of the facts that told the status; our own words, none of an agent.
        statuses: what the boxes differed in.
    """

    image: str
    probed: str
    runtime: str
    ok: bool
    at: datetime
    code: str
    engine: str
    facts: int
    differing: tuple[str, ...]
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a proof counts now.

    Attributes:
        proof: the newest; None if there is none.
        fault: why it does not count; None if it does.
        detail: the same in words.
    """

    proof: ContextProof | None
    fault: ProofFault | None
    detail: str

    @property
    def ok(self) -> bool:
        """Whether there is a proof that counts."""
        return self.fault is None


def record(tx: Tx, proof: ContextProof, *, actor: str) -> int:
    """Write a proof into the record; return the entry's number."""
    id_ = new_id("proof")
    data: dict[str, JsonValue] = {
        "ok": proof.ok,
        "image": proof.image,
        "probed": proof.probed,
        "runtime": proof.runtime,
        "engine": proof.engine,
        "code": proof.code,
        "facts": proof.facts,
        "differing": list(proof.differing),
        "statuses": list(proof.statuses),
        "id": id_,
        "proved_at": utc_text(proof.at),
    }
    event = Event(kind=EventKind.CONTEXT_PROVEN, at=proof.at, actor=actor, subject=proof.image, data=data)
    seq = tx.append(event)
    row = {
        "id": id_,
        "image": proof.image,
        "runtime": proof.runtime,
        "ok": proof.ok,
        "log_seq": seq,
        "proved_at": proof.at,
    }
    tx.conn.execute(insert(ContextProofRow).values(row))
    return seq


def newest(conn: Connection, *, image: str, runtime: str) -> ContextProof | None:
    """Return the newest proof about an image under a runtime, from the record itself."""
    query = (
        select(_LOG.c.leaf)
        .where(_LOG.c.kind == EventKind.CONTEXT_PROVEN.value, _LOG.c.subject == image)
        .order_by(_LOG.c.seq.desc())
    )
    proofs = (_read(decode_leaf(leaf)) for leaf in conn.execute(query).scalars())
    return next((one for one in proofs if (one.image, one.runtime) == (image, runtime)), None)


def standing(
    conn: Connection,
    *,
    image: str,
    runtime: str,
    within: timedelta,
    now: datetime,
    engine: str | None = None,
    code: str | None = None,
) -> Standing:
    """Say whether there is a proof that counts.

    Args:
        conn: one view of the database.
        image: digest of the image.
        runtime: the walls.
        within: how old the proof may be.
        now: the present moment.
        engine: version of the engine here; None where nobody knows it, so that it is not compared.
        code: digest of the code; this process's where it is None.
    """
    proof = newest(conn, image=image, runtime=runtime)
    fault = _fault(proof, now - within, now, code or code_version(), engine)
    return Standing(proof, fault, _words(proof, fault, runtime, engine))


def _fault(
    proof: ContextProof | None, since: datetime, now: datetime, code: str, engine: str | None
) -> ProofFault | None:
    if proof is None:
        return ProofFault.MISSING
    if not proof.ok:
        return ProofFault.FAILED
    if proof.facts < LEAST_FACTS or not STATUSES.issubset(proof.statuses):
        return ProofFault.INCOMPLETE
    if proof.code != code:
        return ProofFault.OTHER_CODE
    if engine is not None and proof.engine != engine:
        return ProofFault.OTHER_ENGINE
    return None if since <= proof.at <= now else ProofFault.STALE


def _words(proof: ContextProof | None, fault: ProofFault | None, runtime: str, engine: str | None) -> str:
    if proof is None:
        return f"context isolation was never proven for this image under {runtime}"
    at = f" of {proof.at.date().isoformat()}"
    if fault is None:
        instead = "" if proof.probed == proof.image else ", by the default image: this one has no python3"
        return f"context isolation proven under {runtime}{at}{instead}"
    return f"the proof of context isolation under {runtime}{at} {_why(proof, fault, engine)}"


def _why(proof: ContextProof, fault: ProofFault, engine: str | None) -> str:
    said = {
        ProofFault.FAILED: f"failed: {len(proof.differing)} facts tell the status",
        ProofFault.INCOMPLETE: f"is about {proof.facts} facts, expected {LEAST_FACTS} and every status",
        ProofFault.STALE: "is too old, or of a time to come",
        ProofFault.OTHER_CODE: "is about another version of Handrail, or other rules of the scrubber",
        ProofFault.OTHER_ENGINE: f"is about another engine or kernel, {proof.engine}; here is {engine}",
    }
    return said[fault]


@cache
def code_version() -> str:
    """Return a digest of the code that makes boxes and answers at their doors, 16 hexadecimal digits.

    A release number would not do: what is installed from a working copy has the same one all the time.
    """
    found = hashlib.sha256()
    for room in ROOMS:
        for name, content in sorted(_sources(resources.files(room), room)):
            found.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def code_of(rules: str) -> str:
    """Return what a proof is about: this code, and an operator's own rules of the scrubber, if there are any.

    Args:
        rules: their digest; empty where there are none.
    """
    return hashlib.sha256(f"{code_version()} {rules}".encode()).hexdigest()[:16] if rules else code_version()


def _sources(directory: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for item in directory.iterdir():
        inner = f"{name}/{item.name}"
        if item.is_dir():
            yield from _sources(item, inner)
        elif item.name.endswith(SOURCES):
            yield inner, item.read_bytes()


def _read(leaf: Leaf) -> ContextProof:
    """Read an entry. What is not written exactly as it should be counts as a failure."""
    data = leaf.data
    return ContextProof(
        image=str(data.get("image")),
        probed=str(data.get("probed")),
        runtime=str(data.get("runtime")),
        ok=data.get("ok") is True,
        at=leaf.at,
        code=str(data.get("code")),
        engine=str(data.get("engine")),
        facts=int(str(data.get("facts", 0))),
        differing=_texts(data.get("differing")),
        statuses=_texts(data.get("statuses")),
    )


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else ()
