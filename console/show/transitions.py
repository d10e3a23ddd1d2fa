"""Transitions on the terminal: what going back gives, and what outdated rules stop."""

from console.escape import escape
from console.show.text import fields, table
from console.show.values import Json, moment, plain


def return_card(shown: Json, reason: str) -> list[str]:
    """Lay out going back to an earlier deployment, as it is signed."""
    page = fields(
        [
            ("agent", plain(shown["agent"])),
            ("owner", plain(shown["owner"])),
            ("from", plain(shown["before"])),
            ("back to", plain(shown["to"])),
            ("reason", plain(reason)),
        ]
    )
    rows = [
        [plain(row["effect"]), moment(row["valid_until"]), plain(row["restores"])] for row in shown["orders"]
    ]
    given = table(("GIVES BACK", "UNTIL", "AS IN"), rows) if rows else [_bare(shown)]
    return [*page, "", *given]


def returned_page(answer: Json) -> list[str]:
    """Say that an earlier deployment is the present one again."""
    agent, digest = escape(answer["agent"]), answer["deployment"][:12]
    grants = f"{len(answer['grants'])} grants given back" if answer["grants"] else "tier 0, reading only"
    return [f"{agent} is back at deployment {digest}, signed by {escape(answer['person'])}: {grants}"]


def outdated_card(agent: str, deployment: str, reason: str) -> list[str]:
    """Lay out what is signed when the rules of the business have changed."""
    return fields(
        [
            ("agent", plain(agent)),
            ("deployment", plain(deployment)),
            ("reason", plain(reason)),
            ("stops", plain("every write, until another deployment is live; at the day's end tier 0")),
        ]
    )


def outdated_page(answer: Json) -> list[str]:
    """Say that writes are suspended, and what to do next."""
    agent = escape(answer["agent"])
    return [
        f"the writes of {agent} are suspended, said by {escape(answer['person'])}",
        f"next: handrail deploy create {agent} --profile FILE, with the new rules, today",
    ]


def _bare(shown: Json) -> str:
    return escape(f"gives no grants back: {shown['bare'] or 'there are none to restore'}")
