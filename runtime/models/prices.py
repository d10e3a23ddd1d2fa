"""What a model call can use at most, what it used, and what that costs. Pure."""

import math
from dataclasses import dataclass
from typing import Final

from profiles.schema import Price

OVERHEAD_TOKENS: Final = 4096
"""What providers add to a request by themselves: the frame of messages, the prompt that explains tools."""
MEDIA_TOKENS: Final = 32_768
"""The most that one image or document of a request becomes; it may be far more than its bytes."""


@dataclass(frozen=True)
class Used:
    """What one call used.

    Attributes:
        input_tokens: asked, those from a provider's cache included.
        output_tokens: answered, thinking included.
        cost_micros: in millionths of the currency; 0 without a price.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0


def cost_of(price: Price | None, input_tokens: int, output_tokens: int, written: int = 0) -> int:
    """Return what tokens cost, in millionths of the currency, rounded up.

    A price for a million tokens is the price of one token in millionths.

    Args:
        price: of a million tokens.
        input_tokens: asked, those that went into or came from a provider's cache included.
        output_tokens: answered.
        written: how many of those asked went into the cache.
    """
    if price is None:
        return 0
    plain = (input_tokens - written) * price.input + output_tokens * price.output
    return math.ceil(plain + written * price.written)


def most_cost(price: Price | None, input_tokens: int, output_tokens: int, *, caches: bool) -> int:
    """Return the most that a request can cost; one that `caches` may be written to a cache as a whole."""
    dearer = caches and price is not None and price.written > price.input
    return cost_of(price, input_tokens, output_tokens, input_tokens if dearer else 0)


def most_input(size: int, media: int) -> int:
    """Return the most tokens that a request can be: no token is shorter than a byte.

    Args:
        size: the request in bytes.
        media: how many images, sounds and documents it holds.
    """
    return size + OVERHEAD_TOKENS + media * MEDIA_TOKENS
