"""The grants, freezes and suspensions: rows in the database that no signature or no entry supports."""

from datetime import datetime

from sqlalchemy import Connection, select

from console.doctor.finding import Finding, Level, good
from runtime import freeze, grants, suspensions
from runtime.freeze_rules import Stop
from runtime.people.roster import Roster
from runtime.tables.grants import GrantRow

_VERIFY = "handrail audit verify; somebody wrote to the database by hand"


def examine_power(connection: Connection, roster: Roster, *, now: datetime) -> list[Finding]:
    """Look at every standing grant, freeze and suspension.

    Args:
        connection: a fresh view of the database.
        roster: who counts now.
        now: the present moment.
    """
    faults = _void_grants(connection, roster, now=now)
    stops = freeze.standing_stops(connection, now=now, roster=roster)
    odd = [_unsupported(stop) for stop in stops if stop.problem is not None]
    sound = [] if faults else [good("grants", "each that stands is carried by its signatures")]
    return [*sound, *faults, *odd, *_odd_suspensions(connection, roster, now=now)]


def _void_grants(connection: Connection, roster: Roster, *, now: datetime) -> list[Finding]:
    columns = GrantRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its tables
    query = select(columns.deployment).distinct().order_by(columns.deployment)
    return [
        Finding(
            "grants",
            Level.WARN,
            f"grant {one.id} of {one.effect} to {deployment[:12]} permits nothing: {one.fault.detail}",
            "handrail grants list; a key or a group of its signers changed, or its row was written by hand: "
            "handrail audit verify",
        )
        for deployment in connection.execute(query).scalars().all()
        for one in grants.standing(connection, deployment, now=now, roster=roster)
        if one.fault is not None
    ]


def _odd_suspensions(connection: Connection, roster: Roster, *, now: datetime) -> list[Finding]:
    found = suspensions.everywhere(connection, now=now, roster=roster)
    return [
        Finding(
            "suspensions",
            Level.FAIL,
            f"suspension {one.id} takes every write of {one.deployment[:12]}: {one.problem}",
            f'{_VERIFY}; if it may go on: handrail resume {one.id} --reason "..."',
        )
        for one in found
        if one.problem is not None
    ]


def _unsupported(stop: Stop) -> Finding:
    if not stop.id:
        return Finding("freezes", Level.FAIL, str(stop.problem), _VERIFY)
    said = f"freeze {stop.id} stops {stop.scope} {stop.target}: {stop.problem}"
    lift = f'if it may go on: handrail unfreeze {stop.id} --reason "..."'
    return Finding("freezes", Level.FAIL, said, f"{_VERIFY}; {lift}")
