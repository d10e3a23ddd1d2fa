"""An agent with a memory in a town: runs without boxes, everything else about its memory is real."""

from dataclasses import replace
from datetime import timedelta

from profiles.effects import Effect
from profiles.load import LoadedProfile, parse_profile
from profiles.memory_consistency import memory_of
from profiles.schema import MemoryUpstream
from profiles.setting import Setting
from runtime import agents, deployments
from runtime.clock import new_id
from runtime.context.note import Taint
from runtime.deployments import NO_MEMORY, Parts
from runtime.drafting import Draft, deploy
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.memory.book import MemoryBook
from runtime.memory.files import MemoryFiles
from runtime.memory.line import Line, read_line, read_version
from runtime.memory.loading import loaded, pinned
from runtime.memory.model import Version
from runtime.memory.people import Quarantined, Settled, quarantine, settle, to_accept
from runtime.memory.words import NO_VERSION, Do, MemoryOrder, empty_digest
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement, StatementType
from runtime.record.events import Event, EventKind
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from sandboxes.outcome import Ending, Outcome
from tests.standins.persons import Person, Town
from tests.standins.towns import DORA, OLGA

AGENT, OWNER = "clerk", "olga"
PROFILE = """\
profile: clerk
version: 1
purpose: Sort the mail of one small office.
image: handrail/agent:1
command: [clerk]
upstreams:
  mailbox: {kind: stdio, image: "handrail/mail:1", command: [mail]}
  calendar: {kind: stdio, image: "handrail/calendar:1", command: [calendar]}
  notes: {kind: memory, entries: 4, entry_kib: 1, size_kib: 2}
tools:
  read_mail: {upstream: mailbox, effect: read, args: {id: id}}
  read_day: {upstream: calendar, effect: read, args: {day: id}}
  memory_list: {upstream: notes, effect: read}
  memory_read: {upstream: notes, effect: read, args: {name: id}}
  memory_write: {upstream: notes, effect: draft, args: {name: id, text: body}}
  memory_delete: {upstream: notes, effect: draft, args: {name: id}}
sources: {trusted: [calendar]}
never:
  - {id: never-pay, text: Never start a payment., tools: [start_payment]}
"""


