"""`handrail gates`: what stands between an agent and its next effect class, and when it can pass."""

from enum import StrEnum
from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.errors import Exit
from console.session import Session
from console.show.answer import show
from console.show.gates import accepted_page, gate_page, gates_page
from profiles.effects import Effect
from rollout.gates.model import GateId

app = group("See what each review gate says about an agent's next promotion.")


class Acceptable(StrEnum):
    """The gates that a manager's text can pass."""

    G7 = "G7"


_Agent = Annotated[str, typer.Argument(help="The agent's name.")]
_Effect = Annotated[
    Effect | None, typer.Option("--effect", help="The class to open; the next one if it is left out.")
]
_EXITS = {"pass": Exit.OK, "fail": Exit.GATE_FAILED}


@command(
    app,
    "status",
    example="handrail gates status invoice-bot\nhandrail gates status invoice-bot --effect send --json",
)
def status(session: Session, agent: _Agent, *, effect: _Effect = None) -> None:
    """Say for each gate what is there, what is missing, and the earliest moment it can pass.

    Exit code 0 if all but the approvals pass, 4 if one fails, 3 if there is not enough yet.
    """
    answer = client_of(session).get("gates", agent, effect=effect and effect.value)
    show(session, answer, gates_page)
    raise typer.Exit(_EXITS.get(answer["outcome"], Exit.BLOCKED))


@command(app, "explain", example="handrail gates explain invoice-bot G3")
def explain(
    session: Session,
    agent: _Agent,
    gate: Annotated[GateId, typer.Argument(help="Which gate.")],
    *,
    effect: _Effect = None,
) -> None:
    """Say what one gate asks, what there is, what is missing, and what to do. Exit codes as of `status`."""
    answer = client_of(session).get("gates", agent, effect=effect and effect.value)
    found = next(one for one in answer["gates"] if one["gate"] == gate.value)
    kept = answer | {"gates": [found], "outcome": found["outcome"]}
    show(session, kept, lambda given: gate_page(given, gate.value))
    raise typer.Exit(_EXITS.get(found["outcome"], Exit.BLOCKED))


@command(
    app,
    "accept",
    signs=True,
    example='handrail gates accept invoice-bot G7 --reason "40 labels, looked at each of them"',
)
def accept(
    session: Session,
    agent: _Agent,
    gate: Annotated[Acceptable, typer.Argument(help="Only G7: the other gates are measured.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded, encrypted.")],
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Accept for 30 days that drift is not measured. It takes a rollout manager who is not the owner."""
    from console.assessing import accept as sign  # noqa: PLC0415 - signing loads much that status does not need

    del gate
    answer = sign(session, client_of(session), agent, reason, consent=Consent(yes, digest))
    show(session, answer, accepted_page)
