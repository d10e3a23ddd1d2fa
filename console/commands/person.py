"""`handrail person`: people are public keys with groups; the groups give roles by the policy."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.commands.policy import propose_text
from console.consent import Consent
from console.session import Session
from console.show.answer import show
from console.show.people import person_table, revocation_card, revoked_page
from console.signing import read_public, signer
from profiles.load import parse_policy
from profiles.policy import Role
from runtime.gate.actions import digest_of
from runtime.people.edit import NewPerson, with_people
from runtime.people.holding import check_groups
from runtime.people.rules import revocation_matter
from runtime.people.versions import Link

app = group("List, enrol and revoke people.")

_Name = Annotated[str, typer.Argument(help="The person's name in the policy.")]
_KeyFile = Annotated[Path, typer.Option("--key-file", help="Their public key, a .pub file.")]
_Groups = Annotated[list[str] | None, typer.Option("--group", help="A group they belong to; repeatable.")]
_Roles = Annotated[
    list[Role] | None, typer.Option("--role", metavar="ROLE", help="A role by name; repeatable.")
]
_Accounts = Annotated[
    list[str] | None, typer.Option("--identity", help="Another account, such as unix:bob; repeatable.")
]


@command(app, "list", example="handrail person list")
def list_people(session: Session) -> None:
    """List everybody who was ever enrolled, with the roles that they hold now."""
    show(session, client_of(session).get("people"), person_table)


@command(app, "add", signs=True, example="handrail person add bob --key-file bob.pub --group review")
def add(
    session: Session,
    name: _Name,
    key_file: _KeyFile,
    *,
    group: _Groups = None,
    role: _Roles = None,
    identity: _Accounts = None,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Propose a policy with one person more, and sign it; a second person signs it after that."""
    client = client_of(session)
    now = client.get("policy")
    parts = [tuple(given or ()) for given in (group, identity)]
    new = NewPerson(name, (read_public(key_file).line,), parts[0], tuple(role or ()), parts[1])
    check_groups(parse_policy(now["text"].encode(), source="the policy in force").policy, [new])
    text = with_people(now["text"], [new], version=now["version"] + 1)
    propose_text(session, client, text, Consent(yes, digest))


@command(app, "revoke", signs=True, example='handrail person revoke bob --reason "laptop stolen"')
def revoke(
    session: Session,
    name: _Name,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    *,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Declare all keys of a person dead, at once and for ever: one's own, or with the policy role."""
    client = client_of(session)
    now, people = client.get("policy"), client.get("people")["people"]
    keys = tuple(key for person in people if person["name"] == name for key in person["keys"])
    policy = parse_policy(now["text"].encode(), source="the policy in force").policy
    matter = revocation_matter(name, keys, Link(now["version"], now["digest"], now["text"], policy), reason)
    by = signer(session, client)
    shown = digest_of({"person": name, "keys": keys, "reason": reason})
    quorum = policy.policy_change
    left = [one for one in people if one["name"] != name and {*one["roles"]} & {*quorum.roles}]
    signers = {"left": len(left), "needed": quorum.count}
    card = {"name": name, "keys": keys, "reason": reason, "digest": shown, **signers}
    question = f"Declare these keys dead for ever, as {by.person}?"
    Consent(yes, digest).require(session, card, revocation_card(card), shown, question)
    show(session, client.post("people", "revocations", body=by.say(matter)), revoked_page)
