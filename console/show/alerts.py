"""Alerts and incidents on the terminal."""

from datetime import datetime
from typing import Final

from console.escape import escape
from console.show.power import time_left
from console.show.text import Cell, Style, fields, paint, table
from console.show.values import Json, digest, moment, plain
from runtime.moments import utc_moment

_SEVERE: Final = {"critical": Style.BAD, "high": Style.BAD, "medium": Style.WARN}


def alert_table(answer: Json) -> list[str]:
    """Lay out the answer of `alerts list`."""
    rows = [_alert_row(one, utc_moment(answer["now"])) for one in answer["alerts"]]
    heads = ("ALERT", "AGENT", "RULE", "SEVERITY", "COUNT", "LEFT", "TOOL")
    return table(heads, rows) if rows else ["no alerts"]


def alert_page(answer: Json) -> list[str]:
    """Lay out one alert: all that a closing signs, and when it happened."""
    card = answer["card"]
    return [
        *fields(
            [
                ("alert", plain(card["alert"])),
                ("agent", plain(card["agent"])),
                ("deployment", digest(card["deployment"])),
                ("rule", plain(card["rule"])),
                ("severity", _severity(card["severity"])),
                ("tool", plain(card["tool"])),
                ("resource", plain(card["resource"])),
                ("count", plain(card["count"])),
                ("first", moment(card["first_at"])),
                ("last", moment(card["last_at"])),
                ("due", moment(card["due_at"])),
                ("left", _clock(answer, utc_moment(answer["now"]))),
                ("pattern", _pattern(answer["pattern"])),
                *([("detail", plain(answer["detail"]))] if answer["detail"] else []),
                *([("problem", plain(answer["problem"]))] if answer["problem"] else []),
                ("digest", plain(answer["digest"])),
            ]
        ),
        *_happened(answer["happened"]),
        *_closing(answer["closed"]),
    ]


def closed_page(answer: Json) -> list[str]:
    """Say that an alert is closed, and what it became."""
    done = answer["closed"]
    alert, person = escape(done["alert"]), escape(done["person"])
    said = f"alert {alert} is closed as {escape(done['disposition'])} by {person}"
    if done["incident"] is None:
        return [said]
    waits = f"incident {escape(done['incident'])} waits for leadership; writes are suspended until then"
    return [said, paint(Cell(waits, Style.WARN))]


def escalated_page(answer: Json) -> list[str]:
    """Say that an incident waits for a leader."""
    done = answer["escalated"]
    return [
        f"incident {escape(done['incident'])} of alert {escape(done['alert'])} waits for leadership",
        f"a leader acknowledges it with: handrail incidents ack {escape(done['incident'])} --reason TEXT",
    ]


def incident_table(answer: Json) -> list[str]:
    """Lay out the answer of `incidents list`."""
    rows = [
        [
            plain(one["card"]["incident"]),
            plain(one["card"]["agent"]),
            plain(one["card"]["cause"]),
            moment(one["card"]["opened_at"]),
            plain(one["card"]["alert"]),
            _known(one),
        ]
        for one in answer["incidents"]
    ]
    heads = ("INCIDENT", "AGENT", "CAUSE", "OPENED", "ALERT", "LEADERSHIP")
    return table(heads, rows) if rows else ["no incidents"]


def incident_page(answer: Json) -> list[str]:
    """Lay out one incident: all that an acknowledgement signs."""
    card = answer["card"]
    return fields(
        [
            ("incident", plain(card["incident"])),
            ("agent", plain(card["agent"])),
            ("deployment", digest(card["deployment"])),
            ("cause", plain(card["cause"])),
            ("alert", plain(card["alert"])),
            ("opened", moment(card["opened_at"])),
            ("leadership", _known(answer)),
            *([("words", plain(answer["reason"]))] if answer["reason"] else []),
            *([("problem", plain(answer["problem"]))] if answer["problem"] else []),
            ("digest", plain(answer["digest"])),
        ]
    )


def acknowledged_page(answer: Json) -> list[str]:
    """Say that a leader knows of an incident."""
    done = answer["acknowledged"]
    return [f"incident {escape(done['incident'])} is acknowledged by {escape(done['person'])}"]


def _alert_row(one: Json, now: datetime) -> list[Cell]:
    card = one["card"]
    return [
        plain(card["alert"]),
        plain(card["agent"]),
        plain(card["rule"]),
        _severity(card["severity"]),
        plain(card["count"]),
        _clock(one, now),
        plain(card["tool"]),
    ]


def _clock(one: Json, now: datetime) -> Cell:
    """Return how long people have left to look at an alert."""
    if one["closed"] is not None:
        return Cell(escape(one["closed"]["disposition"]), Style.DIM)
    left = (utc_moment(one["card"]["due_at"]) - now).total_seconds()
    if left <= 0:
        return Cell("OVERDUE", Style.BAD)
    return Cell(time_left(int(left)).text, Style.WARN)


def _pattern(pattern: Json) -> Cell:
    text = f"{pattern['count']}x in {pattern['days']} days; {pattern['incident_at']} are an incident"
    return Cell(text, Style.WARN if pattern["count"] >= pattern["incident_at"] else Style.PLAIN)


def _happened(happened: list[Json]) -> list[str]:
    rows = [
        [moment(one["at"]), plain(one["run"]), plain(one["action"]), digest(one["deployment"])]
        for one in happened
    ]
    return ["", *table(("HAPPENED", "RUN", "ACTION", "DEPLOYMENT"), rows)] if rows else []


def _closing(closed: Json | None) -> list[str]:
    if closed is None:
        return []
    said = [("closed by", plain(closed["person"])), ("as", plain(closed["disposition"]))]
    return ["", *fields([*said, ("at", moment(closed["at"])), ("because", plain(closed["reason"]))])]


def _known(one: Json) -> Cell:
    return plain(one["acknowledged"]) if one["acknowledged"] else Cell("WAITS", Style.BAD)


def _severity(name: str) -> Cell:
    return Cell(escape(name), _SEVERE.get(name, Style.PLAIN))
