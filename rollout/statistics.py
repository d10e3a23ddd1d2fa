"""Statistics of judged samples: an agreement test that survives looking every day, and bounds. Pure.

All in log space with the standard library. The test is an e-process (Ramdas, Grünwald, Vovk, Shafer:
"Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38(4), 2023). Whoever looks
after every single item, and stops when it suits, passes an agent at the limit at most once in `E_PASS` times.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

E_PASS: Final = 20.0
"""From this value on the agreement is shown: at most 1 in 20 agents at the limit ever reaches it."""
CONFIDENCE: Final = 0.95
_BISECTIONS = 60
_NEGLIGIBLE = 45.0
"""Terms of a sum smaller than its largest by this exponent change no digit of a double."""


def log_e_value(agree: int, miss: int, p0: float) -> float:
    """Return the natural logarithm of the e-value against "the agreement is at most p0".

    E = 1/2 [m=0] p0^-n + 1/2 B(k+1, m+1) P(Bin(n+1, p0) <= k) / ((1-p0) p0^k (1-p0)^m) for k agree, m miss,
    n = k+m: half the bet is on perfect agreement, half spread evenly over (p0, 1] (REQUIREMENTS section 3).

    Args:
        agree: k.
        miss: m.
        p0: the rate that must be exceeded, above 0 and below 1.

    Raises:
        ValueError: a count is negative, or the rate is no rate.
    """
    if agree < 0 or miss < 0 or not 0 < p0 < 1:
        raise ValueError(
            f"got {agree} agree, {miss} miss at {p0}: expected counts, and a rate between 0 and 1"
        )
    null = agree * math.log(p0) + miss * math.log1p(-p0)
    beta = math.lgamma(agree + 1) + math.lgamma(miss + 1) - math.lgamma(agree + miss + 2)
    spread = beta + _log_tail(agree, agree + miss + 1, p0) - math.log1p(-p0)
    perfect = [0.0] if miss == 0 else []
    return _log_sum([spread, *perfect]) - null - math.log(2)


def e_value(agree: int, miss: int, p0: float) -> float:
    """Return the e-value; see `log_e_value`. Beyond the range of a double it is infinite."""
    try:
        return math.exp(log_e_value(agree, miss, p0))
    except OverflowError:
        return math.inf


def shown(agree: int, miss: int, p0: float) -> bool:
    """Whether the agreement is shown to exceed p0: the one rule behind gate G3."""
    return log_e_value(agree, miss, p0) >= math.log(E_PASS)


@lru_cache(maxsize=4096)
def samples_needed(p0: float, miss: int) -> int:
    """Return how many judged samples show the agreement if `miss` of them, and no more, are misses.

    Each agreeing sample raises the e-value, so the smallest number is found by bisection.
    """
    low, high = -1, 1
    while not shown(high, miss, p0):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle, miss, p0) else (middle, high)
    return high + miss


def lower_bound(agree: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided lower bound of a rate, after Clopper and Pearson (Biometrika 26, 1934).

    Args:
        agree: how many of `total` agreed.
        total: at least one.
        confidence: such as 0.95.
    """
    return 1.0 - upper_bound(total - agree, total, confidence)


def upper_bound(count: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided upper bound of a rate, after Clopper and Pearson; see `lower_bound`.

    It is the rate at which `count` or fewer of `total` would happen with the remaining probability.

    Raises:
        ValueError: there is nothing to judge by, or the count is not part of it.
    """
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"got {count} of {total}: expected a part of at least one")
    if count == total:
        return 1.0
    limit, low, high = math.log(1 - confidence), count / total, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _log_tail(count, total, middle) > limit else (low, middle)
    return (low + high) / 2


def none_found(total: int) -> str:
    """Say what finding none still allows (exact; about three in `total`, the rule of three)."""
    if total == 0:
        return "nothing was looked at, so nothing is known"
    return f"0 of {total} still allows a true rate of up to {upper_bound(0, total):.1%}"


def _log_tail(most: int, total: int, rate: float) -> float:
    """Return log P(Bin(total, rate) <= most)."""
    if most >= total or rate <= 0:
        return 0.0
    if rate >= 1:
        return -math.inf
    if most > total * rate:  # the shorter tail is the other one
        return math.log1p(-math.exp(_log_sum(_falling(total - most - 1, total, 1 - rate))))
    return _log_sum(_falling(most, total, rate))


def _falling(most: int, total: int, rate: float) -> Iterator[float]:
    """Yield log P(Bin(total, rate) = j) for j = most, most-1, ... while that matters; they only fall."""
    odds = math.log1p(-rate) - math.log(rate)
    first = term = (
        math.lgamma(total + 1)
        - math.lgamma(most + 1)
        - math.lgamma(total - most + 1)
        + most * math.log(rate)
        + (total - most) * math.log1p(-rate)
    )
    for hits in range(most, -1, -1):
        yield term
        if term < first - _NEGLIGIBLE:
            return
        term += odds + math.log(hits) - math.log(total - hits + 1) if hits else 0.0


def _log_sum(terms: Iterator[float] | list[float]) -> float:
    known = list(terms)
    largest = max(known)
    return largest + math.log(sum(math.exp(term - largest) for term in known))
