"""The application: its routes, who may use it, and how busy it is."""

import asyncio
import time
from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.api import (
    agents,
    alerts,
    approvals,
    assessments,
    audit,
    deployments,
    entered,
    freezes,
    gates,
    grants,
    health,
    incidents,
    memory,
    people,
    power,
    promotions,
    proofs,
    reviews,
    runs,
    suggestions,
    transitions,
)
from console.api.peer import STATE_KEY, Peer, may_connect
from console.api.problems import NotAllowedError, install, problem
from console.errors import ConsoleError
from console.kernel import Kernel
from console.parity.prover import Prover

PREFIX = "/v1"
_ROUTES = (
    agents,
    alerts,
    approvals,
    assessments,
    audit,
    deployments,
    entered,
    freezes,
    gates,
    grants,
    health,
    incidents,
    memory,
    people,
    power,
    promotions,
    proofs,
    reviews,
    runs,
    suggestions,
    transitions,
)


class Activity:
    """How many requests are under way, and since when there were none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way = 0
        self._since = clock()

    def begin(self) -> None:
        """Count one request more."""
        self._under_way += 1

    def end(self) -> None:
        """Count one request less."""
        self._under_way -= 1
        self._since = self._clock()

    @property
    def idle_seconds(self) -> float:
        """How long nobody has asked anything."""
        return 0.0 if self._under_way else self._clock() - self._since


class Guard:
    """Lets only root and the user of this serve in; everybody else gets one answer, before any route."""

    def __init__(self, app: ASGIApp, *, own_uid: int, activity: Activity) -> None:
        self._app = app
        self._own_uid = own_uid
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        peer: Peer | None = scope.get("state", {}).get(STATE_KEY)
        if peer is None or not may_connect(peer, own_uid=self._own_uid):
            refused = NotAllowedError(
                "this user may not use this control plane", got=peer.user if peer else ""
            )
            await problem(refused, status=403)(scope, receive, send)
            return
        self._activity.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            self._activity.end()


class LastWords:
    """Tells whoever asked when their request is broken off because serve ends."""

    def __init__(self, app: ASGIApp, *, stop: asyncio.Event) -> None:
        self._app = app
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; one that was cancelled at the end of serve is answered once it is undone."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            if begun or not self._stop.is_set():
                raise
            step = "handrail serve, then see what was done, and ask again"
            told = ConsoleError("serve was told to end before this was done", next_step=step)
            await problem(told, status=503)(scope, receive, send)


def create_app(kernel: Kernel, *, own_uid: int, activity: Activity, stop: asyncio.Event) -> FastAPI:
    """Build the control API.

    Args:
        kernel: what the routes call.
        own_uid: the user of this serve; only it and root are let in.
        activity: counts requests.
        stop: set when serve ends, so that streams end too.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.kernel = kernel
    app.state.stop = stop
    app.state.started_at = kernel.clock()
    app.state.drafts = deployments.Drafts()
    app.state.prover = Prover()
    for module in _ROUTES:
        app.include_router(module.router, prefix=PREFIX)
    install(app)
    app.add_middleware(LastWords, stop=stop)
    app.add_middleware(Guard, own_uid=own_uid, activity=activity)
    return app
