"""The two wire formats of model providers: what a box may ask of them. Pure.

A request is built up from an allow-list. A provider can fetch addresses, run tools and keep conversations
of its own: each would be a way out of the box that no gate sees, so only text, inline media and tools that
the agent itself runs are passed on. Nor is what tells models apart (the likelihoods of tokens) or what costs
otherwise than the profile reckons (tiers of service).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from profiles.schema import ModelProvider, ModelSpec


class ModelRequestError(ValueError):
    """A model call that is not passed on; the message is for the agent and speaks of its request alone."""


@dataclass(frozen=True)
class Endpoint:
    """One path that is passed on.

    Attributes:
        path: the provider's path below its base address.
        fields: the members that a request may have.
        limit: the member that bounds the answer's tokens.
        is_counted: whether what it uses counts; counting tokens uses none.
    """

    provider: ModelProvider
    path: str
    fields: frozenset[str]
    limit: str | None = None
    is_counted: bool = True


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CHAT: Final = _names(
    "model messages tools tool_choice parallel_tool_calls functions function_call max_tokens "
    "max_completion_tokens response_format stream stream_options logprobs top_logprobs n temperature top_p "
    "stop seed frequency_penalty presence_penalty logit_bias reasoning_effort verbosity modalities "
    "prediction user metadata safety_identifier prompt_cache_key"
)
_RESPONSES: Final = _names(
    "model input instructions tools tool_choice parallel_tool_calls max_output_tokens temperature top_p "
    "stream stream_options text reasoning metadata user truncation include store top_logprobs "
    "safety_identifier prompt_cache_key"
)
_MESSAGES: Final = _names(
    "model messages system tools tool_choice max_tokens temperature top_p top_k stop_sequences stream "
    "metadata thinking output_config output_format cache_control"
)
_EMBEDDINGS: Final = _names("model input encoding_format dimensions user")

CHAT: Final = "/v1/chat/completions"
RESPONSES: Final = "/v1/responses"
EMBEDDINGS: Final = "/v1/embeddings"
MESSAGES: Final = "/anthropic/v1/messages"
COUNT: Final = "/anthropic/v1/messages/count_tokens"
ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    CHAT: Endpoint(ModelProvider.OPENAI, "/chat/completions", _CHAT, "max_completion_tokens"),
    RESPONSES: Endpoint(ModelProvider.OPENAI, "/responses", _RESPONSES, "max_output_tokens"),
    EMBEDDINGS: Endpoint(ModelProvider.OPENAI, "/embeddings", _EMBEDDINGS),
    MESSAGES: Endpoint(ModelProvider.ANTHROPIC, "/v1/messages", _MESSAGES, "max_tokens"),
    COUNT: Endpoint(ModelProvider.ANTHROPIC, "/v1/messages/count_tokens", _MESSAGES, is_counted=False),
}

_OWN_TOOLS: Final = tuple(
    _names("function custom bash_ text_editor_ memory_ computer_ local_shell apply_patch shell")
)
_HOSTED: Final = "shell"
_LOCAL: Final = "local"
"""A shell runs where its environment says; in any other, or without one, its provider may run it."""
_ADDRESSES: Final = frozenset({"url", "image_url", "file_url", "server_url", "connector_id", "file_id"})
_OPAQUE: Final = frozenset({"input_schema", "parameters", "schema", "arguments", "annotations", "citations"})
_REFERENCE: Final = "item_reference"
_LIKELIHOODS: Final = ("logprobs", "top_logprobs")
_MOST_CHOICES: Final = 128
RATIONALE: Final = "rationale"
"""The member of a request's `metadata` in which an agent may say why; it is kept, and goes no further."""


