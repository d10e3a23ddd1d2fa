"""`handrail audit`: the record. `verify` trusts nobody: it reads database and anchor itself."""

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from console.cli import command, group
from console.client import client_of
from console.errors import Exit, UsageError
from console.offline import settings_of
from console.session import Session
from console.show.answer import show
from console.show.entered import entered_page, entered_table
from console.show.progress import Progress
from console.show.record import entry_lines, export_done, open_table, report_page, report_view
from console.show.text import STDOUT, say, say_line_json
from runtime.record.note import NoteVerifier
from runtime.record.verify import verify_state

app = group("Verify, follow, export and reconcile the record.")

_Key = Annotated[
    str | None, typer.Option("--log-key", help="The log's public key, where you know it from elsewhere.")
]
_Run = Annotated[str, typer.Argument(help="The run's id.")]
_One = Annotated[
    int | None, typer.Option("--show", metavar="N", min=1, help="One thing itself, its changes as a diff.")
]
_Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on as entries come.")]
_Count = Annotated[int, typer.Option("-n", "--lines", min=0, max=10_000, help="How many of the newest.")]
_Output = Annotated[Path, typer.Option("--output", "-o", help="A new file; - is the standard output.")]
_Payloads = Annotated[bool, typer.Option("--payloads", help="With agent text and arguments, decrypted.")]


@command(app, "verify", example='handrail audit verify\nhandrail audit verify --log-key "$(cat log.vkey)"')
def verify(session: Session, *, log_key: _Key = None) -> None:
    """Read database and anchor, trust neither, and say what is wrong. Exit code 5 if anything is."""
    key = None if log_key is None else NoteVerifier.parse(log_key)
    with Progress("verifying entries") as progress, _uncollected():
        report = verify_state(settings_of(session), key=key, progress=progress.tell)
    show(session, report_view(report), report_page)
    if report.exit_code:
        raise typer.Exit(Exit.INTEGRITY)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: what verify reads makes no cycles, and the search took an eighth of the time.

    Only here, where nothing else runs; a `serve` that verifies has other work in the same process.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@command(app, "trace", example="handrail audit trace run-2qzv7j5m4kx3ahd6")
def trace(session: Session, run: _Run) -> None:
    """Rebuild a run step by step: proposals, decisions with reasons, approvals, outcomes."""
    for entry in client_of(session).stream("audit", "trace", run):
        _print(session, entry)


@command(
    app,
    "context",
    example="handrail audit context run-2qzv7j5m4kx3ahd6\n"
    "handrail audit context run-2qzv7j5m4kx3ahd6 --show 17",
)
def context(session: Session, run: _Run, *, one: _One = None) -> None:
    """List all that entered the agent's context, in order: source, hash, taint, and what was scrubbed."""
    client = client_of(session)
    if one is None:
        show(session, client.get("audit", "context", run), entered_table)
    else:
        show(session, client.get("audit", "context", run, str(one)), entered_page)


@command(app, "tail", example="handrail audit tail -n 20\nhandrail audit tail -f")
def tail(session: Session, *, lines: _Count = 20, follow: _Follow = False) -> None:
    """Print the newest entries; with -f, go on as they come."""
    for entry in client_of(session).stream("audit", "tail", lines=lines, follow=follow):
        _print(session, entry)


@command(
    app,
    "export",
    example="handrail audit export -o record.jsonl\nhandrail audit export -o - | gzip > record.jsonl.gz",
)
def export(session: Session, *, output: _Output, payloads: _Payloads = False) -> None:
    """Write the whole log as JSON lines that anyone can verify without Handrail."""
    lines = (str(item["text"]) for item in client_of(session).stream("audit", "export", payloads=payloads))
    if output == STDOUT:
        for line in lines:
            say_line_json(json.loads(line))  # the same value, and nothing in it that a terminal would obey
        return
    with _new_file(output) as file:
        count = sum(file.write(line + "\n") > 0 for line in lines)
    show(session, {"file": str(output), "lines": count}, export_done)


@command(app, "reconcile", example="handrail audit reconcile")
def reconcile(session: Session) -> None:
    """List actions that were begun and whose end nobody knows. Exit code 3 if there are any."""
    answer = client_of(session).get("audit", "open")
    show(session, answer, open_table)
    if answer["open"]:
        raise typer.Exit(Exit.BLOCKED)


def _new_file(path: Path) -> IO[str]:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except FileExistsError as error:
        raise UsageError(f"{path} exists", expected="a new file", next_step="-o another name") from error


def _print(session: Session, entry: dict[str, object]) -> None:
    if session.json:
        say_line_json(entry)
    else:
        say(*entry_lines(entry))
