"""How risky an agent is, from what it is: risk row, controls and review cadence (R-01, R-46 to R-50). Pure.

Several traits are joined by the strictest value of each column. An agent without any trait is unclassified
and gets the strictest of everything (R-16). All six controls are enforced for every agent; `controls` is what
the rows name, for reports. Where two cadences meet, the shorter interval wins.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from profiles.effects import Effect
from profiles.schema import Profile


class Trait(StrEnum):
    """What an agent is. The first four are the kinds in scope; the others say what it touches."""

    INTERNAL_TOOL_API = "internal-tool-api"
    CODE_PIPELINE = "code-pipeline"
    ESCALATING_CHATBOT = "escalating-chatbot"
    BEYOND_TEXT = "beyond-text"
    INTERNAL_DOCS = "internal-docs"
    EXECUTES_APPROVED_ACTIONS = "executes-approved-actions"
    CUSTOMER_DATA = "customer-data"
    MODIFIES_CODE = "modifies-code"
    EXTERNAL_PARTIES = "external-parties"


class Risk(IntEnum):
    """The risk of a row; a larger number is a greater risk."""

    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """The word for people."""
        return self.name.capitalize()


class Control(StrEnum):
    """The six controls."""

    ACTION_LOG = "C1"
    DECISION_BOUNDARIES = "C2"
    HUMAN_APPROVAL = "C3"
    MINIMAL_CONTEXT = "C4"
    LEAST_ACCESS = "C5"
    MONITORING = "C6"


class ExtraControl(StrEnum):
    """What a row asks for beyond the six."""

    ENCRYPTION_AT_REST = "encryption-at-rest"
    CHANGE_APPROVAL = "change-approval"
    COMMUNICATION_REVIEW = "communication-review"


@dataclass(frozen=True)
class Cadence:
    """When an agent is reviewed.

    Attributes:
        first_days: The interval in days while the last review lies within the first 30 days.
        later_days: The interval in days after that.
        every_change: Whether each deployment, and each change set that the agent ships, is reviewed as well.
    """

    first_days: int
    later_days: int
    every_change: bool = False

    def due_days(self, until: int) -> tuple[int, ...]:
        """List the days, counted from the deployment, on which a review is due.

        Args:
            until: The last day to look at.
        """
        days: list[int] = []
        last = 0
        while (last := last + self._interval(last)) <= until:
            days.append(last)
        return tuple(days)

    @property
    def words(self) -> str:
        """How often that is, for people."""
        if self.first_days == self.later_days:
            always = f"every {self.first_days} days"
        else:
            always = f"every {self.first_days} days in the first month, then every {self.later_days}"
        return always + (", and each change" if self.every_change else "")

    def _interval(self, last: int) -> int:
        return self.first_days if last < _FIRST_PERIOD_DAYS else self.later_days


@dataclass(frozen=True)
class RiskAssessment:
    """What follows from an agent's traits.

    Attributes:
        rows: The requirements whose rows apply, in order.
        risk: The greatest risk among them.
        controls: The controls they name.
        extra: What they ask for beyond the six controls.
        cadence: The shortest intervals among them.
    """

    rows: tuple[str, ...]
    risk: Risk
    controls: tuple[Control, ...]
    extra: tuple[ExtraControl, ...]
    cadence: Cadence


def assess(traits: Iterable[Trait]) -> RiskAssessment:
    """Derive risk, controls and cadence.

    Args:
        traits: What the agent is; none at all counts as everything.

    Returns:
        The strictest value of each column over the rows that apply.
    """
    rows = {_ROW_OF[trait] for trait in traits} or set(_ROWS)
    found = [_ROWS[row] for row in sorted(rows)]
    named = {control for row in found for control in row.controls}
    extra = {control for row in found for control in row.extra}
    return RiskAssessment(
        rows=tuple(sorted(rows)),
        risk=max(row.risk for row in found),
        controls=tuple(control for control in Control if control in named),
        extra=tuple(control for control in ExtraControl if control in extra),
        cadence=Cadence(
            first_days=min(row.cadence.first_days for row in found),
            later_days=min(row.cadence.later_days for row in found),
            every_change=any(row.cadence.every_change for row in found),
        ),
    )


def implied_traits(profile: Profile) -> frozenset[Trait]:
    """Say what a profile gives away about its agent, so that traits cannot be understated.

    Args:
        profile: The agent's profile.

    Returns:
        The traits that its effects imply; the caller adds them to those that were registered.
    """
    implied = {_TRAIT_OF[effect] for effect in profile.effects if effect in _TRAIT_OF}
    return frozenset(implied)


@dataclass(frozen=True)
class _Row:
    risk: Risk
    controls: tuple[Control, ...]
    extra: tuple[ExtraControl, ...]
    cadence: Cadence


_FIRST_PERIOD_DAYS = 30
_C1, _C2, _C3, _C4, _C5, _C6 = Control
_ALL = tuple(Control)
_WEEKLY_THEN_MONTHLY = Cadence(first_days=7, later_days=30)

_ROWS = {
    "R-46": _Row(Risk.MEDIUM, (_C1, _C2, _C4, _C6), (), _WEEKLY_THEN_MONTHLY),
    "R-47": _Row(Risk.HIGH, _ALL, (), Cadence(first_days=7, later_days=14)),
    "R-48": _Row(Risk.CRITICAL, _ALL, (ExtraControl.ENCRYPTION_AT_REST,), Cadence(7, 7)),
    "R-49": _Row(Risk.CRITICAL, _ALL, (ExtraControl.CHANGE_APPROVAL,), Cadence(7, 30, every_change=True)),
    "R-50": _Row(Risk.HIGH, (_C1, _C2, _C3, _C5, _C6), (ExtraControl.COMMUNICATION_REVIEW,), Cadence(7, 7)),
}
_ROW_OF = {
    Trait.INTERNAL_TOOL_API: "R-46",
    Trait.INTERNAL_DOCS: "R-46",
    Trait.BEYOND_TEXT: "R-47",
    Trait.EXECUTES_APPROVED_ACTIONS: "R-47",
    Trait.CUSTOMER_DATA: "R-48",
    Trait.CODE_PIPELINE: "R-49",
    Trait.MODIFIES_CODE: "R-49",
    Trait.ESCALATING_CHATBOT: "R-50",
    Trait.EXTERNAL_PARTIES: "R-50",
}
_TRAIT_OF = {
    Effect.UPDATE: Trait.EXECUTES_APPROVED_ACTIONS,
    Effect.SEND: Trait.EXTERNAL_PARTIES,
    Effect.CRITICAL: Trait.EXECUTES_APPROVED_ACTIONS,
}