def outgoing(endpoint: Endpoint, spec: ModelSpec, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the provider is sent for an agent's request; its texts are not scrubbed yet.

    Raises:
        ModelRequestError: another model is asked for, or a member is not one that is passed on.
    """
    if body.get("model") != spec.alias:
        raise ModelRequestError(f"The model `{body.get('model')}` does not exist")
    body = {name: value for name, value in body.items() if name in endpoint.fields or not _is_off(value)}
    if strange := sorted(body.keys() - endpoint.fields):
        raise ModelRequestError(f"Unsupported parameter: {strange[0]}")
    if not isinstance(body.get("stream"), bool | None):
        raise ModelRequestError("Unsupported parameter: stream must be true or false")
    _check_tools(body.get("tools") or ())
    _check_addresses({name: value for name, value in body.items() if name not in {"tools", "metadata"}})
    _check_kept(body.get("input"))
    sent = _without_rationale(_without_likelihoods({**body, "model": spec.name}))
    if "store" in endpoint.fields:
        sent["store"] = False
    if endpoint.path == "/chat/completions" and body.get("stream") is True:
        sent["stream_options"] = {**_options(body), "include_usage": True}
    return _bounded(sent, endpoint, spec.max_output_tokens)


def most_output(endpoint: Endpoint, sent: Mapping[str, Any]) -> int:
    """Return the most tokens that the answer to a request can have, all choices together."""
    bounds = [sent[name] for name in _bounds_of(endpoint) if sent.get(name) is not None]
    return max(bounds, default=0) * _choices(sent)


def kind_of(value: Mapping[str, Any]) -> str:
    """Return the `type` of a part; empty where it has none, or one that is no text."""
    kind = value.get("type")
    return kind if isinstance(kind, str) else ""


def rationale_of(body: Mapping[str, Any]) -> str | None:
    """Return the agent's own words for why it asks, where it gave any (R-11)."""
    metadata = body.get("metadata")
    told = metadata.get(RATIONALE) if isinstance(metadata, Mapping) else None
    return told if isinstance(told, str) and told.strip() else None


def asks_for_usage(body: Mapping[str, Any]) -> bool:
    """Whether an agent asked for the usage of a chat's stream; else what is sent of it is hidden."""
    return _options(body).get("include_usage") is True


def _is_off(value: object) -> bool:
    """Whether a member asks for nothing: clients send what is not set as null, and what is off as false."""
    return value is None or value is False


def _options(body: Mapping[str, Any]) -> Mapping[str, Any]:
    options = body.get("stream_options")
    return options if isinstance(options, Mapping) else {}


def _without_likelihoods(sent: dict[str, Any]) -> dict[str, Any]:
    for name in _LIKELIHOODS:
        if sent.pop(name, None):
            raise ModelRequestError(f"Unsupported parameter: {name}")
    include = sent.get("include") or []
    if not isinstance(include, list) or any("logprobs" in str(item) for item in include):
        raise ModelRequestError("Unsupported parameter: include")
    return sent


def _without_rationale(sent: dict[str, Any]) -> dict[str, Any]:
    if rationale_of(sent) is None:
        return sent
    rest = {name: value for name, value in sent["metadata"].items() if name != RATIONALE}
    bare = {name: value for name, value in sent.items() if name != "metadata"}
    return {**bare, "metadata": rest} if rest else bare


def _choices(sent: Mapping[str, Any]) -> int:
    """Return how many answers are asked for; 0 where that cannot be read."""
    count = sent.get("n", 1)
    if count is None:
        return 1
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def _bounded(sent: dict[str, Any], endpoint: Endpoint, most: int) -> dict[str, Any]:
    """Bound every member by which an answer's length can be set, and set one where none is."""
    if not 1 <= _choices(sent) <= _MOST_CHOICES:
        raise ModelRequestError("Unsupported parameter: n")
    names = [name for name in _bounds_of(endpoint) if sent.get(name) is not None]
    bounds = {name: _bound(name, sent[name], most) for name in names}
    if endpoint.limit is not None and not bounds:
        bounds = {endpoint.limit: most}
    return {**sent, **bounds}


def _bound(name: str, asked: object, most: int) -> int:
    if not isinstance(asked, int) or isinstance(asked, bool) or asked < 1:
        raise ModelRequestError(f"Unsupported parameter: {name} must be a positive number")
    return min(asked, most)


def _bounds_of(endpoint: Endpoint) -> frozenset[str]:
    """Return the members that bound an answer: of a chat the old one too."""
    return (
        frozenset() if endpoint.limit is None else frozenset({endpoint.limit, "max_tokens"}) & endpoint.fields
    )


def _check_tools(tools: object) -> None:
    if not isinstance(tools, Sequence) or isinstance(tools, str):
        raise ModelRequestError("Unsupported parameter: tools")
    for tool in tools:
        kind = tool.get("type", "custom") if isinstance(tool, Mapping) else None
        if not isinstance(kind, str) or not kind.startswith(_OWN_TOOLS):
            raise ModelRequestError(f"Unsupported tool type: {kind}")
        if kind == _HOSTED and not _is_local(tool.get("environment")):
            raise ModelRequestError("Unsupported tool environment: a shell must be local")


def _is_local(environment: object) -> bool:
    return isinstance(environment, Mapping) and environment.get("type") == _LOCAL


def _check_addresses(value: object) -> None:
    if isinstance(value, Mapping):
        inner = {name: item for name, item in value.items() if name not in _OPAQUE}
        if kind_of(value) in {"tool_use", "function_call", "custom_tool_call"}:
            inner.pop("input", None)
        for name, item in inner.items():
            if name in _ADDRESSES and isinstance(item, str) and not item.startswith("data:"):
                raise ModelRequestError(f"Unsupported content: {name} must hold the data itself")
            _check_addresses(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _check_addresses(item)


def _check_kept(items: object) -> None:
    """Refuse what is no more than the name of an item that a provider keeps: it may be anybody's."""
    for item in items if isinstance(items, list) else ():
        named = isinstance(item, Mapping) and not item.keys() & {"type", "role"}
        if isinstance(item, Mapping) and (named or kind_of(item) == _REFERENCE):
            raise ModelRequestError("Unsupported content: an item of the input must be given whole")
