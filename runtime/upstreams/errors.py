"""How an upstream can fail, told apart by what is known of the effect.

An error that is also a `NotPerformedError` says that nothing was sent. Every other one leaves the outcome
unknown, save `RpcError` and `ReplyTooLargeError`, which are answers.
"""

from typing import Any

from runtime.errors import KernelError
from runtime.gate.replies import NotPerformedError


class UpstreamError(KernelError):
    """Any failure of an upstream."""


class UpstreamUnavailableError(UpstreamError, NotPerformedError):
    """The upstream cannot be reached or started, or ended before; nothing was sent."""


class SessionLostError(UpstreamUnavailableError):
    """The upstream no longer knows our session and took nothing up; the next action opens another."""


class UpstreamGoneError(UpstreamError):
    """The upstream ended or broke the connection during a call."""


class UpstreamTimeoutError(UpstreamError):
    """The upstream did not answer in time."""


class UpstreamProtocolError(UpstreamError):
    """The upstream answered something that is not its protocol."""


class ReplyTooLargeError(UpstreamError):
    """The upstream answered, and the answer is larger than may be passed back."""


class NoSuchTargetError(UpstreamError, NotPerformedError):
    """No upstream offers the tool, resource or prompt that was asked for."""


class ManifestChangedError(UpstreamError, NotPerformedError):
    """What an upstream offers is not what the deployment pinned (R-76)."""

    def __init__(self, upstream: str, changed: tuple[str, ...]) -> None:
        self.upstream = upstream
        self.changed = changed
        super().__init__(
            f"upstream {upstream}: {', '.join(changed)} changed since the deployment was made; "
            f"expected the pinned definitions; read what it says now with `handrail deploy create`"
        )


class RpcError(UpstreamError):
    """The upstream's own JSON-RPC error; an answer, so the outcome is known."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(f"upstream answered error {code}: {message}")
