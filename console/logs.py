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
    """Send warnings and worse of every room to the error stream, once.

    What a door is asked under a wrong `Host` or `Origin` is refused, and no warning: nobody but its agent
    reaches it, so each line would be an agent's to write.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("mcp.server.transport_security").setLevel(logging.ERROR)
