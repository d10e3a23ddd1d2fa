"""A log line may quote an agent, so it is escaped too."""

import logging

from console.logs import EscapingFormatter


def test_a_log_line_with_its_traceback_holds_nothing_a_terminal_obeys() -> None:
    error = ValueError("\x1b[2Jgone\u202e")
    told = (type(error), error, None)
    record = logging.LogRecord("r", logging.ERROR, __file__, 1, "a\x07%s", ("\x9b1m",), told)

    shown = EscapingFormatter("%(message)s").format(record)

    assert shown.splitlines()[0] == r"a\x07\x9b1m"
    assert shown.splitlines()[-1] == r"ValueError: \x1b[2Jgone\u202e"
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
