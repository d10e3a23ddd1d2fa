"""An MCP server over a purchase ledger in SQLite: invoices expected, vendors, matches and notes.

Environment: LEDGER (path of the database file).
"""

import os
import sqlite3
from typing import Any

from mcp.server.mcpserver import MCPServer

server = MCPServer("ledger")


def _rows(query: str, *values: str) -> list[dict[str, Any]]:
    with sqlite3.connect(os.environ["LEDGER"]) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(query, values)]


def _one(what: str, query: str, value: str) -> dict[str, Any]:
    found = _rows(query, value)
    if not found:
        raise ValueError(f"no {what} {value}")
    return found[0]


@server.tool()
def list_invoices(status: str = "open") -> list[dict[str, Any]]:
    """List the invoices that are expected, with the given status."""
    return _rows("SELECT number, vendor, total_cents, currency FROM invoices WHERE status = ?", status)


@server.tool()
def get_invoice(number: str) -> dict[str, Any]:
    """Get one expected invoice by its number."""
    return _one("invoice", "SELECT * FROM invoices WHERE number = ?", number)


@server.tool()
def get_vendor(vendor: str) -> dict[str, Any]:
    """Get one vendor by its VAT identifier: name, mail address and bank account."""
    return _one("vendor", "SELECT * FROM vendors WHERE vat_id = ?", vendor)


@server.tool()
def record_match(number: str, message_id: str, result: str) -> str:
    """Record that a received invoice was compared with the expected one."""
    _rows("INSERT INTO matches (number, message_id, result) VALUES (?, ?, ?)", number, message_id, result)
    return f"{number}: {result}"


@server.tool()
def add_note(number: str, text: str) -> str:
    """Add a note to an invoice."""
    _rows("INSERT INTO notes (number, text) VALUES (?, ?)", number, text)
    return f"noted on {number}"


if __name__ == "__main__":
    server.run("stdio")
