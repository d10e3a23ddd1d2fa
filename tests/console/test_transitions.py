"""Going back and outdated rules, typed by people with real keys."""

from profiles.effects import Effect
from runtime.grants import Issued
from tests.standins.counter import Counter
from tests.standins.deployed import OWNER, deployed
from tests.standins.towns import DORA, ROSA, allowed, grant, order


def _two(counter: Counter) -> tuple[str, str]:
    """An agent that was granted drafts, and was then deployed anew."""
    town = counter.shop.town
    first = deployed(town, "clerk")
    assert isinstance(grant(town, order(town, Effect.DRAFT, deployment=first, owner=OWNER), ROSA), Issued)
    town.later(seconds=1)
    return first, deployed(town, "clerk", image="sha256:bb")


def test_a_manager_goes_back_and_the_grants_come_with_it(counter: Counter) -> None:
    """R-40: nothing goes over to a new deployment; within the window one word brings the earlier one back."""
    first, second = _two(counter)
    town = counter.shop.town
    words = ("deploy", "rollback", "clerk", first[:12], "--reason", "broken image")

    shown = counter.type(*words, person=ROSA)
    done = counter.type(*words, "--yes", "--digest", first[:12], person=ROSA)

    assert shown.code == 2
    assert "GIVES BACK" in shown.out
    assert "draft" in shown.out
    assert done.out == f"clerk is back at deployment {first[:12]}, signed by rosa: 1 grants given back\n"
    assert allowed(town, first) == {Effect.READ, Effect.DRAFT}
    assert allowed(town, second) == {Effect.READ}


def test_nobody_else_goes_back(counter: Counter) -> None:
    """F7."""
    first, _ = _two(counter)
    said = counter.type(
        *("deploy", "rollback", "clerk", first[:12], "--reason", "r", "--yes", "--digest", first[:12]),
        person=DORA,
    )

    assert said.code == 3
    assert "takes the role rollout-manager" in said.err
    assert allowed(counter.shop.town, first) == {Effect.READ}


def test_an_unknown_deployment_is_said_and_nothing_changes(counter: Counter) -> None:
    _two(counter)
    said = counter.type("deploy", "rollback", "clerk", "0" * 12, "--reason", "r", person=ROSA)

    assert said.code == 1
    assert "0 match, expected one" in said.err


def test_anyone_says_that_the_rules_have_changed_and_writes_stop(counter: Counter) -> None:
    """R-37."""
    town = counter.shop.town
    only = deployed(town, "clerk")
    assert isinstance(grant(town, order(town, Effect.DRAFT, deployment=only, owner=OWNER), ROSA), Issued)
    said = counter.type(
        *("deploy", "outdated", "clerk", "--reason", "new prices", "--yes", "--digest", only), person=DORA
    )

    assert said.out.startswith("the writes of clerk are suspended, said by dora\n")
    assert allowed(town, only) == {Effect.READ}
