"""The desk of reviews, from the parts that serve runs with: for its routes and for the clock."""

from console.kernel import Kernel
from rollout.evidence.assessor import Assessor
from rollout.reviews.desk import Desk
from runtime.clock import new_id
from runtime.context.proofs import code_of


def desk_of(kernel: Kernel) -> Desk:
    """Return the desk of a kernel. It holds nothing of its own."""
    return Desk(
        ledger=kernel.ledger,
        book=kernel.policies,
        keyring=kernel.keyring,
        assessor=Assessor(
            kernel.policies,
            kernel.audit.known,
            engine=kernel.engine.last,
            code=code_of(kernel.ground.rules.digest),
        ),
        audit=kernel.audit.last,
        new_id=new_id,
    )
