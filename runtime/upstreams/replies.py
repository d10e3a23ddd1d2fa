"""An upstream's answer as the gate and the record take it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runtime.gate.replies import Performed
from runtime.upstreams.errors import RpcError
from runtime.upstreams.peers import INTERNAL_ERROR

TOO_LARGE: Final = RpcError(INTERNAL_ERROR, "The reply is too large")
_NO_TEXT: Final = frozenset({"data", "blob", "mimeType", "type", "_meta", "role"})


def performed(result: Mapping[str, Any]) -> Performed:
    """Wrap a result."""
    return Performed(dict(result), "\n".join(texts(result)), is_error=result.get("isError") is True)


def performed_error(error: RpcError) -> Performed:
    """Wrap a server's own error: it is an answer, and the agent gets it as it came."""
    data = {} if error.data is None else {"data": error.data}
    told = {"error": {"code": error.code, "message": error.message, **data}}
    return Performed(told, "\n".join(texts(told)), is_error=True)


def error_in(payload: object) -> Mapping[str, Any] | None:
    """The error in a payload that `performed_error` made, if it is one."""
    if isinstance(payload, Mapping) and payload.keys() == {"error"} and isinstance(payload["error"], Mapping):
        return payload["error"]
    return None


def texts(value: object) -> Iterator[str]:
    """Yield every text in a result, in order, for scanning; encoded media and type names are left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in _NO_TEXT:
                yield from texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from texts(item)
