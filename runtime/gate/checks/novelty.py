"""Does it make sense here: is everything it touches declared, or was it reached before? R-06.

What the profile declares counts as seen. Instance ids are never new. What cannot be read without doubt is
always new. A new read is held for a person, a new write is suggested.
"""

from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, allow
from runtime.gate.facts import Facts
from runtime.gate.places import Place, digest_of_key
from runtime.gate.reading import Reading


def check_novelty(reading: Reading, facts: Facts) -> Verdict:
    """Hold a read, and suggest a write, of anything that is neither declared nor seen."""
    reasons = [_new(reading, place) for place in reading.places if _is_new(place, reading, facts)]
    reasons += reading.oddities
    if not reasons:
        return allow("novelty")
    return Verdict("novelty", Answer.HOLD if reading.is_read else Answer.SUGGEST, tuple(reasons))


def seen_keys(reading: Reading, deployment: str) -> tuple[str, ...]:
    """Return what this action makes seen once carried out: digests of its undeclared, undoubted places."""
    fresh = (place for place in reading.places if not place.known and place.doubt is None)
    return tuple(digest_of_key(deployment, key_of(place, reading)) for place in fresh)


def key_of(place: Place, reading: Reading) -> str:
    """Return the identity under which a place is seen: a read of it never makes a write to it seen."""
    return f"{'read' if reading.is_read else 'write'}:{place.key}"


def _is_new(place: Place, reading: Reading, facts: Facts) -> bool:
    if place.known:
        return False
    return (
        place.doubt is not None or digest_of_key(facts.deployment, key_of(place, reading)) not in facts.seen
    )


def _new(reading: Reading, place: Place) -> Reason:
    why = f"first time, and {place.doubt}" if place.doubt else "first time"
    return Reason(ReasonCode.FIRST_SEEN, f"{place.key}: {why}", key=key_of(place, reading))
