"""What `serve` says while it runs: one line each on the error stream, agent text escaped as everywhere."""

import logging
import sys

from console.escape import escape_lines


class EscapingFormatter(logging.Formatter):
    """Writes a record, its traceback included, with nothing in it that a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the safe text of one record."""
        return "\n".join(escape_lines(super().format(record)))


def log_to_stderr() -> None:
    """Send warnings and worse of every room to the error stream, once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
