"""`handrail serve`: the control plane."""

from typing import Annotated, Any

import typer

from console.cli import command, single
from console.doctor.rights import need_rights
from console.escape import escape
from console.offline import settings_of
from console.session import Session
from console.show.text import say, say_line_json
from runtime.record.keys import load_keys

app = single()

_SingleUser = Annotated[
    bool,
    typer.Option("--single-user", help="One user runs everything; nothing above tier 1 can be promoted."),
]
_StopRuns = Annotated[bool, typer.Option("--stop-runs", help="End the runs too when it is told to stop.")]
_Private = Annotated[bool, typer.Option("--private", hidden=True, help="End when idle; started by launch.")]


@command(app, "serve", example="handrail serve\nhandrail serve --single-user --state-dir ~/.handrail")
def run_serve(
    session: Session,
    *,
    single_user: _SingleUser = False,
    stop_runs: _StopRuns = False,
    private: _Private = False,
) -> None:
    """Run the control plane until SIGTERM or Ctrl-C; running boxes are left running and taken up again."""
    settings = settings_of(session)
    need_rights()
    load_keys(settings.keys_dir)  # refused at once: what follows takes seconds to load
    from console.serve import ServeOptions, serve  # noqa: PLC0415 - see above

    options = ServeOptions(
        socket=(session.socket or settings.socket_path).absolute(),
        single_user=single_user,
        private=private,
        stop_runs=stop_runs,
    )
    serve(settings, options, ready=lambda told: _tell(session, told))


def _tell(session: Session, told: dict[str, Any]) -> None:
    if session.json:
        say_line_json(told)
        return
    say(f"serving on {escape(told['socket'])}, process {told['pid']}; Ctrl-C stops")
    if told["taken_up"]:
        say(f"took up {len(told['taken_up'])} running: {', '.join(told['taken_up'])}")
