"""Signing words on an agent's memory: the half of `memory adopt|rollback|quarantine` that knows keys.

What is signed is what was shown: the digest of a version is computed here, over the entries and texts that
were shown here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.client import Client
from console.consent import Consent
from console.errors import BlockedError, UsageError
from console.session import Session
from console.show.memory import Version, diff_lines, word_card
from console.shown import check_digest
from console.signing import Json, Signer, signer
from profiles.setting import Setting
from runtime.context.note import Taint
from runtime.memory.model import Entry, Standing, text_digest, version_digest
from runtime.memory.words import NO_VERSION, Do, MemoryOrder, empty_digest
from runtime.moments import utc_moment

_SHORTEST = 8


@dataclass(frozen=True)
class Shown:
    """One version as it was shown, checked against its own digest."""

    about: Json
    entries: dict[str, Entry]
    texts: Json

    @property
    def version(self) -> Version:
        """The version as pages take it."""
        return self.entries, self.texts


def fetch(client: Client, agent: str, setting: Setting, version: str) -> Shown:
    """Fetch a version, or the empty memory, and compute every digest here.

    Raises:
        IntegrityError: it is not what its digest says.
    """
    if version == NO_VERSION:
        digest = empty_digest(agent, setting)
        about = {"id": NO_VERSION, "agent": agent, "setting": setting.value, "digest": digest}
        return Shown(about, {}, {})
    shown = client.get("agents", agent, "memory", version, setting=setting.value)
    about, texts = shown["version"], shown["texts"]
    entries = {row["name"]: _entry(row) for row in about["entries"]}
    check_digest(about["digest"], version_digest(agent, setting, entries.values()), "the version")
    for name, entry in entries.items():
        check_digest(entry.sha256, text_digest(texts[name]), "a text of the version")
    if not str(about["id"]).startswith(version):
        raise BlockedError("another version than what was asked for", got=about["id"], expected=version)
    return Shown(about, entries, texts)


def compare(client: Client, agent: str, setting: Setting, before: str | None, after: str | None) -> Json:
    """Return what one version has that another has not; by default the newest against the present one."""
    log = _log(client, agent, setting)
    given = (
        (before, after) if before is not None and after is not None else (_sound(log), before or _newest(log))
    )
    old, new = (fetch(client, agent, setting, one) for one in given)
    changed = sorted(n for n in old.entries.keys() | new.entries if old.entries.get(n) != new.entries.get(n))
    lines = diff_lines(old.version, new.version)
    return {"from": old.about["id"], "to": new.about["id"], "changed": changed, "lines": lines}


def settle(
    session: Session,
    client: Client,
    shown: Shown,
    do: Do,
    *,
    reason: str,
    accept: Sequence[str],
    consent: Consent,
) -> Json:
    """Show what a version changes, and sign that it is the present one from now on.

    Raises:
        BlockedError: an untrusted entry is not accepted by name, or it was not agreed to.
    """
    agent, setting = str(shown.about["agent"]), Setting(shown.about["setting"])
    present = fetch(client, agent, setting, _sound(_log(client, agent, setting)))
    named = _accepted(shown, present, accept) if do is Do.ADOPT else {}
    by = signer(session, client)
    lines = diff_lines(present.version, shown.version)
    question = f"Make this the memory of {agent} from the next deployment on, as {by.person}?"
    card = {"version": shown.about, "reason": reason, "accepted": sorted(named), "lines": lines}
    page = word_card(shown.about, reason, sorted(named), lines)
    consent.require(session, card, page, shown.about["digest"], question)
    order = MemoryOrder(
        do=do,
        agent=agent,
        setting=setting,
        version=str(shown.about["id"]),
        digest=str(shown.about["digest"]),
        reason=reason,
        accept=tuple(sorted(entry.digest for entry in named.values())),
    )
    return _hand_in(client, by, order)


def condemn(
    session: Session,
    client: Client,
    agent: str,
    setting: Setting,
    version: str,
    *,
    reason: str,
    entry: str | None,
) -> Json:
    """Sign that no run reads a version again; nothing is asked, since stopping must be quick.

    Raises:
        UsageError: there is no such version or entry. A version that was altered by hand needs no texts here.
    """
    row = _row(_log(client, agent, setting), version)
    held = {} if entry is None else fetch(client, agent, setting, row["id"]).entries
    order = MemoryOrder(
        do=Do.QUARANTINE,
        agent=agent,
        setting=setting,
        version=row["id"],
        digest=row["digest"],
        reason=reason,
        entry=None if entry is None else _named(held, entry).digest,
    )
    return _hand_in(client, signer(session, client), order)


def _log(client: Client, agent: str, setting: Setting) -> Json:
    return client.get("agents", agent, "memory", setting=setting.value)


def _row(log: Json, version: str) -> Json:
    found: list[Json] = [one for one in log["versions"] if str(one["id"]).startswith(version)]
    if len(found) != 1 or len(version) < _SHORTEST:
        raise UsageError(
            f"memory version {version}",
            got=f"{len(found)} versions",
            expected=f"at least {_SHORTEST} characters that one version has",
            next_step=f"handrail memory log {log['agent']} --setting {log['setting']}",
        )
    return found[0]


def _sound(log: Json) -> str:
    """Return the present version if runs may read it; else a change is shown against the empty memory."""
    rows = {one["id"]: one for one in log["versions"]}
    known = rows.get(log["present"])
    good = known is not None and known["standing"] == Standing.PRESENT.value and log["fault"] is None
    return str(log["present"]) if good else NO_VERSION


def _hand_in(client: Client, by: Signer, order: MemoryOrder) -> Json:
    body = {
        "do": order.do.value,
        "setting": order.setting.value,
        "version": order.version,
        "digest": order.digest,
        "reason": order.reason,
        "accept": list(order.accept),
        "entry": order.entry,
        "statement": by.say(order.matter),
    }
    return client.post("agents", order.agent, "memory", "words", body=body)


def _accepted(shown: Shown, present: Shown, accept: Sequence[str]) -> dict[str, Entry]:
    """Return the untrusted entries that are new, once each of them was named."""
    known = {entry.digest for entry in present.entries.values()}
    new = {n: e for n, e in shown.entries.items() if e.is_untrusted and e.digest not in known}
    named = {_named(shown.entries, one).name for one in accept}
    if missing := sorted(new.keys() - named):
        raise BlockedError(
            "entries that were made from untrusted words must be accepted by name",
            got=", ".join(sorted(named)) or "none",
            expected=", ".join(missing),
            next_step="read them with handrail memory diff, then --accept-untrusted NAME for each",
        )
    return new


def _named(entries: dict[str, Entry], given: str) -> Entry:
    found = [
        entry
        for name, entry in entries.items()
        if name == given or (len(given) >= _SHORTEST and entry.digest.startswith(given))
    ]
    if len(found) != 1:
        raise UsageError(
            f"entry {given!r}", got=f"{len(found)} entries", expected="the name or digest of one entry"
        )
    return found[0]


def _newest(log: Json) -> str:
    return str(log["versions"][0]["id"]) if log["versions"] else NO_VERSION


def _entry(row: Json) -> Entry:
    return Entry(
        name=row["name"],
        sha256=row["sha256"],
        size=row["size"],
        action=row["action"],
        run=row["run"],
        taint=Taint(row["taint"]),
        written_at=utc_moment(row["written_at"]),
    )
