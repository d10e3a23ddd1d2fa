"""What a sentence must weigh at the least for each rule that finds something in it.

A rule knows a phrase; the words around it say whether it is meant. How much they must say is found out for
each rule from what it finds in sentences that were written without a look at the rules.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Final

from sandboxes.scrub.model import Place
from sandboxes.scrub.pack import Pack
from sandboxes.scrub.rules import TextRule
from sandboxes.scrub.view import view_of

Scored = tuple[str, float]  # a sentence and what it weighs
ENOUGH: Final = 5  # sentences that tell in which a rule must find something; of fewer, nothing is concluded
ROUNDING: Final = 0.05  # of the weights in the file, over a sentence
LOWEST: Final = -8.0  # where nothing is asked
# What an ordinary sentence costs that is found, in sentences that tell and are not found, and what is asked
# at the most. Rules for results find little in documents; those for prompts find much.
OF_RESULTS: Final = (0.02, -6.0)
OF_PROMPTS: Final = (0.5, -2.0)


def limits(
    pack: Pack, tell: Iterable[Scored], rest: Iterable[Scored], weigh: Callable[[str], float]
) -> dict[str, float]:
    """Return the least weights of the rules that find anything ordinary.

    Args:
        pack: the rules.
        tell: sentences that tell, and what each weighs by weights that were learned without it.
        rest: sentences that do not.
        weigh: tells what a sentence weighs; the examples of a rule stay found.
    """
    good, bad = _found(pack, tell), _found(pack, rest)
    told = [rule for rule in pack.texts if rule.id in bad and len(good[rule.id]) >= ENOUGH]
    best = {rule.id: least_of(sorted(good[rule.id]), sorted(bad[rule.id]), *_asked_of(rule)) for rule in told}
    shown = {rule.id: min(map(weigh, rule.examples)) - ROUNDING for rule in told}
    return {rule: min(least, shown[rule]) for rule, least in best.items() if least > LOWEST}


def _asked_of(rule: TextRule) -> tuple[float, float]:
    return OF_RESULTS if Place.RESULT in rule.where else OF_PROMPTS


def _found(pack: Pack, sentences: Iterable[Scored]) -> dict[str, list[float]]:
    """The weights of the sentences in which each rule finds something."""
    found: dict[str, list[float]] = defaultdict(list)
    for sentence, weight in sentences:
        for rule in {hit.rule.id for hit in pack.gate.find(view_of(sentence).data)}:
            found[rule].append(weight)
    return found


def least_of(good: list[float], bad: list[float], price: float, most: float) -> float:
    """Return the least weight at which both sorts of mistakes together cost least; of equal ones, the lowest.

    Args:
        good: what is weighed in which a rule is right, the lowest first.
        bad: that in which it is wrong, the lowest first.
        price: what one of the second costs that is found, in those of the first that are not.
        most: the most that may be asked.
    """

    def cost(least: float) -> tuple[float, float]:
        return bisect_left(good, least) + price * (len(bad) - bisect_left(bad, least)), least

    return min(chain([LOWEST], (weight + 0.01 for weight in bad if LOWEST < weight < most), [most]), key=cost)
