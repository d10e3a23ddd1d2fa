"""`handrail policy`: the file that says who may decide what. It is changed by two persons, by signature."""

from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import Client, client_of
from console.consent import Consent
from console.errors import UsageError
from console.session import Session
from console.show.answer import show
from console.show.people import change_card, change_page, policy_page
from console.show.values import Json
from console.shown import check_digest
from console.signing import Signer, signer
from profiles.load import parse_policy
from runtime.people.holding import holdings
from runtime.people.versions import Version, read_policy

app = group("Read the policy; propose and sign a change of it.")

_File = Annotated[Path, typer.Argument(help="The whole next policy; its version is one more than now.")]


@command(app, "show", example="handrail policy show")
def show_policy(session: Session) -> None:
    """Show the policy in force, and the changes that wait for signatures."""
    show(session, client_of(session).get("policy"), policy_page)


@command(app, "propose", signs=True, example="handrail policy propose policy-v2.yaml")
def propose(session: Session, file: _File, *, yes: Yes = False, digest: Digest = None) -> None:
    """Propose a new policy and sign it; it is in force when enough others have signed."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"policy file {file}: {error}") from error
    propose_text(session, client_of(session), text, Consent(yes, digest))


@command(app, "sign", signs=True, example="handrail policy sign 3f1c2ab0d9e4")
def sign(
    session: Session,
    change: Annotated[str, typer.Argument(help="The change's digest, or its first characters.")],
    *,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Sign a change that somebody proposed, after it was shown line by line."""
    client = client_of(session)
    now = client.get("policy")
    found = [one for one in now["pending"] if one["digest"].startswith(change)]
    if len(found) != 1:
        raise UsageError(
            f"change {change}: {len(found)} wait", expected="one", next_step="handrail policy show"
        )
    version = Version(found[0]["version"], found[0]["previous"], found[0]["text"])
    check_digest(found[0]["digest"], version.digest, "the change")
    by = signer(session, client)
    card = {**found[0], **_seen(now["text"], version)}
    Consent(yes, digest).require(session, card, change_card(card), version.digest, _question(version, by))
    said = by.say(version.matter)
    answer = client.post("policy", "changes", version.digest, "signatures", body=said)
    show(session, answer, change_page)


def propose_text(session: Session, client: Client, text: str, consent: Consent) -> None:
    """Propose a policy text and print what became of it."""
    now = client.get("policy")
    version = Version(now["version"] + 1, now["digest"], text)
    client.post("policy", "checks", body={"text": text})
    by = signer(session, client)
    card = {
        "digest": version.digest,
        "version": version.version,
        "proposed_by": by.person,
        "expires_at": None,
        **_seen(now["text"], version),
    }
    consent.require(session, card, change_card(card), version.digest, _question(version, by))
    said = by.say(version.matter)
    answer = client.post("policy", "changes", body={"text": text, "statement": said})
    show(session, answer, change_page)


def _question(version: Version, by: Signer) -> str:
    return f"Sign policy version {version.version} as {by.person}?"


def _seen(before: str, version: Version) -> Json:
    old = parse_policy(before.encode(), source="the policy in force").policy
    held = [asdict(one) for one in holdings(old, read_policy(version))]
    return {"holdings": held, "diff": _diff(before, version.text)}


def _diff(before: str, after: str) -> list[str]:
    """Return every line of the new text, marked where it differs: whoever signs it has seen all of it."""
    old, new = before.splitlines(), after.splitlines()
    return list(unified_diff(old, new, "now", "then", lineterm="", n=len(old) + len(new)))
