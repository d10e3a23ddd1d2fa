"""May this run act at all: alive, proved, of an unchanged deployment, and not frozen? And has it a lease?"""

from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, allow
from runtime.gate.facts import Facts
from runtime.gate.reading import Reading


def check_standing(_reading: Reading, facts: Facts) -> Verdict:
    """Deny unless the run is live and attested, its deployment unchanged, and nothing froze it."""
    standing = facts.standing
    reasons = []
    if not standing.live:
        reasons.append(Reason(ReasonCode.RUN_NOT_LIVE, "the run is not running"))
    if not standing.attested:
        reasons.append(Reason(ReasonCode.NOT_ATTESTED, "there is no proof of the run's box"))
    if not standing.deployment_current:
        reasons.append(Reason(ReasonCode.DEPLOYMENT_CHANGED, "the deployment is not the one that was pinned"))
    if standing.frozen is not None:
        reasons.append(Reason(ReasonCode.FROZEN, standing.frozen))
    return Verdict("standing", Answer.DENY, tuple(reasons)) if reasons else allow("standing")


def check_lease(_reading: Reading, facts: Facts) -> Verdict:
    """Deny unless the run holds a lease that is good now."""
    problem = facts.lease.problem
    return allow("lease") if problem is None else Verdict("lease", Answer.DENY, (problem,))
