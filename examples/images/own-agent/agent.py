"""An agent of one's own: prints the tools it has been given, as a table.

It knows nothing of Handrail: it finds its tools by the variable MCP_SERVER_URL, as any MCP client might, and
brings a library of its own (tabulate).
"""

import asyncio
import os

from mcp import Client
from tabulate import tabulate


async def list_tools(address: str) -> list[tuple[str, str]]:
    """Return name and first line of description of every tool at this MCP address."""
    async with Client(address) as client:
        listed = await client.list_tools()
    return [(tool.name, (tool.description or "").split("\n", 1)[0]) for tool in listed.tools]


def main() -> None:
    """Print the table, or say that there are no tools outside a box."""
    address = os.environ.get("MCP_SERVER_URL")
    rows = asyncio.run(list_tools(address)) if address else [("-", "none: MCP_SERVER_URL is not set")]
    print(tabulate(rows, headers=["tool", "what it does"]))


if __name__ == "__main__":
    main()
