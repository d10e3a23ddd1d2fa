"""What was asked of a server for as long as its session lasts; another session is asked for it again."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from runtime.upstreams.errors import RpcError
from runtime.upstreams.peers import JsonObject, Peer

_LEVEL: Final = "logging/setLevel"
_SUBSCRIBE: Final = "resources/subscribe"
_UNSUBSCRIBE: Final = "resources/unsubscribe"
_LOG = logging.getLogger(__name__)


class Wishes:
    """The log level and the subscriptions of one upstream, as they were last granted."""

    def __init__(self) -> None:
        self._granted: dict[tuple[str, str], JsonObject] = {}

    def granted(self, method: str, params: Mapping[str, Any]) -> None:
        """Take note of a request that the server has answered, if it is one of those that last."""
        if method == _LEVEL:
            self._granted[_LEVEL, ""] = dict(params)
        elif method == _SUBSCRIBE:
            self._granted[_SUBSCRIBE, str(params.get("uri"))] = dict(params)
        elif method == _UNSUBSCRIBE:
            self._granted.pop((_SUBSCRIBE, str(params.get("uri"))), None)

    async def repeat(self, peer: Peer, *, timeout_s: float) -> None:
        """Ask a new session for all of them; one that it refuses is logged and forgotten.

        Raises:
            UpstreamError: see `Peer.request`.
        """
        for wish, params in list(self._granted.items()):
            try:
                await peer.request(wish[0], params, timeout_s=timeout_s)
            except RpcError as error:
                del self._granted[wish]
                _LOG.warning("a server refuses %s %s in a new session: %s", *wish, error)
