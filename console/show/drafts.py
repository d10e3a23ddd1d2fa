"""A drafted deployment on the terminal, as it is signed."""

from typing import Any

from console.escape import escape
from console.show.agents import part_table
from console.show.linting import told_lines
from console.show.text import fields, table
from console.show.values import Json, digest, listed, moment, plain
from profiles.schema import Profile


def created_page(answer: Json, profile: Profile) -> list[str]:
    """Say that a deployment exists, and what to do with it."""
    made = answer["deployment"]
    agent, signers = escape(made["agent"]), listed(answer["signers"]).text
    created = (
        f"deployment {made['digest'][:12]} of {agent} is created, signed by {signers}: tier 0, reading only"
    )
    command = "" if profile.command else " -- PROGRAM ARGUMENTS"
    return [created, f"next: handrail launch {agent}{command}"]


def draft_card(drafted: Json, profile: Profile) -> list[str]:
    """Lay out what would be deployed: the pins, and each tool as the profile rates it."""
    draft, order = drafted["draft"], drafted["order"]
    page = fields(
        [
            ("agent", plain(draft["parts"]["agent"])),
            ("owner", plain(order["owner"])),
            ("purpose", plain(profile.purpose)),
            ("digest", plain(draft["digest"])),
            ("image", digest(draft["parts"]["image"])),
            ("memory", digest(draft["parts"]["memory"])),
            ("never", listed([rule.id for rule in profile.never])),
            ("grant", plain(f"{order['effect']}, until {moment(order['valid_until']).text}")),
        ]
    )
    return [
        *page,
        "",
        *_tools(draft["offers"], profile),
        *told_lines(draft["told"]),
        *_against_newest(drafted["differences"]),
    ]


def _tools(offers: list[Json], profile: Profile) -> list[str]:
    """List the tools; what one says of itself and was cut stands below in full, for it is what is signed."""
    said = {(offer["upstream"], offer["tool"]): offer["description"] for offer in offers}
    words = {
        name: plain(said.get((spec.upstream, spec.tool or name))) for name, spec in profile.tools.items()
    }
    rows = [
        [plain(name), listed(sorted(spec.effects)), plain(spec.upstream), words[name]]
        for name, spec in profile.tools.items()
    ]
    if not rows:
        return ["no tools"]
    heads, *lines = table(("TOOL", "EFFECT", "UPSTREAM", "SAYS OF ITSELF"), rows)
    cut = [
        (name, words[name]) for name, line in zip(words, lines, strict=True) if words[name].text not in line
    ]
    return [heads, *lines, *(["", "in full:", *fields(cut)] if cut else [])]


def _against_newest(differences: list[dict[str, Any]]) -> list[str]:
    return ["", "against the newest deployment:", *part_table(differences)] if differences else []
