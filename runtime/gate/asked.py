"""Whether the very same action of a run is held already: it has one hold at a time, whoever asks for it.

Clients that ask at one moment are all decided before any of their holds is there. So whoever is about to open
one looks once more, inside the transaction that opens it: with two holds on one action, a person's no to the
one would not reach the other, and a yes to each would let it happen twice.
"""

from sqlalchemy import Connection, select

from profiles.effects import Effect
from runtime.gate.hold_rows import state_of_hold
from runtime.gate.states import OPEN_HOLDS, HoldState
from runtime.tables.actions import HoldRow

_HOLD = HoldRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


class HeldAlreadyError(RuntimeError):
    """The action is held already; the transaction is undone, and the hold that stands is to be asked.

    Attributes:
        hold: its id.
    """

    def __init__(self, hold: str) -> None:
        """Name the hold."""
        super().__init__(f"the action is held already, by {hold}")
        self.hold = hold


def standing_hold(conn: Connection, run: str, digest: str) -> str | None:
    """Return the hold that answers for this very action of this run; None if one may be opened.

    An approved read is done with when it ran. A rejected action, and a write that was carried out, are
    answered by their hold for as long as the run lasts.
    """
    query = select(_HOLD.c.id, _HOLD.c.effect).where(_HOLD.c.run == run, _HOLD.c.args_digest == digest)
    for row in conn.execute(query.order_by(_HOLD.c.created_at.desc(), _HOLD.c.id.desc())).all():
        found = state_of_hold(conn, row.id)
        if found is not None and _answers(found[0], row.effect):
            return str(row.id)
    return None


def hold_of_action(conn: Connection, action: str) -> str | None:
    """Return the open hold that this very attempt began, if it did."""
    row = conn.execute(select(_HOLD.c.id).where(_HOLD.c.action == action)).first()
    found = None if row is None else state_of_hold(conn, row.id)
    return None if row is None or found is None or found[0] not in OPEN_HOLDS else str(row.id)


def _answers(state: HoldState, effect: str) -> bool:
    if state is HoldState.USED:
        return effect != Effect.READ.value
    return state is HoldState.REJECTED or state in OPEN_HOLDS
