"""The route that says who serves here."""

import os
import pwd

from fastapi import APIRouter, Request

from console.api.deps import KernelDep, PeerDep
from console.api.views import Json, moment
from runtime.runs import store

router = APIRouter()


@router.get("/health")
def health(request: Request, kernel: KernelDep, peer: PeerDep) -> Json:
    """Say which installation this is, whose process, and whether its record is anchored."""
    with kernel.ledger.read() as connection:
        live = len(store.unfinished(connection))
        policy = kernel.policies.current(connection).head.version
    anchor = kernel.ledger.anchor_state()
    return {
        "installation": kernel.installation,
        "pid": os.getpid(),
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "peer": peer.user,
        "single_user": kernel.single_user,
        "started_at": moment(request.app.state.started_at),
        "policy_version": policy,
        "anchored": anchor.anchored,
        "anchor": str(anchor),
        "live_runs": live,
    }
