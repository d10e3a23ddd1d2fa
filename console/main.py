"""The `handrail` command: parse, run, and turn whatever went wrong into one line and an exit code.

Nothing heavy is imported here; see `console.lazy`.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from console.cli import CONTEXT, print_help
from console.errors import ConsoleError, Exit, UsageError
from console.escape import escape
from console.lazy import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    help="Run AI agents in sealed boxes and let them climb, one reviewed step at a time.",
    epilog="Every command takes --help, --json, --state-dir and --socket. First steps: handrail doctor.",
    rich_markup_mode=None,
    context_settings=CONTEXT,
    invoke_without_command=True,
)


@app.callback()
def root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Print the version if it is asked for, or help if nothing is."""
    if version:
        typer.echo(import_module("importlib.metadata").version("handrail"))
        raise typer.Exit
    print_help(context)


def main() -> None:
    """Run the command line of this process and end it with the right exit code."""
    raise SystemExit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code, one of `console.errors.Exit`; 130 after Ctrl-C.
    """
    try:
        _need_text(arguments)
        code = typer.main.get_command(app).main(list(arguments), prog_name="handrail", standalone_mode=False)
    except typer.TyperException as error:
        return _report(_usage(error), Exit.USAGE)
    except typer.Abort:
        return _report("stopped before anything was done", Exit.ERROR)
    except ConsoleError as error:
        return _report(error.line(), error.exit)
    except Exception as error:
        explained: tuple[str, Exit] | None = import_module("console.faults").explain(error)
        if explained is None:
            raise
        return _report(*explained)
    return code if isinstance(code, int) else Exit.OK


def _need_text(arguments: Sequence[str]) -> None:
    """Refuse what is no text: a byte that is not UTF-8 arrives as half of a surrogate pair (PEP 383)."""
    for word in arguments:
        if not word.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in word):
            raise UsageError("the command line", got=repr(word), expected="text in UTF-8")


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "handrail"
    said = error.format_message().rstrip(".").replace("Value error, ", "")
    return f"{said}; next: {path} --help"


def _report(line: str, code: Exit) -> int:
    typer.echo(f"handrail: {escape(line)}", err=True)
    return code
