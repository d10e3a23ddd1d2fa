"""HTTP by hand: what a hostile client sends, byte by byte, and the MCP envelope of a plain one."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RawClient:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> "RawClient":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = b""
        return Answer(int(first.split()[1]), headers, body)

    async def post(
        self, body: bytes, headers: str = "", *, path: str = "/mcp", accept: str = "application/json"
    ) -> Answer:
        await self.send(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Accept: {accept}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        return await self.answer()

    async def call(self, tool: str, args: Any, *, era: str = MODERN, number: int = 1) -> Answer:
        """Call a tool without a session, in either era, and take JSON."""
        params: dict[str, Any] = {"name": tool, "arguments": args}
        headers = f"MCP-Protocol-Version: {era}\r\n"
        if era == MODERN:
            params["_meta"] = ENVELOPE
            headers += f"Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        return await self.post(json.dumps(message).encode(), headers)

    async def _chunks(self) -> bytes:
        data = b""
        while True:
            size = int((await self.reader.readline()).strip(), 16)
            piece = await self.reader.readexactly(size + 2)
            if size == 0:
                return data
            data += piece[:-2]
