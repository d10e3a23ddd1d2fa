"""Can the action be read: a named tool, arguments of the declared types, a bearable size? R-86."""

from runtime.gate.answers import Answer, Verdict, allow
from runtime.gate.facts import Facts
from runtime.gate.reading import Reading


def check_shape(reading: Reading, _facts: Facts) -> Verdict:
    """Deny what the profile does not name, and what is malformed or too large."""
    return Verdict("shape", Answer.DENY, reading.faults) if reading.faults else allow("shape")
