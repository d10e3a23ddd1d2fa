"""`handrail init`: the state directory, the keys of the record, and policy v1 signed by its first people."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli import command, single
from console.errors import UsageError
from console.offline import settings_of
from console.session import Session
from console.show.answer import show
from console.show.people import init_page
from console.signing import Signer, private_half, read_public
from profiles.load import LoadedPolicy, load_policy, shipped_policy
from runtime.people.changes import first_version, init_policy
from runtime.people.edit import NewPerson, with_people
from runtime.people.holding import check_groups
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.statement import SignedStatement
from runtime.people.versions import Version
from runtime.record.batch import Tx
from runtime.record.keys import load_keys
from runtime.record.setup import open_ledger, prepare_state
from runtime.settings import Settings

app = single()

_People = Annotated[
    list[str],
    typer.Option("--person", help="NAME=KEYFILE.pub, then groups after commas; all groups if none is given."),
]
_PolicyFile = Annotated[Path | None, typer.Option("--policy", help="Start from this policy file.")]


@command(
    app,
    "init",
    example="handrail init --person alice=~/.ssh/id_ed25519.pub\n"
    "handrail init --person alice=alice.pub,operations,policy --person bob=bob.pub,review,policy",
)
def init(session: Session, person: _People, policy: _PolicyFile = None) -> None:
    """Begin an installation. Every person named signs policy v1 now, each with the key given."""
    settings = settings_of(session)
    base = shipped_policy() if policy is None else load_policy(policy)
    first = [_parse(text, base) for text in person]
    people = [new for new, _ in first]
    check_groups(base.policy, people)
    version = first_version(with_people(base.text, people, version=1))
    anchor = prepare_state(settings)
    _begin(settings, version, first)
    answer = {
        "state_dir": str(settings.state_dir),
        "anchor": str(anchor),
        "anchored": anchor.anchored,
        "policy": {"version": 1, "digest": version.digest},
        "people": [{"name": new.name, "groups": list(new.groups)} for new in people],
        "bootstrap": len(people) == 1,
    }
    show(session, answer, init_page)


def _begin(settings: Settings, version: Version, first: list[tuple[NewPerson, Path]]) -> None:
    installation = load_keys(settings.keys_dir).signer.verifier.name
    signed = [_sign(version, new.name, path, installation) for new, path in first]

    def unit(tx: Tx) -> None:
        # The pin before the commit: a pin without a policy is replaced by the next init, a policy without a
        # pin would be believed by nobody.
        pin = init_policy(tx, version.text, signed, installation=installation)
        write_pin(settings.state_dir / PIN_NAME, pin)

    ledger = open_ledger(settings)
    try:
        ledger.write_sync(unit)
    finally:
        ledger.close()


def _sign(version: Version, name: str, path: Path, installation: str) -> SignedStatement:
    said = Signer(name, installation, private_half(path)).say(version.matter)
    return SignedStatement(said["body"].encode(), said["signature"])


def _parse(text: str, base: LoadedPolicy) -> tuple[NewPerson, Path]:
    name, _, rest = text.partition("=")
    keyfile, *groups = rest.split(",")
    if not name or not keyfile:
        raise UsageError("--person", got=text, expected="NAME=KEYFILE.pub or NAME=KEYFILE.pub,GROUP,...")
    path = Path(keyfile).expanduser()
    chosen = tuple(groups) or _all_groups(base)
    return NewPerson(name, (read_public(path).line,), chosen), path


def _all_groups(base: LoadedPolicy) -> tuple[str, ...]:
    return tuple(sorted({group for holders in base.policy.roles.values() for group in holders.groups}))
