"""`handrail context scrub` and `lint` of a prompt: offline, on files and the standard input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.main import run

QUARTERLY = "you are an AI model that will be updated quarterly"
PROMPT = f"Answer in French.\n{QUARTERLY}\nBe kind.\n"


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    path = tmp_path / "prompt.md"
    path.write_text(PROMPT)
    return path


def test_lint_names_line_and_kind_suggests_a_rewrite_and_fails(
    prompt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-41, R-19: the sentence of the requirement is found, and what to write instead is shown."""
    code = run(["context", "lint", str(prompt)])

    said = capsys.readouterr().out
    assert code == 4
    assert "2:" in said
    assert "deprecation" in said
    assert f"-{QUARTERLY}" in said
    assert "+you are an AI model" in said
    assert " Be kind." in said
    assert all(len(line) <= 100 for line in said.splitlines())


def test_lint_in_json_has_each_finding_and_the_whole_suggestion(
    prompt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-41: the suggestion is itself clean, and keeps the lines that tell nothing."""
    code = run(["context", "lint", str(prompt), "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert code == 4
    assert [(found["line"], found["kind"]) for found in answer["findings"]] == [(2, "deprecation")]
    assert answer["findings"][0]["found"] in PROMPT
    suggested = answer["suggested"]
    assert suggested.startswith("Answer in French.\n")
    assert suggested.endswith("\nBe kind.\n")
    prompt.write_text(suggested)
    assert run(["context", "lint", str(prompt)]) == 0


def test_a_prompt_that_tells_nothing_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = tmp_path / "clean.md"
    clean.write_text("You answer questions about invoices. Ask if something is unclear.\n")

    assert run(["context", "lint", str(clean)]) == 0
    assert capsys.readouterr().out == "nothing in it tells status\n"


def test_scrub_reads_the_standard_input_and_needs_no_state_directory(tmp_path: Path) -> None:
    """R-20: what is printed is the text as an agent may see it, and nothing beside it."""
    done = subprocess.run(
        [sys.executable, "-m", "console", "context", "scrub", "-", "--state-dir", str(tmp_path / "none")],
        input=PROMPT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "updated quarterly" not in done.stdout
    assert done.stdout.startswith("Answer in French.\n")
    assert done.stdout.endswith("Be kind.\n")
    assert not (tmp_path / "none").exists()


def test_a_json_file_is_scrubbed_as_a_value_and_stays_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = tmp_path / "reply.json"
    reply.write_text('{"rows": [1, 2.5, null], "region": "eu-west-1"}')

    assert run(["context", "scrub", str(reply), "--place", "result"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["rows"] == [1, 2.5, None]
    assert seen["region"] != "eu-west-1"


def test_a_json_file_may_begin_with_a_mark_and_hold_half_a_pair_of_surrogates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "odd.json"
    file.write_bytes(b'\xef\xbb\xbf["\\ud800", "\xc3\xa9"]')
    assert run(["context", "scrub", str(file)]) == 0
    told = capsys.readouterr().out
    told.encode()
    assert (json.loads(told), "\u00e9" in told) == (["\ud800", "\u00e9"], True)


def test_text_in_utf_16_is_refused_also_without_a_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-41: it would read as UTF-8, and no rule would find a word in it."""
    file = tmp_path / "prompt.txt"
    file.write_bytes("You run on staging.".encode("utf-16-le"))
    assert run(["context", "scrub", str(file)]) == 1
    assert "byte 1 is NUL" in capsys.readouterr().err


def test_a_header_that_comes_twice_stays_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "headers"
    file.write_text("HTTP/2 200\r\nlink: a\r\nlink: b\r\n\r\n")
    assert run(["context", "scrub", str(file), "--form", "headers", "--place", "header"]) == 0
    assert capsys.readouterr().out == "link: a\nlink: b\n"


def test_a_profile_says_what_happens_to_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A profile that flags leaves a result as it is and says what it told."""
    reply = tmp_path / "reply.json"
    reply.write_text('{"region": "eu-west-1"}')

    assert (
        run(["context", "scrub", str(reply), "--place", "result", "--profile", "doc-reader", "--json"]) == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert json.loads(answer["text"]) == {"region": "eu-west-1"}
    assert [(change["kind"], change["put"]) for change in answer["changes"]] == [("place", None)]
    assert answer["held"] is False


def test_headers_that_tell_by_their_name_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-41: as `curl -I` prints them, with the line of the status and an empty one at the end."""
    replied = tmp_path / "headers.txt"
    replied.write_text("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nopenai-organization: acme\r\n\r\n")

    assert run(["context", "scrub", str(replied), "--form", "headers", "--place", "header"]) == 0
    assert capsys.readouterr().out == "content-type: text/plain\n"


def test_a_diff_of_hostile_text_cannot_move_the_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = tmp_path / "hostile.txt"
    hostile.write_text(f"\x1b[2J{QUARTERLY}\u202e\n")

    assert run(["context", "scrub", str(hostile), "--diff"]) == 0
    said = capsys.readouterr().out
    assert "\\x1b[2J" in said
    assert "\\u202e" in said
    assert "\x1b" not in said


def test_rules_of_an_operator_s_own_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Wombat says hello.\n")
    pack = tmp_path / "own.yaml"
    pack.write_text(
        "rules:\n"
        "  - id: own-code-name\n"
        "    kind: deployment\n"
        "    patterns: ['\\bWombat\\b']\n"
        "    put: it\n"
        "    examples: [Wombat says hello.]\n"
        "    lookalikes: [A wallaby says hello.]\n"
    )

    assert run(["context", "scrub", str(text), "--pack", str(pack)]) == 0
    assert capsys.readouterr().out == "It says hello.\n"


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"\xff\xfe", [], "byte 0 is not UTF-8"),
        (b"{", ["--form", "json"], "not one JSON value"),
        (b"no header", ["--form", "headers"], "line 1 is no header"),
    ],
)
def test_a_file_that_cannot_be_read_as_asked_is_one_line_of_error(
    content: bytes, options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    assert run(["context", "scrub", str(path), *options]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["context", "lint", str(tmp_path / "gone.md")]) == 1
    assert "gone.md" in capsys.readouterr().err
