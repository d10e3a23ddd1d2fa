"""What is signed is what was shown: digests are computed on this side."""

from console.client import Client
from console.errors import IntegrityError
from console.show.values import Json
from runtime.gate.actions import digest_of


def check_digest(claimed: str, computed: str, what: str) -> None:
    """Refuse to go on where the control plane's digest is not the one of what was shown.

    Raises:
        IntegrityError: they differ.
    """
    if claimed != computed:
        raise IntegrityError(
            f"{what} is not what the control plane says it is",
            got=f"digest {claimed[:16]}",
            expected=computed[:16],
            next_step="sign nothing; run handrail audit verify",
        )


def fetch_item(client: Client, item: str, person: str | None = None) -> Json:
    """Fetch an item as a person sees it, and compute its digest here.

    Raises:
        IntegrityError: the control plane's digest is not the card's, or the card is of another item.
    """
    return checked_item(client.get("suggestions", item, person=person), item)


def checked_item(shown: Json, item: str) -> Json:
    """Return an item whose card is what its digest says; raises as `fetch_item` does."""
    card = shown["card"]
    check_digest(shown["digest"], digest_of(card), "the card")
    check_digest(str(card.get("suggestion", card.get("item"))), item, "the card's item")
    return shown
