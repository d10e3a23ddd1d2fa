"""What the host knows of a run of the scratch installation: what was released, and what its kernel shows."""

from typing import Final

from sqlalchemy import Connection, select

from console.parity.town import Town, TownError
from runtime.record.events import EventKind
from runtime.record.leaf import decode_leaf
from runtime.runs.states import RunView
from runtime.tables.log import LogEntryRow
from sandboxes.context import ItemKind
from sandboxes.errors import ParityError
from sandboxes.parity.probe import Facts
from sandboxes.parity.witness import Released, witness
from sandboxes.spec import Runtime

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_IN_ENVIRONMENT: Final = (ItemKind.VARIABLE.value, ItemKind.PROMPT.value)


def seen_from_outside(town: Town, run: RunView, runtime: Runtime, command: tuple[str, ...]) -> Facts:
    """Return what the host knows of a run that looks at itself now; blocking.

    Raises:
        ParityError: its box ended before it could be looked at.
    """
    driver, owner = town.kernel.driver, town.kernel.owner
    box = next((one for one in driver.list_boxes(owner) if one.id == run.box), None)
    if box is None:
        raise ParityError("the box ended before the host could look at it; its python3 does not look")
    with town.kernel.ledger.read() as connection:
        variables = _released(connection, run.id)
    return witness(driver, box, runtime, Released(command=command, variables=variables))


def _released(connection: Connection, run: str) -> dict[str, str]:
    """Return the environment that was released, in order, as the record has it: names, digests of values."""
    query = select(_LOG.c.leaf).where(_LOG.c.run == run, _LOG.c.kind == EventKind.RUN_RELEASED.value)
    leaf = connection.execute(query).scalar()
    items = None if leaf is None else decode_leaf(leaf).data.get("context")
    if not isinstance(items, list):
        raise TownError(f"run {run}: the record has no release of it")
    rows = [[str(part) for part in item] for item in items if isinstance(item, list)]
    return {name: digest for kind, name, digest, _ in rows if kind in _IN_ENVIRONMENT}
