"""The first code of the `handrail` command, so that Ctrl-C while the rest is loaded leaves no traceback."""

import signal


def main() -> None:
    """Load the command line and run it; until it is loaded, SIGINT ends the process at once and silently."""
    python_s = signal.getsignal(signal.SIGINT)
    if python_s is signal.default_int_handler:  # else it is ignored, as whoever started us wants
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from console.main import main as run  # noqa: PLC0415 - this is what takes its time

    signal.signal(signal.SIGINT, python_s)
    run()
