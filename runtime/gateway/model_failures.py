"""What becomes of a provider's failure: tried again, told to the agent, or kept for the record alone."""

import json
from collections.abc import Callable
from typing import Final

import httpx

from profiles.schema import ModelProvider
from runtime.gateway.model_told import error_body, error_kind
from sandboxes.constants import NO_MODEL_TEXT, TOO_MANY_TEXT
from sandboxes.errors import ScrubError

ANSWER_BYTES: Final = 16 * 1024 * 1024
_TOO_MANY: Final = 429
_AGAIN: Final = frozenset({408, 409, _TOO_MANY, 500, 502, 503, 504, 529})
_TOLD: Final = frozenset({400, 413, 422, _TOO_MANY})
_MOST_TOLD: Final = 2000
_UNAVAILABLE: Final = 502


class WithheldError(Exception):
    """The gate did not let the call happen; the text is one of its constants."""


class OtherModelError(WithheldError):
    """Another model answered than was pinned."""


class ProviderFailedError(Exception):
    """The provider gave no answer that the agent may see; the message is for the record alone."""

    def __init__(
        self, reason: str, status: int = _UNAVAILABLE, body: bytes = b"", said: str = NO_MODEL_TEXT
    ) -> None:
        """Say what happened.

        Args:
            reason: for the record.
            status: what the agent is answered with.
            body: the same; empty for the constant text.
            said: the words of it.
        """
        self.said = said
        self.status = status
        self.body = body
        super().__init__(reason)


class AgainError(ProviderFailedError):
    """A try that failed before the first byte, and may be repeated."""


def failure_of(
    form: ModelProvider, status: int, text: str, scrub: Callable[[str], str]
) -> ProviderFailedError:
    """Return what a refusal becomes.

    Only what speaks of the agent's own request is told, scrubbed as a header is: never our key, our quota, or
    what a model is called. Where scrubbing fails, a constant is told.

    Args:
        form: whose format the agent reads.
        status: the provider's.
        text: what it said.
        scrub: takes out of it what tells of status.
    """
    kind = AgainError if status in _AGAIN else ProviderFailedError
    if status not in _TOLD:
        return kind(f"status {status}", status if status in _AGAIN else _UNAVAILABLE)
    said = TOO_MANY_TEXT if status == _TOO_MANY else _said(text, scrub)
    body = json.dumps(error_body(form, error_kind(status), said)).encode()
    return kind(f"status {status}", status, body, said)


async def limited(response: httpx.Response) -> bytes:
    """Read an answer whole.

    Raises:
        ValueError: it is too large.
    """
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > ANSWER_BYTES:
            raise ValueError(f"answer of more than {ANSWER_BYTES} bytes")
    return bytes(data)


def _said(text: str, scrub: Callable[[str], str]) -> str:
    try:
        error = json.loads(text)["error"]
        said = error if isinstance(error, str) else error["message"]
        return scrub(str(said)[:_MOST_TOLD])
    except (ValueError, KeyError, TypeError, RecursionError, ScrubError):
        return NO_MODEL_TEXT
