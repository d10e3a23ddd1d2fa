"""Whether context isolation is proven for a deployment: for its image, under each runtime that its runs had.

A run of evaluation does not count: what it saw is no evidence. A deployment that never ran is measured by the
usual runtime. Runs and proofs are read from the record; see `runtime.context.proofs`.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, select

from profiles.setting import Setting
from rollout.evidence.model import Parity
from runtime.context.proofs import standing
from runtime.deployments import Deployment
from runtime.record.events import EventKind
from runtime.record.leaf import decode_leaf
from runtime.tables.log import LogEntryRow

USUAL_RUNTIME: Final = "runc"
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def parity_of(
    conn: Connection,
    deployment: Deployment,
    *,
    within: timedelta,
    engine: str | None,
    now: datetime,
    code: str | None = None,
) -> tuple[Parity, ...]:
    """Return what is proven, one answer for each runtime.

    Args:
        conn: one consistent view of the database.
        deployment: whose image it is about.
        within: how old a proof may be.
        engine: version of the engine here; None where there is none, so that it is not compared.
        now: the present moment.
        code: digest of the code and the rules here; this process's code where it is None.
    """
    answers = []
    for runtime in _runtimes(conn, deployment.digest):
        found = standing(
            conn,
            image=deployment.parts.image,
            runtime=runtime,
            within=within,
            engine=engine,
            code=code,
            now=now,
        )
        fault = None if found.fault is None else found.fault.value
        answers.append(Parity(runtime, fault, found.detail, deployment.profile.image))
    return tuple(answers)


def _runtimes(conn: Connection, deployment: str) -> tuple[str, ...]:
    released = select(_LOG.c.run).where(
        _LOG.c.kind == EventKind.RUN_RELEASED.value, _LOG.c.deployment == deployment
    )
    query = select(_LOG.c.leaf).where(
        _LOG.c.kind == EventKind.RUN_REQUESTED.value,
        _LOG.c.deployment == deployment,
        _LOG.c.run.in_(released),
    )
    requests = (_request(leaf) for leaf in conn.execute(query.order_by(_LOG.c.seq)).scalars())
    found = {runtime for runtime, in_production in requests if in_production}
    return tuple(sorted(found)) or (USUAL_RUNTIME,)


@lru_cache(maxsize=16_384)
def _request(leaf: bytes) -> tuple[str, bool]:
    """Return the runtime that a launch asked for, and whether in production. An entry never changes."""
    data = decode_leaf(leaf).data
    return str(data.get("runtime")), data.get("setting", Setting.PRODUCTION.value) == Setting.PRODUCTION.value