class Remembering:
    """An agent `clerk` of olga's whose profile has a memory."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.files = MemoryFiles(town.settings.memory_dir)
        self.book = MemoryBook(town.ledger, town.book, self.files, lambda: town.now, new_id)
        self.profile: LoadedProfile = parse_profile(PROFILE.encode(), source="test")
        town.write(lambda tx: agents.register(tx, AGENT, ["internal-docs"], owner=OWNER, now=town.now))

    @property
    def limits(self) -> MemoryUpstream:
        found = memory_of(self.profile.profile)
        assert found is not None
        return found

    def deploy(self, memory: str | None = None, *, image: str = "sha256:aa") -> str:
        """Create a deployment that pins the present memory, or the digest that is given."""
        town, roster = self.town, self.town.state.roster
        pin = memory or town.read(lambda c: pinned(c, AGENT, self.profile.profile, roster=roster))
        parts = Parts(
            agent=AGENT,
            profile=self.profile.digest,
            image=image,
            upstream_images={},
            manifest={},
            memory=pin,
        )
        ends = town.now + timedelta(days=30)
        order = Order(new_id("grant"), parts.digest, Effect.READ, town.now, ends, "unix:root", OWNER)
        signed = town.signed(OLGA, order.matter(StatementType.DEPLOY))
        drafted = Draft(parts=parts, profile=self.profile, offers={})
        issued = town.write(lambda tx: deploy(tx, drafted, order, signed, roster=roster, now=town.now))
        assert isinstance(issued, Issued), issued
        return parts.digest

    def begin(self, deployment: str, setting: Setting = Setting.PRODUCTION) -> str:
        """Launch a run as far as the record knows; return its id."""
        town, run = self.town, new_id("run")
        found = town.read(lambda c: deployments.find(c, deployment))
        version = town.read(lambda c: loaded(c, found, setting, roster=town.state.roster))
        digest = NO_MEMORY if version is None else str(version.digest)
        request = LaunchRequest(deployment=deployment, operator="olga", setting=setting)
        ends = town.now + timedelta(hours=1)
        town.write(
            lambda tx: store.requested(
                tx, run, request, agent=AGENT, node="n", expires_at=ends, now=town.now, memory=digest
            )
        )
        view = town.read(lambda c: store.find(c, run))
        town.write(lambda tx: store.released(tx, view, (), now=town.now))
        return run

    def reads(self, run: str, tool: str) -> None:
        """Record that a call of a tool was let through."""
        data = {"action": "tool", "name": tool}
        event = Event(kind=EventKind.ACTION_INTENT, at=self.town.now, run=run, agent=AGENT, data=data)
        self.town.write(lambda tx: tx.append(event))

    def hears(self, run: str, source: str, taint: Taint) -> None:
        """Record that something was shown beside the answers of actions."""
        data = {"source": source, "sha256": "0" * 64, "taint": taint.value}
        event = Event(kind=EventKind.CONTEXT_SHOWN, at=self.town.now, run=run, agent=AGENT, data=data)
        self.town.write(lambda tx: tx.append(event))

    def writes(self, run: str, name: str, words: str) -> None:
        """Write an entry as the peer does."""
        self.book.of(run).write(name, words, action=new_id("act"), limits=self.limits)

    def ends(self, run: str) -> Version | None:
        """End a run; return the version that it left for review."""
        town = self.town
        view = town.read(lambda c: store.find(c, run))
        over = Outcome(Ending.EXITED, "it ended", 0)
        assert town.write(lambda tx: store.ended(tx, view, over, "", now=town.now))
        left = [one for one in self.line(view.setting).closed if one.run == run]
        return self.version(left[-1].id, view.setting) if left else None

    def leaves(self, words: str, *, name: str = "habits", after: str | None = None) -> Version:
        """Let one run write one entry, and return what it left for review."""
        run = self.begin(after or self.deploy())
        self.writes(run, name, words)
        left = self.ends(run)
        assert left is not None
        return left

    def line(self, setting: Setting = Setting.PRODUCTION) -> Line:
        return self.town.read(lambda c: read_line(c, AGENT, setting, roster=self.town.state.roster))

    def version(self, version: str, setting: Setting = Setting.PRODUCTION) -> Version:
        line = self.line(setting)
        return self.town.read(lambda c: read_version(c, line, version))

    def order(self, do: Do, version: Version | None, **changes: object) -> MemoryOrder:
        """What a person would say of a version, or of the empty memory."""
        setting = Setting.PRODUCTION if version is None else version.setting
        named = (
            (NO_VERSION, empty_digest(AGENT, setting))
            if version is None
            else (version.id, str(version.digest))
        )
        order = MemoryOrder(
            do=do, agent=AGENT, setting=setting, version=named[0], digest=named[1], reason="as it should be"
        )
        return replace(order, **changes)  # type: ignore[arg-type]  # the fields of an order

    def adopt(self, version: Version, by: Person = DORA, *, knowingly: bool = True) -> Settled | Refused:
        line = self.line(version.setting)
        accept = self.town.read(lambda c: to_accept(c, line, version)) if knowingly else ()
        return self.say(self.order(Do.ADOPT, version, accept=accept), by)

    def roll_back(self, version: Version | None, by: Person = DORA) -> Settled | Refused:
        return self.say(self.order(Do.ROLLBACK, version), by)

    def say(self, order: MemoryOrder, by: Person) -> Settled | Refused:
        """Hand in a person's word for an order."""
        return self.hand_in(order, self.town.signed(by, order.matter))

    def hand_in(self, order: MemoryOrder, signed: SignedStatement) -> Settled | Refused:
        return self.town.write(
            lambda tx: settle(tx, order, signed, roster=self.town.book.current(tx.conn).roster)
        )

    def quarantine(
        self, version: Version, by: Person = DORA, *, entry: str | None = None
    ) -> Quarantined | Refused:
        order = self.order(Do.QUARANTINE, version, entry=entry)
        signed = self.town.signed(by, order.matter)
        return self.town.write(
            lambda tx: quarantine(tx, order, signed, roster=self.town.book.current(tx.conn).roster)
        )
