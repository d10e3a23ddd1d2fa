"""A log line may quote an agent, so it is escaped too."""

import logging
import subprocess
import sys

from console.logs import EscapingFormatter


def test_a_log_line_with_its_traceback_holds_nothing_a_terminal_obeys() -> None:
    error = ValueError("\x1b[2Jgone\u202e")
    told = (type(error), error, None)
    record = logging.LogRecord("r", logging.ERROR, __file__, 1, "a\x07%s", ("\x9b1m",), told)

    shown = EscapingFormatter("%(message)s").format(record)

    assert shown.splitlines()[0] == r"a\x07\x9b1m"
    assert shown.splitlines()[-1] == r"ValueError: \x1b[2Jgone\u202e"
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)


def test_what_an_agent_asks_at_its_own_door_is_no_warning() -> None:
    """A wrong `Host` is answered with 421; only boxes reach their door, so each line would be an agent's."""
    script = (
        "import logging; from console.logs import log_to_stderr; log_to_stderr();"
        "from mcp.server.transport_security import logger; logger.warning('Invalid Host header: x');"
        "logging.getLogger('runtime.x').warning('ours')"
    )

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stderr

    assert said.endswith("WARNING runtime.x: ours\n")
    assert "Invalid Host" not in said
