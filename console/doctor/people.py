"""The people: can the policy still change, can a held action still be approved, is anyone left (F28)."""

from datetime import datetime

from console.doctor.finding import Finding, Level, good
from console.doctor.power import examine_power
from profiles.policy import Policy, Quorum, Role
from runtime.db import open_existing, reading
from runtime.errors import KernelError
from runtime.people.chain import PolicyState
from runtime.people.pin import PIN_NAME
from runtime.people.policies import PolicyBook
from runtime.people.quorum import Short, check_quorum
from runtime.people.roster import Roster
from runtime.record.keys import load_keys
from runtime.settings import Settings

_ADD = "handrail person add NAME --key-file THEIR.pub --group GROUP"


def examine_people(settings: Settings, *, now: datetime) -> list[Finding]:
    """Look at the policy in force, at who is left to act under it, and at what they signed.

    Args:
        settings: of the installation.
        now: the present moment.
    """
    try:
        installation = load_keys(settings.keys_dir).signer.verifier.name
        book = PolicyBook(settings.state_dir / PIN_NAME, installation)
        with reading(open_existing(settings.database)) as connection:
            state = book.current(connection)
            power = examine_power(connection, state.roster, now=now)
    except KernelError as error:
        return [Finding("policy", Level.FAIL, str(error), "handrail audit verify")]
    return [*judge_people(state.head.policy, state.roster), *_unsupported(state), *power]


def judge_people(policy: Policy, roster: Roster) -> list[Finding]:
    """Say what can no longer be decided because too few persons are left. Pure."""
    persons = roster.persons
    if len(persons) == 1:
        said = (
            f"only {persons[0]} is enrolled: the policy is frozen, and what needs two persons never happens"
        )
        return [Finding("people", Level.WARN, said, f"enrol a second person: {_ADD}")]
    stuck = _stuck(policy, roster)
    if stuck:
        said = f"{len(persons)} persons, too few for: {', '.join(stuck)}"
        return [Finding("people", Level.WARN, said, _ADD)]
    return [good("people", f"{len(persons)} persons; every decision of the policy can be made")]


def _stuck(policy: Policy, roster: Roster) -> list[str]:
    asked: dict[str, Quorum] = {"policy change": policy.policy_change}
    asked |= {f"approving a held {effect}": quorum for effect, quorum in policy.holds.items()}
    asked |= {f"granting {effect}": quorum for effect, quorum in policy.promotions.items()}
    short = [name for name, quorum in asked.items() if isinstance(_all_together(quorum, roster), Short)]
    nobody = [] if any(Role.OPERATOR in roster.roles_of(name) for name in roster.persons) else ["deploying"]
    return [*nobody, *short]


def _all_together(quorum: Quorum, roster: Roster) -> object:
    return check_quorum(quorum, roster.persons, roster)


def _unsupported(state: PolicyState) -> list[Finding]:
    step = "handrail audit verify; somebody wrote to the database by hand"
    return [Finding("policy", Level.FAIL, problem, step) for problem in state.problems]
