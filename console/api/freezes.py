"""Routes for freezes."""

from fastapi import APIRouter

from console.api.deps import Body, KernelDep, Now, Said, believed
from console.api.views import Json, stop_view
from runtime import freeze as freezes
from runtime.errors import KernelError
from runtime.freeze import Lifted
from runtime.freeze_rules import Freeze, Scope, Stop
from runtime.moments import utc_moment
from runtime.record.batch import Tx

router = APIRouter(prefix="/freezes")


class Order(Body):
    """A stop with the word for it."""

    id: str
    scope: Scope
    target: str
    reason: str
    expires_at: str
    statement: Said

    def order(self) -> Freeze:
        """Return it as the kernel takes it.

        Raises:
            KernelError: the moment has another form than the record's.
        """
        try:
            return Freeze(self.id, self.scope, self.target, self.reason, utc_moment(self.expires_at))
        except ValueError as error:
            raise KernelError(f"expires_at: {error}") from error


@router.get("")
def standing(kernel: KernelDep, now: Now) -> Json:
    """List the freezes that stand."""
    with kernel.ledger.read() as connection:
        roster = kernel.policies.current(connection).roster
        stops = freezes.standing_stops(connection, now=now, roster=roster)
    return {"freezes": [stop_view(stop) for stop in stops]}


@router.post("")
async def freeze(kernel: KernelDep, now: Now, body: Order) -> Json:
    """Set a stop; it holds from the next action on."""
    order, signed = body.order(), body.statement.signed()

    def unit(tx: Tx) -> Stop:
        roster = kernel.policies.current(tx.conn).roster
        return believed(freezes.freeze(tx, order, signed, roster=roster, now=now))

    return {"freeze": stop_view(await kernel.ledger.write(unit))}


@router.post("/lifts")
async def unfreeze(kernel: KernelDep, now: Now, body: Said) -> Json:
    """Lift the freeze that the statement names."""

    def unit(tx: Tx) -> Lifted:
        roster = kernel.policies.current(tx.conn).roster
        return believed(freezes.unfreeze(tx, body.signed(), roster=roster, now=now))

    lifted = await kernel.ledger.write(unit)
    return {"lifted": {"id": lifted.id, "person": lifted.person}}
