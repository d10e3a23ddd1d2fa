"""What is usual for one deployment, and what is far outside of it (R-25). Pure.

The baseline is the deployment's own first days: frozen once there is enough, never moved along, so that slow
change does not become the new usual. Too little is no data, and no data alarms nobody.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.alerts.rules import AlertRule

MINIMUM_DAYS: Final = 7
MINIMUM_ACTIONS: Final = 100
RARELY: Final = 1e-4
"""How seldom a day like this may be, by chance, before it alarms."""
LEAST_RATIO: Final = 2.0
"""A day below this multiple of the usual is no alarm, however many actions make it certain."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A deployment's usual behaviour.

    Attributes:
        deployment: the deployment's digest.
        version: counts from 1.
        days: UTC days with activity that it was taken from.
        tools: actions by tool on those days together.
    """

    deployment: str
    version: int
    days: int
    tools: Mapping[str, int]


def is_enough(days: int, actions: int) -> bool:
    """Whether so much makes a baseline; less is no data."""
    return days >= MINIMUM_DAYS and actions >= MINIMUM_ACTIONS


def judge(baseline: Baseline, tool: str, count: int) -> AlertRule | None:
    """Return what a tool's count of actions on one day is, if it is anything unusual.

    Args:
        baseline: of the deployment.
        tool: the tool.
        count: its actions on that day so far.
    """
    usual = baseline.tools.get(tool, 0)
    if usual == 0 and count == 0:
        return None
    if count > LEAST_RATIO * usual / baseline.days and chance(count, usual, baseline.days) < RARELY:
        return AlertRule.UNUSUAL
    return AlertRule.FIRST_SEEN if usual == 0 else None


def chance(count: int, usual: int, days: int) -> float:
    """Return the probability of so many actions or more on one day, if the rate were that of the baseline.

    Given the sum of two Poisson counts, one of them is binomial (Przyborowski and Wilenski, Biometrika 31,
    1940): of `count + usual` actions each falls on the one day of `days + 1` with equal probability. So a
    short baseline is as uncertain as it is, which a Poisson tail at its mean would hide.

    Args:
        count: actions on the day.
        usual: actions on all days of the baseline.
        days: days of the baseline.
    """
    total, share = count + usual, 1 / (days + 1)
    log_share, log_rest = math.log(share), math.log1p(-share)
    chosen = math.lgamma(total + 1)
    sum_ = 0.0
    for hits in range(count, total + 1):
        ways = chosen - math.lgamma(hits + 1) - math.lgamma(total - hits + 1)
        term = math.exp(ways + hits * log_share + (total - hits) * log_rest)
        sum_ += term
        if hits > share * total and term < sum_ * 1e-12:
            break
    return min(sum_, 1.0)
