"""`handrail doctor`: look at this machine and say what to do next."""

import typer

from console.cli import command, single
from console.client import Client
from console.doctor.examine import examine
from console.doctor.finding import Level, worst
from console.errors import Exit
from console.offline import settings_of
from console.session import Session
from console.show.answer import show
from console.show.doctor import findings_page
from runtime.clock import utc_now

app = single()
_SECONDS = 5.0


@command(app, "doctor", example="handrail doctor\nhandrail doctor --json")
def doctor(session: Session) -> None:
    """Check engine, rights, volumes, state, anchor, keys, clock, disk and people. Changes nothing."""
    client = Client(session.socket_path, timeout=_SECONDS)
    findings = examine(settings_of(session), client, now=utc_now())
    told = [{"check": f.check, "level": f.level.value, "said": f.said, "next": f.next_step} for f in findings]
    show(session, {"level": worst(findings).value, "findings": told}, findings_page)
    if worst(findings) is Level.FAIL:
        raise typer.Exit(Exit.ERROR)
