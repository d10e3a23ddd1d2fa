"""Who owns an agent does not end what suspends everybody's, theirs among them."""

from profiles.effects import Effect
from runtime.people.roster import RefusalCode, Refused
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import Resumed, everywhere
from tests.standins.deployed import deployed
from tests.standins.persons import Person, Town, policy_of
from tests.standins.power import resume_by, suspend_in
from tests.standins.towns import DORA, EVERYONE, LENA, OLGA, ROSA, SVEN, town

__all__ = ["town"]

OWNING_MANAGER = policy_of(
    OLGA.enrolled("operations", "policy", "rollout"),
    ROSA.enrolled("rollout", "policy"),
    DORA.enrolled("domain"),
    SVEN.enrolled("security"),
    LENA.enrolled("leadership"),
)


def test_an_owner_who_is_a_manager_too_resumes_nothing_for_all(town: Town) -> None:
    """F7: olga owns an agent and holds the role; another one may."""
    town.begin(OWNING_MANAGER, *EVERYONE)
    deployed(town)
    suspension = suspend_in(town, SuspensionCode.HEARTBEAT, "gap-1", deployment=EVERYTHING)
    assert suspension is not None

    def tries(person: Person) -> Resumed | Refused:
        return resume_by(town, person, suspension)

    refused = tries(OLGA)
    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.NOT_PERMITTED
    standing = town.read(lambda conn: everywhere(conn, now=town.now, roster=town.state.roster))
    assert [one.effects for one in standing] == [frozenset(Effect) - {Effect.READ}]
    assert isinstance(tries(ROSA), Resumed)
