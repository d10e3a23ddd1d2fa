"""What is known about one deployment and one effect class at one moment, as frozen values.

It is collected from rows (`rollout.evidence.collect`), looked at by the review gates (`rollout.gates`),
frozen into a request and signed by its digest. A value that is missing is None and never zero: no data is no
success.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from profiles.effects import Effect
from profiles.policy import Threshold
from profiles.risk import Risk
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.moments import utc_text


class AssessmentKind(StrEnum):
    """What is judged about a deployment before its first promotion (G9); parity has a proof of its own."""

    GOAL_CONFLICT = "goal-conflict"
    OUT_OF_DISTRIBUTION = "out-of-distribution"
    MULTI_STEP = "multi-step"


@dataclass(frozen=True, slots=True)
class Sample:
    """The judged items of one class since the window began. Items of one cluster count once, at their worst.

    Attributes:
        population: suggestions of the class that were made in the window.
        drawn: how many of them our seed drew.
        unjudged: how many of those still lack a verdict, or the second one that they need.
        agree: clusters on which every counted verdict agrees.
        miss: clusters with a disagree, an unclear or a harmful (unclear counts as a miss).
        harmful: clusters with a harmful verdict that nobody contradicted in time, or that still waits for it.
        unclear: how many of the misses are only unclear.
        days: distinct UTC days on which judged items happened.
        reviewers: who judged, in order.
        digest: SHA-256 over every counted item with its verdicts' statements; an edit changes it (F8).
    """

    population: int
    drawn: int
    unjudged: int
    agree: int
    miss: int
    harmful: int
    unclear: int
    days: int
    reviewers: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Dwell:
    """What the monitor observed: only heartbeats count (F1), and only days of activity (F14).

    Attributes:
        since: when the present tier began.
        observed_seconds: observed since then.
        total_observed_seconds: observed since the deployment was created.
        active_days: UTC days with activity since `since`.
        last_heartbeat: the monitor's last sign of life; None: never.
        last_expansion: when power was last added to this deployment; None: never.
        since_expansion_seconds: observed since then; None: never expanded.
        cool_down_until: no promotion before this moment; None: there was no demotion.
    """

    since: datetime
    observed_seconds: float
    total_observed_seconds: float
    active_days: int
    last_heartbeat: datetime | None
    last_expansion: datetime | None
    since_expansion_seconds: float | None
    cool_down_until: datetime | None


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is open (G5).

    Attributes:
        open_medium: ids of open alerts of severity medium or more.
        overdue: ids of alerts that nobody reviewed in time.
        unacknowledged: ids of incidents that no leader has acknowledged.
    """

    open_medium: tuple[str, ...]
    overdue: tuple[str, ...]
    unacknowledged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewState:
    """What is owed (G6, G8).

    Attributes:
        overdue: ids of obligations that were due and are open.
        next_due: when the next open review is due; None: nothing is owed, which is itself an alarm (R-85).
        specification_due: when the profile must be reviewed next; None: never planned.
    """

    overdue: tuple[str, ...]
    next_due: datetime | None
    specification_due: datetime | None


@dataclass(frozen=True, slots=True)
class Assessed:
    """One signed verdict of the assessment: `passed`, by whom, when."""

    passed: bool
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Parity:
    """Whether context isolation is proven under one runtime.

    Attributes:
        runtime: the walls.
        fault: why there is no proof that counts; None if there is one.
        detail: the same in words.
        image: as the profile names it; a proof is about what that name stood for when it was pinned.
    """

    runtime: str
    fault: str | None
    detail: str
    image: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """The assessment of this deployment (G9).

    Attributes:
        capabilities: what the profile lets the agent reach, computed.
        blast_radius: the same as it was signed for; None: nobody signed one.
        judged: the newest signed verdict of each kind; a missing kind is no data.
        parity: the proof of context isolation under each runtime; none at all is no data.
    """

    capabilities: str
    blast_radius: str | None
    judged: Mapping[AssessmentKind, Assessed]
    parity: tuple[Parity, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditState:
    """The record's own state (G10).

    Attributes:
        size: entries there are.
        anchored: entries under the last checkpoint that the second sink holds.
        faults: what verifying found; empty means sound.
        verified_at: when it was last verified; None: never.
    """

    size: int
    anchored: int
    faults: tuple[str, ...]
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Drift:
    """Behaviour against the baseline (G7). Below 100 actions nothing can be said.

    Attributes:
        actions: of the window, against the baseline's.
        accepted_by: manager whose signed text accepts it; None: nobody.
    """

    actions: int
    accepted_by: str | None


@dataclass(frozen=True, slots=True)
class Power:
    """What is granted and stopped.

    Attributes:
        granted: classes that the deployment may carry out now.
        used: classes that its profile uses.
        suspended: why writes of the class or of a lower one are suspended, one line each.
        frozen: why everything is stopped, one line each.
    """

    granted: tuple[Effect, ...]
    used: tuple[Effect, ...]
    suspended: tuple[str, ...]
    frozen: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything about one deployment and one class that the review gates look at.

    Attributes:
        threshold: the strictest of all policy versions in force since the window began (F25).
        distinct_days: days on which judged items must have happened, the strictest likewise.
        approval_hours: age at which an approval no longer counts, the strictest likewise.
        harmful_below: clusters of lower classes with a harmful verdict in the window; they fail this one too.
        policy: digest of the policy version in force.
        profile: digest of the profile.
        newest: whether the deployment is the newest of its agent.
        profile_since: since when the agent's profile is this one.
        counted_since: when the window of the sample began; `dwell.since` is that of the tier.
    """

    agent: str
    deployment: str
    effect: Effect
    at: datetime
    owner: str
    risk: Risk
    policy: str
    profile: str
    newest: bool
    profile_since: datetime
    counted_since: datetime
    threshold: Threshold | None
    distinct_days: int
    approval_hours: int
    harmful_below: int
    sample: Sample
    dwell: Dwell
    alerts: AlertState
    reviews: ReviewState
    assessment: Assessment
    audit: AuditState
    drift: Drift
    power: Power

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as plain JSON, moments as `utc_text`, numbers of seconds whole."""
        return cast("dict[str, JsonValue]", _plain(asdict(self)))

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical evidence."""
        return digest_of(self.as_json())


def _plain(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> JsonValue:
    match value:
        case Threshold():
            plain: JsonValue = _plain(value.model_dump())
        case datetime():
            plain = utc_text(value)
        case Risk():
            plain = value.label
        case StrEnum():
            plain = value.value
        case float():
            # Agreement rates have few decimals and seconds need none: so both stay exact in any JSON.
            plain = str(value) if 0 < value < 1 else int(value)
        case None | bool() | int() | str():
            plain = value
        case _:
            raise TypeError(f"evidence holds a {type(value).__name__}, which has no JSON form")
    return plain
