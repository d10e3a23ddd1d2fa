"""Alerts and incidents at the command line: listed with their clock, closed and acknowledged by signature."""

import pytest

from tests.standins.counter import Counter
from tests.standins.persons import Person
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN


def _alert(counter: Counter) -> tuple[str, str]:
    """Let the agent reach for a tool that nobody gave it; return the alert's id and digest."""
    counter.act("rm_\x1b[2J", path="/")
    (row,) = counter.ask("alerts", "list")["alerts"]
    return row["card"]["alert"], row["digest"]


def _close(alert: str, as_: str, digest: str) -> tuple[str, ...]:
    words = ("alerts", "close", alert, "--as", as_, "--reason", "looked at it")
    return (*words, "--yes", "--digest", digest)


def test_an_alert_is_listed_with_its_clock_and_shown_whole(counter: Counter) -> None:
    """R-26, R-27."""
    alert, digest = _alert(counter)
    lines = counter.type("alerts", "list").out.splitlines()
    page = counter.type("alerts", "show", alert).out

    assert lines[0].split() == ["ALERT", "AGENT", "RULE", "SEVERITY", "COUNT", "LEFT", "TOOL"]
    said = lines[1].split()
    assert (said[:5], said[-1]) == ([alert, "bot", "unexpected-tool", "high", "1"], "unknown")
    assert all(len(line) <= 100 for line in lines)
    assert f"digest      {digest}" in page
    assert "1x in 30 days; 3 are an incident" in page
    assert counter.shop.run.run in page
    assert "\x1b" not in page
    assert "rm_" not in page


def test_an_alert_is_closed_by_the_digest_that_was_shown(counter: Counter) -> None:
    alert, digest = _alert(counter)
    said = counter.type(*_close(alert, "explained", digest), person=DORA)

    assert said.out == f"alert {alert} is closed as explained by dora\n"
    assert counter.type("alerts", "list").out == "no alerts\n"
    assert "explained" in counter.type("alerts", "list", "--closed").out
    assert "looked at it" in counter.type("alerts", "show", alert).out


def test_an_alert_that_went_on_is_not_closed_by_an_older_digest(counter: Counter) -> None:
    alert, digest = _alert(counter)
    counter.act("rm_again")
    said = counter.type(*_close(alert, "fixed", digest), person=DORA)

    assert said.code == 3
    assert "--digest does not fit" in said.err


@pytest.mark.parametrize("person", [LENA, ROSA])
def test_without_the_role_an_alert_stays_open(counter: Counter, person: Person) -> None:
    alert, digest = _alert(counter)
    said = counter.type(*_close(alert, "fixed", digest), person=person)

    assert said.code == 3
    assert "closing an alert takes one of the roles" in said.err


def test_what_nobody_can_explain_waits_for_leadership(counter: Counter) -> None:
    """R-54."""
    alert, digest = _alert(counter)
    said = counter.type(*_close(alert, "unexplained", digest), person=SVEN)

    assert "waits for leadership; writes are suspended until then" in said.out
    assert "unexplained" in counter.type("resume").out


def test_an_incident_is_acknowledged_by_leadership(counter: Counter) -> None:
    """R-51."""
    alert, _ = _alert(counter)
    (row,) = counter.ask("incidents", "list")["incidents"]
    incident, digest = row["card"]["incident"], row["digest"]
    words = ("incidents", "ack", incident, "--reason", "known", "--yes", "--digest", digest)
    lines = counter.type("incidents", "list").out.splitlines()

    assert lines[1].split()[:3] == [incident, "bot", "out-of-scope"]
    assert lines[1].split()[-2:] == [alert, "WAITS"]
    assert "leadership  WAITS" in counter.type("incidents", "show", incident).out
    assert counter.type(*words, person=SVEN).code == 3
    assert counter.type(*words, person=LENA).out == f"incident {incident} is acknowledged by lena\n"
    assert counter.type("incidents", "list").out == "no incidents\n"
    assert "lena" in counter.type("incidents", "list", "--all").out


def test_anyone_escalates_an_alert_and_reports_a_run(counter: Counter) -> None:
    """R-53."""
    alert, _ = _alert(counter)
    run = counter.shop.run.run
    escalated = counter.type("alerts", "escalate", alert, "--reason", "worse than it looks", person=OLGA)
    words = ("alerts", "report", run, "--rule", "contradiction", "--reason", "says one thing, does another")
    reported = counter.type(*words, person=OLGA)

    assert "waits for leadership" in escalated.out
    assert "waits for leadership" in reported.out
    causes = {row["card"]["cause"] for row in counter.ask("incidents", "list")["incidents"]}
    assert causes == {"out-of-scope", "escalated", "contradiction"}


def test_a_report_about_nothing_says_so(counter: Counter) -> None:
    said = counter.type(
        *("alerts", "report", "run-9", "--rule", "unexplained", "--reason", "why"), person=OLGA
    )

    assert said.code == 1
    assert "no run or action run-9" in said.err


def test_the_page_of_an_alert_that_does_not_exist_says_what_to_do(counter: Counter) -> None:
    said = counter.type("alerts", "show", "alert-9")

    assert "no alert alert-9; `handrail alerts list` shows those there are" in said.err
