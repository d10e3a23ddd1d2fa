"""An auditor needs the files and the command, no control plane."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.standins.office import Office


def _sql(office: Office, statement: str) -> None:
    with closing(sqlite3.connect(office.state / "handrail.db")) as database:
        database.execute(statement)
        database.commit()


def test_an_untouched_record_is_intact_and_anchored_to_its_end(office: Office) -> None:
    printed = office.type("audit", "verify")

    lines = dict(line.split(maxsplit=1) for line in printed.out.splitlines() if "  " in line)
    assert printed.code == 0
    assert lines["anchored"] == f"0 to {int(lines['entries']) - 1}"
    assert lines["unanchored"] == "-"
    assert printed.out.endswith("\n\nintact\n")


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE log_entry SET actor = 'mallory' WHERE seq = 1", "column changed: log_entry.actor [1]: "),
        ("DELETE FROM log_entry WHERE seq = 2", "row deleted: log_entry"),
        (
            "UPDATE log_payload SET sealed = x'00' WHERE seq = (SELECT min(seq) FROM log_payload)",
            "column changed: ",
        ),
    ],
)
def test_whatever_was_changed_is_named_and_the_exit_code_is_5(
    office: Office, statement: str, finding: str
) -> None:
    _sql(office, statement)

    printed = office.type("audit", "verify")

    assert printed.code == 5
    assert finding in printed.out
    assert "\nNOT INTACT: " in printed.out


def test_without_an_anchor_an_intact_record_proves_nothing(office: Office) -> None:
    shutil.rmtree(office.root / "anchor")

    printed = office.type("audit", "verify")

    assert printed.code == 5
    assert "UNANCHORED" in printed.out
    assert office.ask_anyway("audit", "verify")["intact"] is True


def test_a_deleted_database_is_told_from_a_new_one(office: Office) -> None:
    for file in office.state.glob("handrail.db*"):
        file.unlink()

    printed = office.type("audit", "verify")

    assert printed.code == 5
    assert "rolled back: database: the anchor proves" in printed.out


def test_a_key_known_from_elsewhere_is_not_overruled_by_the_files(office: Office) -> None:
    other = Office(office.root / "other")
    assert other.begin().code == 0
    key = (other.state / "keys" / "checkpoint.vkey").read_text().strip()

    printed = office.type("audit", "verify", "--log-key", key)

    assert printed.code == 5
    assert "key replaced: anchor: " in printed.out
