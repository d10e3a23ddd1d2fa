"""How commands are made: groups that explain themselves, and the options that all commands share."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, get_args

import typer

from console.errors import UsageError
from console.session import Session

P = ParamSpec("P")
_Command = Callable[Concatenate[Session, P], None]

_StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", envvar="HANDRAIL_STATE_DIR", help="Where database, keys and socket are."),
]
_Socket = Annotated[Path | None, typer.Option("--socket", help="Socket of the control plane, if elsewhere.")]
_Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
_Key = Annotated[
    Path | None,
    typer.Option("--key", help="Key to sign with: a private key file, or a .pub file of a key in ssh-agent."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; needs --digest.")]
Digest = Annotated[str | None, typer.Option("--digest", help="With --yes: the digest that was shown before.")]
_SHARED = {"state_dir": (_StateDir, None), "socket": (_Socket, None), "json": (_Json, False)}
_SIGNING = {"key": (_Key, None)}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def group(summary: str) -> typer.Typer:
    """Make a group of commands that prints its help when none of them is named."""
    app = typer.Typer(
        help=summary,
        rich_markup_mode=None,
        add_completion=False,
        context_settings=CONTEXT,
        invoke_without_command=True,
    )
    app.callback()(print_help)
    return app


def single() -> typer.Typer:
    """Make the `app` of a command that stands alone after `handrail`."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)


def print_help(context: typer.Context) -> None:
    """Print a group's help if no command of it was named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def command(
    app: typer.Typer, name: str, *, example: str, signs: bool = False, rest: bool = False
) -> Callable[[_Command[P]], Callable[..., None]]:
    """Register a command; its docstring is its help.

    Args:
        app: the group that it belongs to.
        name: the word that calls it.
        example: one or more lines that can be typed as they are, shown at the end of the help.
        signs: true if it takes `--key`.
        rest: true if everything after `--` belongs to another program.
    """
    shared = _SHARED | _SIGNING if signs else _SHARED
    settings = CONTEXT | ({"allow_extra_args": True, "ignore_unknown_options": False} if rest else {})

    def register(body: _Command[P]) -> Callable[..., None]:
        called = _with_session(body, shared)
        app.command(name, epilog=_example(example), context_settings=settings)(called)
        return called

    return register


def _with_session(body: Callable[..., None], shared: dict[str, tuple[Any, Any]]) -> Callable[..., None]:
    plain = signature(body)

    @wraps(body)
    def called(*args: Any, **given: Any) -> None:
        _refuse_blank(plain.parameters.values(), given)
        options = {name: given.pop(name) for name in shared}
        body(Session(**options), *args, **given)

    own = list(plain.parameters.values())[1:]
    extra = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in shared.items()
    ]
    called.__signature__ = plain.replace(parameters=[*own, *extra])  # type: ignore[attr-defined]  # read by Typer
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *extra]}
    return called


def _refuse_blank(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> None:
    """Refuse a word that must be given and says nothing: no name is empty, and no reason is."""
    for parameter in parameters:
        value = given.get(parameter.name)
        if parameter.default is Parameter.empty and isinstance(value, str) and not value.strip():
            raise UsageError(_spelling(parameter), got="nothing", expected="a word or more")


def _spelling(parameter: Parameter) -> str:
    """Return `--NAME` for an option, else NAME; Typer keeps the name of an `Option` as its default."""
    said = [getattr(part, "default", None) for part in get_args(parameter.annotation)]
    return next((word for word in said if isinstance(word, str) and word.startswith("-")), parameter.name)


def _example(lines: str) -> str:
    shown = "\n".join(f"  {line}" for line in lines.splitlines())
    return f"\b\nExample:\n{shown}"
