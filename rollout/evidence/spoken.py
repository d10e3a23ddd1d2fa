"""What was said about one item so far, verified; enough to ask the right person the right thing next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from rollout.evidence.verdicts import Standing, Verdict, stand
from rollout.evidence.words import verdict_of
from runtime.gate.states import JUDGES, JudgementVerdict
from runtime.people.roster import Roster, Verified, recheck
from runtime.people.statement import SignedStatement, StatementType
from runtime.tables.people import StatementRow

_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True)
class Spoken:
    """Every word about an item that still is one, oldest first, with the moment it was taken."""

    words: tuple[tuple[Verified, datetime], ...]

    def expectation_of(self, person: str | None) -> str | None:
        """Return what a person said they would do; None if they did not say."""
        for said, _ in self.words:
            text = said.statement.body.get("expectation")
            expects = said.statement.type is StatementType.EXPECTATION
            if expects and said.person == person and isinstance(text, str):
                return text
        return None

    @property
    def verdicts(self) -> Mapping[str, JudgementVerdict]:
        """Return each person's verdict; the first one stands."""
        found: dict[str, JudgementVerdict] = {}
        for said, _ in self.words:
            if (verdict := verdict_of(said)) is not None:
                found.setdefault(said.person, verdict)
        return found

    def standing(self, owner: str, roster: Roster, *, blind: bool, now: datetime) -> Standing:
        """Return what the verdicts come to; those of the agent's owner and of others who may not are none."""
        counted = [one for one in self._verdicts(blind=blind) if one.person != owner]
        counted = [one for one in counted if roster.roles_of(one.person) & JUDGES]
        confirm = timedelta(hours=roster.policy.evidence.confirm_hours)
        return stand(counted, confirm=confirm, now=now)

    def _verdicts(self, *, blind: bool) -> list[Verdict]:
        found: dict[str, Verdict] = {}
        for said, taken in self.words:
            verdict = verdict_of(said)
            if verdict is None:
                continue
            harmful = verdict is JudgementVerdict.HARMFUL
            if harmful or not blind or self.expectation_of(said.person) is not None:
                at = max(taken, said.statement.at)
                found.setdefault(said.person, Verdict(said.person, verdict, at, said.id))
        return list(found.values())


def said_on(conn: Connection, item: str, roster: Roster) -> Spoken:
    """Return what was said about an item by persons who still count."""
    rows = conn.execute(
        select(_SAID.c.body, _SAID.c.signature, _SAID.c.made_at)
        .where(_SAID.c.subject == item)
        .order_by(_SAID.c.made_at, _SAID.c.id)
    )
    read = ((recheck(SignedStatement(row.body, row.signature), roster), row.made_at) for row in rows)
    return Spoken(tuple((said, taken) for said, taken in read if isinstance(said, Verified)))
