"""The sample: what reviewers made of the drawn items of one class (G2, G3, G4). Clusters count, not items."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from profiles.effects import Effect
from rollout.evidence.items import Item, ItemKind
from rollout.evidence.model import Sample
from rollout.evidence.piles import population
from rollout.evidence.verdicts import Standing, Verdict, stand
from rollout.evidence.words import Words, words_of
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.gate.states import JudgementVerdict
from runtime.people.roster import Roster
from runtime.tables.actions import SuggestionRow

_SUGGESTION = SuggestionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_WORST_LAST = (
    Standing.AGREE,
    Standing.UNCLEAR,
    Standing.DISAGREE,
    Standing.WAITS,
    Standing.HARMFUL,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """One item with its verdicts, and what they come to."""

    item: Item
    verdicts: tuple[Verdict, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Window:
    """From a moment on, and before another; None: without an end."""

    since: datetime
    through: datetime | None

    def has(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.since <= moment and (self.through is None or moment < self.through)


def collect_sample(
    conn: Connection,
    deployment: str,
    effect: Effect,
    *,
    since: datetime,
    roster: Roster,
    now: datetime,
    through: datetime | None = None,
    before: int | None = None,
) -> Sample:
    """Count the verdicts on a deployment's suggestions of one class; every word is verified.

    Args:
        conn: a view of the database.
        deployment: the deployment's digest.
        effect: the class.
        since: when the window began; what happened before counts nothing.
        roster: who counts now; a verdict of anyone else is as if it had not been given (F6, F17).
        now: the present moment.
        through: only what happened before this moment; None: all.
        before: only what the record held before it had this entry, to compute a frozen sample again: words
            that were said since add to it and edit nothing. None: all.

    Raises:
        rollout.evidence.items.EvidenceError: the database does not hold what the record says was drawn or
            signed.
    """
    window, confirm = Window(since, through), timedelta(hours=roster.policy.evidence.confirm_hours)
    words = words_of(conn, deployment, effect, since=since, roster=roster, before=before)
    counted = [one for one in count(words, confirm=confirm, now=now) if window.has(one.item.happened_at)]
    others = [
        id_
        for id_ in _called_harmful(conn, words, deployment, effect, window)
        if stand(words.verdicts[id_], confirm=confirm, now=now).is_harmful
    ]
    made = population(conn, deployment, effect, since=since, through=through)
    return _sample(counted, others, words, made)


def count(words: Words, *, confirm: timedelta, now: datetime) -> list[Counted]:
    """Return every drawn item with what its verdicts come to."""
    paired = ((item, words.verdicts.get(item.id, ())) for item in words.items)
    return [Counted(item, said, stand(said, confirm=confirm, now=now)) for item, said in paired]


def _sample(counted: Sequence[Counted], others: Sequence[str], words: Words, made: int) -> Sample:
    drawn = [one for one in counted if one.item.kind is ItemKind.SUGGESTION]
    judged = [one for one in drawn if one.standing is not Standing.OPEN]
    clusters = _worst(judged).values()
    executed = [one for one in counted if one.item.kind is ItemKind.EXECUTED and one.standing.is_harmful]
    misses = [worst for worst in clusters if worst is not Standing.AGREE]
    return Sample(
        population=made,
        drawn=len(drawn),
        unjudged=sum(not one.standing.settled for one in drawn),
        agree=len(clusters) - len(misses),
        miss=len(misses),
        harmful=sum(worst.is_harmful for worst in misses) + len(executed) + len(others),
        unclear=misses.count(Standing.UNCLEAR),
        days=len({one.item.happened_at.date() for one in judged}),
        reviewers=tuple(sorted({said.person for one in judged for said in one.verdicts})),
        digest=_digest([*judged, *executed], {id_: words.verdicts[id_] for id_ in others}),
    )


def _worst(judged: Iterable[Counted]) -> dict[str, Standing]:
    """Return what each cluster counts as: the worst of its items."""
    found: dict[str, list[Standing]] = defaultdict(list)
    for one in judged:
        found[one.item.cluster].append(one.standing)
    return {cluster: max(each, key=_WORST_LAST.index) for cluster, each in found.items()}


def _digest(counted: Iterable[Counted], others: Mapping[str, Sequence[Verdict]]) -> str:
    drawn: dict[str, JsonValue] = {
        one.item.id: [one.item.cluster, one.item.blind, _named(one.verdicts)] for one in counted
    }
    return digest_of({"drawn": drawn, "others": {id_: _named(said) for id_, said in others.items()}})


def _named(verdicts: Sequence[Verdict]) -> JsonValue:
    return sorted([said.statement, said.verdict.value] for said in verdicts)


def _called_harmful(
    conn: Connection, words: Words, deployment: str, effect: Effect, window: Window
) -> list[str]:
    """Return the suggestions of the class that somebody called harmful, though no draw took them."""
    drawn = {item.id for item in words.items}
    called = sorted(id_ for id_, said in words.verdicts.items() if id_ not in drawn and _calls(said))
    if not called:
        return []
    s = _SUGGESTION.c
    query = select(s.id, s.created_at).where(
        s.id.in_(called), s.deployment == deployment, s.effect == effect.value
    )
    return sorted(row.id for row in conn.execute(query) if window.has(row.created_at))


def _calls(said: Sequence[Verdict]) -> bool:
    return any(one.verdict is JudgementVerdict.HARMFUL for one in said)
