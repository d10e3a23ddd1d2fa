"""A packet as frozen values. What is not known is None and is printed as "not available", never as zero.

No value here quotes an agent, but for names that the profile knows, so every rendering may show all of it;
each renderer escapes all the same.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import cast

from pydantic import TypeAdapter, ValidationError

from profiles.effects import Effect
from rollout.errors import RolloutError
from rollout.gates.model import GateId
from rollout.reviews.kinds import ReviewKind
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.moments import utc_text

NOT_AVAILABLE = "not available"
PRIORITIES = "Are priorities shifting?"
METRIC = "Is a metric optimised that nobody specified?"


class PacketError(RolloutError):
    """What should be a packet is none."""


@dataclass(frozen=True, slots=True)
class Head:
    """Which review it is.

    Attributes:
        risk: the risk row's word with the requirements it comes from, such as `High (R-47)`.
        cadence: how often reviews are due, in words.
        late: it was created after it had been due.
    """

    obligation: str
    kind: ReviewKind
    agent: str
    deployment: str
    owner: str
    risk: str
    cadence: str
    period_start: datetime
    due_at: datetime
    late: bool
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """What was watched: seconds with a heartbeat, and seconds without one, since the period began."""

    begin: datetime
    end: datetime
    observed_seconds: int
    gap_seconds: int


@dataclass(frozen=True, slots=True)
class Granted:
    """One effect class that the profile uses, and until when it is granted; None: it is not.

    A `read` grant that has ended stands here too: a review can renew it.
    """

    effect: Effect
    valid_until: datetime | None
    grant: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one UTC day."""

    day: str
    carried_out: int
    denied: int
    held: int
    suggested: int


@dataclass(frozen=True, slots=True)
class ClassEvidence:
    """The evidence of one class since its window began, and what stands in the way of granting it.

    Attributes:
        e_value: of the sequential test, as text with four digits; E >= 20 passes.
        limit: p0 that it is tested against.
        lower: lower Clopper-Pearson bound of the agreement rate, 95 %, one-sided.
        harmful_upper: upper bound of the harmful rate, 95 %, when none was seen (the rule of three, exact).
        blockers: review gates that do not pass; empty for a class that is granted already.
    """

    effect: Effect
    population: int
    drawn: int
    unjudged: int
    agree: int
    miss: int
    harmful: int
    e_value: str | None
    limit: str | None
    lower: str | None
    harmful_upper: str | None
    blockers: tuple[GateId, ...]


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert of the window, or one that is still open.

    Attributes:
        pattern_count: how often its pattern happened in the rolling window, closed alerts included.
        incident: the incident that it opened, if any.
        acknowledged: whether a leader acknowledged that incident.
    """

    alert: str
    rule: str
    severity: str
    state: str
    count: int
    first_at: datetime
    due_at: datetime
    pattern_count: int
    incident: str | None
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """Something unexpected in the record that somebody must say a word about before the review closes (R-36).

    Attributes:
        id: stable over printings: the same pattern of the same period has the same id.
        text: what it is, our own words.
        count: how often.
    """

    id: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Specification:
    """The profile: its version, since when its digest is the same, and when it must be reviewed next."""

    profile: str
    version: int
    since: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Audit:
    """The record when the packet was printed; `faults` is None where nobody verified it."""

    size: int
    anchored: int
    verified_at: datetime | None
    faults: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """The whole packet. Its digest is what the closing signature binds.

    Attributes:
        drift: of this month against the last, in words; None before drift is measured.
        drills: of each reviewer, in words; None before there are drills.
        first_seen: things that were reached for the first time in the window; None where not counted.
        renews_until: until when closing can renew grants; None: another review is overdue.
        questions: what whoever closes must answer (R-39).
    """

    head: Head
    window: Window
    tier: str
    grants: tuple[Granted, ...]
    suspensions: tuple[str, ...]
    days: tuple[Day, ...]
    evidence: tuple[ClassEvidence, ...]
    alerts: tuple[AlertLine, ...]
    patterns: tuple[Pattern, ...]
    specification: Specification
    audit: Audit
    drift: str | None = None
    drills: str | None = None
    first_seen: int | None = None
    renews_until: datetime | None = None
    questions: tuple[str, ...] = (PRIORITIES, METRIC)

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as plain JSON; moments as `utc_text`."""
        return cast("dict[str, JsonValue]", _plain(asdict(self)))

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical packet."""
        return digest_of(self.as_json())

    def total(self, name: str) -> int:
        """Add up one count of the days, such as `denied`."""
        return sum(getattr(day, name) for day in self.days)


def read_packet(value: Mapping[str, JsonValue]) -> Packet:
    """Return the packet whose `as_json` this is.

    Raises:
        PacketError: it is not exactly that; a field more, less or otherwise is another thing.
    """
    try:
        packet = _adapter().validate_python(value)
    except ValidationError as error:
        raise PacketError(f"not a packet of this version: {error.error_count()} faults") from error
    if packet.as_json() != value:
        raise PacketError("not a packet of this version: it has other fields or another spelling")
    return packet


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Packet]:
    return TypeAdapter(Packet)


def _plain(value: object) -> JsonValue:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, int):
        return value
    raise TypeError(f"a packet holds a {type(value).__name__}, which has no exact JSON form")
