"""`handrail context`: what tells an agent its status, found, taken out, and proved to be gone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from console.cli import command, group
from console.client import client_of
from console.commands.launch import Walls
from console.errors import ConsoleError, Exit, UsageError
from console.offline import settings_of
from console.scrubbing import (
    STDIN,
    Cleaned,
    Form,
    change_of,
    clean,
    findings_of,
    read_source,
    scrubber_of,
)
from console.session import Session
from console.show.answer import show
from console.show.linting import image_page
from console.show.scrub import difference, lint_page, put_out
from console.show.text import say, say_json
from sandboxes.errors import SandboxError
from sandboxes.images import ImageStore
from sandboxes.lint.image import lint_read, read_image
from sandboxes.scrub.model import Place
from sandboxes.scrub.pack import load_packs
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook

app = group("Find what tells an agent its status, and take it out.")

_File = Annotated[str, typer.Argument(help="A file; - reads the standard input.")]
_Linted = Annotated[
    str | None,
    typer.Argument(
        help="A file, or an image of the local engine where no file has that name; - or nothing reads "
        "the standard input."
    ),
]
_Where = Annotated[Place, typer.Option("--place", help="Where the text stands on its way to the agent.")]
_Form = Annotated[
    Form | None, typer.Option("--form", help="How to read it; a file named .json is JSON, else text.")
]
_Profile = Annotated[
    str | None, typer.Option("--profile", help="Treat it as this profile says; without, replace all.")
]
_Packs = Annotated[
    list[Path] | None, typer.Option("--pack", help="Rules of your own: a file or a directory; repeatable.")
]

_Image = Annotated[
    str | None, typer.Option("--image", help="An image of the local engine, also where a file has its name.")
]
_Proven = Annotated[
    str | None, typer.Option("--image", help="The agent's image; without, the default agent image.")
]
_Runtime = Annotated[Walls, typer.Option("--runtime", help="The walls of the boxes; runsc is gVisor.")]
_PROOF_SECONDS = 600.0


@command(
    app,
    "scrub",
    example="handrail context scrub reply.json --diff\nprintenv | handrail context scrub - --place result",
)
def scrub(
    session: Session,
    file: _File,
    *,
    place: _Where = Place.SYSTEM,
    form: _Form = None,
    profile: _Profile = None,
    pack: _Packs = None,
    diff: Annotated[bool, typer.Option("--diff", help="Print what changes instead of the text.")] = False,
) -> None:
    """Print a text as an agent may see it.

    Values that only a run knows, such as its id, are not replaced here.
    """
    read_as = form or (Form.JSON if file.endswith(".json") else Form.TEXT)
    cleaned = clean(scrubber_of(profile, pack or ()), read_source(file), place, read_as)
    if session.json:
        say_json(_scrubbed(cleaned))
    elif diff:
        say(*(difference(cleaned.before, cleaned.after) or ["no change"]))
    else:
        put_out(cleaned.after)


@command(
    app,
    "lint",
    example='handrail context lint prompt.md\necho "You run on staging." | handrail context lint -\n'
    "handrail context lint my-agent:1",
)
def lint(session: Session, subject: _Linted = None, *, pack: _Packs = None, image: _Image = None) -> None:
    """Find what in a prompt, or in an image, would tell an agent its status, and how to mend it.

    Exit code 4 if there is something.
    """
    if image is not None:
        if subject is not None:
            raise UsageError(
                "both a subject and --image are given", got=subject, expected="one of them, and look twice"
            )
        _lint_image(session, image, pack or ())
    source = STDIN if subject is None else subject
    if source != STDIN and not Path(source).exists():
        _lint_named(session, source, pack or ())
    cleaned = clean(scrubber_of(None, pack or ()), read_source(source), Place.SYSTEM, Form.TEXT)
    findings = findings_of(cleaned)
    answer = {"findings": findings, "prompt": cleaned.before, "suggested": cleaned.after}
    show(session, answer, lint_page)
    raise typer.Exit(Exit.GATE_FAILED if findings else Exit.OK)


def _lint_named(session: Session, name: str, packs: Sequence[Path]) -> NoReturn:
    try:
        _lint_image(session, name, packs)
    except SandboxError as error:
        raise ConsoleError(
            f"{name}: there is no such file, and as an image it cannot be looked through",
            got=str(error),
            next_step="name a file, or an image that `docker images` lists",
        ) from error


def _lint_image(session: Session, image: str, packs: Sequence[Path]) -> NoReturn:
    rules = Rulebook(load_packs(packs)) if packs else SHIPPED_RULES
    read = read_image(ImageStore(settings_of(session).docker_socket), image)
    findings = [one.as_json() for one in lint_read(read, rulebook=rules)]
    show(session, {"image": image, "findings": findings}, image_page)
    raise typer.Exit(Exit.GATE_FAILED if findings else Exit.OK)


@command(
    app,
    "verify",
    example="handrail context verify\nhandrail context verify --image my-agent:1 --runtime runsc --timing",
)
def verify(
    session: Session,
    *,
    image: _Proven = None,
    runtime: _Runtime = Walls.RUNC,
    timing: Annotated[
        bool, typer.Option("--timing", help="Compare how long the doors take, too; it takes minutes.")
    ] = False,
) -> None:
    """Prove that boxes which differ only in their status look the same from inside.

    Runs of each status are launched in a scratch installation on the same engine: evaluation and production,
    a current and a deprecated model, the first and the hundredth run, before and after a review, tier 0 and
    tier 1, another owner. Each looks at all that it can see. The result is recorded; promotions need it.

    Exit code 4 if something tells the status.
    """
    from console.show.progress import Progress  # noqa: PLC0415 - only this command takes long
    from console.show.proofs import proof_page  # noqa: PLC0415

    body = {"runtime": runtime.value, "timing": timing} | ({"image": image} if image else {})
    result: dict[str, Any] = {}
    with Progress("runs") as bar:
        for step in client_of(session, timeout=_PROOF_SECONDS).follow("context", "verify", body=body):
            if "error" in step:
                raise _failed(step)
            result = step.get("result", result)
            if "total" in step:
                bar.tell(step["done"], step["total"])
    if not result:
        raise ConsoleError("the proof broke off", next_step="read serve's output, then run it again")
    show(session, result, proof_page)
    raise typer.Exit(Exit.OK if result["ok"] else Exit.GATE_FAILED)


def _failed(step: dict[str, Any]) -> ConsoleError:
    error = ConsoleError(str(step["error"]))
    error.exit = Exit(step["exit"])
    return error


def _scrubbed(cleaned: Cleaned) -> dict[str, object]:
    return {
        "text": cleaned.after,
        "changes": [change_of(change) for change in cleaned.changes],
        "held": cleaned.held,
    }
