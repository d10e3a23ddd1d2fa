"""What routes are given: the kernel, who calls, and the moment. Read once per request."""

import asyncio
from datetime import datetime
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from console.api.peer import Peer
from console.errors import BlockedError
from console.kernel import Kernel
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement

T = TypeVar("T")


class Body(BaseModel):
    """The base of all request bodies: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(Body):
    """A signed statement on the wire: the exact bytes as text, and the armored signature over them."""

    body: str = Field(max_length=65_536)
    signature: str = Field(max_length=16_384)

    def signed(self) -> SignedStatement:
        """Return it as the kernel takes it."""
        return SignedStatement(self.body.encode(), self.signature)


def _kernel(request: Request) -> Kernel:
    return cast("Kernel", request.app.state.kernel)


def _stop(request: Request) -> asyncio.Event:
    return cast("asyncio.Event", request.app.state.stop)


def _peer(request: Request) -> Peer:
    return cast("Peer", request.state.peer)


def _now(request: Request) -> datetime:
    return _kernel(request).clock()


KernelDep = Annotated[Kernel, Depends(_kernel)]
StopDep = Annotated[asyncio.Event, Depends(_stop)]
PeerDep = Annotated[Peer, Depends(_peer)]
Now = Annotated[datetime, Depends(_now)]


def refusal(answer: Refused) -> BlockedError:
    """Return the error that tells why a statement proves nothing, or is not permitted."""
    return BlockedError(f"statement refused ({answer.code.value}): {answer.detail}")


def believed(answer: T | Refused) -> T:
    """Return an answer that is no refusal; inside a unit, so that a refusal leaves nothing behind.

    Raises:
        BlockedError: it is one.
    """
    if isinstance(answer, Refused):
        raise refusal(answer)
    return answer
