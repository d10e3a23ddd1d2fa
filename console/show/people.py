"""People, policies and their changes on the terminal."""

from console.escape import escape
from console.show.text import Cell, Style, fields, paint, table
from console.show.values import Json, digest, listed, moment, plain, word


def init_page(answer: Json) -> list[str]:
    """Lay out the answer of `init`."""
    people = [(f"person {escape(p['name'])}", listed(p["groups"])) for p in answer["people"]]
    page = fields(
        [
            ("state", plain(answer["state_dir"])),
            ("record", anchor_cell(answer)),
            ("policy", plain(f"version 1, {answer['policy']['digest'][:12]}")),
            *people,
        ]
    )
    if answer["bootstrap"]:
        page += [
            paint(Cell("One person alone: the policy is frozen until a second one is enrolled.", Style.WARN)),
            "next: handrail serve, then handrail person add NAME --key-file THEIR.pub --group policy",
        ]
    else:
        page.append("next: handrail doctor, then handrail serve")
    return page


def anchor_cell(answer: Json) -> Cell:
    """Say whether a tampered record would be noticed."""
    return Cell(escape(answer["anchor"]), Style.PLAIN if answer["anchored"] else Style.BAD)


def person_table(answer: Json) -> list[str]:
    """Lay out the answer of `person list`."""
    rows = [
        [
            plain(p["name"]),
            word("revoked") if p["revoked"] else Cell("enrolled"),
            plain(len(p["keys"])),
            listed(p["groups"]),
            listed(p["roles"]),
        ]
        for p in answer["people"]
    ]
    return table(("PERSON", "STATE", "KEYS", "GROUPS", "ROLES"), rows)


def policy_page(answer: Json) -> list[str]:
    """Lay out the answer of `policy show`: the text in force, then what waits for signatures."""
    head = fields([("version", plain(answer["version"])), ("digest", plain(answer["digest"]))])
    text = [escape(line) for line in answer["text"].splitlines()]
    return [*head, "", *text, *_pending(answer)]


def change_page(answer: Json) -> list[str]:
    """Lay out what became of a change: in force, or waiting, and for whom."""
    change = answer["change"]
    if change["state"] == "applied":
        return [f"policy version {change['version']} is in force, signed by {listed(change['signers']).text}"]
    missing = listed(change["missing"]).text
    step = f"next: handrail policy sign {change['digest'][:12]}"
    return [
        f"change {change['digest'][:12]} waits: {missing}; until {moment(change['expires_at']).text}",
        step,
    ]


def change_card(change: Json) -> list[str]:
    """Lay out a proposed change as it is signed: what it changes, line by line."""
    page = fields(
        [
            ("change", plain(change["digest"])),
            ("version", plain(change["version"])),
            ("proposed by", plain(change["proposed_by"])),
            ("expires", moment(change["expires_at"])),
            *((f"person {escape(one['person'])}", _holding(one)) for one in change["holdings"]),
        ]
    )
    return [*page, "", *(_diff_line(line) for line in change["diff"])]


def _holding(one: Json) -> Cell:
    """Say which roles a person has by a change, which before, and which groups are worth nothing."""
    told = listed(one["roles"]).text if one["roles"] else "no role"
    if one["before"] is not None and one["before"] != one["roles"]:
        told += f"; until now {listed(one['before']).text if one['before'] else 'no role'}"
    if one["idle"]:
        told += f"; none by the group {listed(one['idle']).text}"
    return Cell(told, Style.WARN if one["idle"] or not one["roles"] else Style.PLAIN)


def revocation_card(card: Json) -> list[str]:
    """Lay out what a revocation does before it is signed."""
    pairs = [("person", plain(card["name"])), ("reason", plain(card["reason"]))]
    page = fields([*pairs, *(("key", plain(key)) for key in card["keys"]), ("digest", plain(card["digest"]))])
    page.append("These keys never count again; a new key takes a policy change by two persons.")
    if card["left"] < card["needed"]:
        said = f"{card['left']} left who may sign a change of the policy, of {card['needed']} that it takes"
        page.append(paint(Cell(f"{said}: it could never change again.", Style.BAD)))
    return page


def revoked_page(answer: Json) -> list[str]:
    """Say which keys are dead."""
    change = answer["change"]
    return [f"{escape(change['person'])}: {len(change['keys'])} keys count no more"]


def _pending(answer: Json) -> list[str]:
    rows = [
        [digest(c["digest"]), plain(c["version"]), plain(c["proposed_by"]), moment(c["expires_at"])]
        for c in answer["pending"]
    ]
    return ["", *table(("CHANGE", "VERSION", "PROPOSED BY", "EXPIRES"), rows)] if rows else []


def _diff_line(line: str) -> str:
    style = {"+": Style.GOOD, "-": Style.BAD}.get(line[:1], Style.PLAIN)
    return paint(Cell(escape(line), style))
