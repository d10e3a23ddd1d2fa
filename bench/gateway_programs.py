"""What runs inside the boxes of the gateway's bench: an MCP server that answers at once, and its clients.

Both are plain Python, given to `python3 -c`, so that what is measured is the way between them.
"""

SERVER = """
import json, sys
def result(m):
    if m["method"] == "initialize":
        return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "bench", "version": "1"}}
    if m["method"] == "tools/list":
        return {"tools": [{"name": "say", "inputSchema": {"type": "object"}}]}
    return {"content": [{"type": "text", "text": "x" * 300}]}
for line in sys.stdin:
    m = json.loads(line)
    if "id" in m:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": result(m)}) + "\\n")
        sys.stdout.flush()
"""

_CALL = """
import json, sys, time
def request(n, args={"text": "y" * 100}):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "b", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}
    body = json.dumps({"jsonrpc": "2.0", "id": n, "method": "tools/call",
                       "params": {"name": "say", "arguments": args, "_meta": meta}}).encode()
    return (b"POST /mcp HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Type: application/json\\r\\n"
            b"Accept: application/json\\r\\nMCP-Protocol-Version: 2026-07-28\\r\\n"
            b"Mcp-Method: tools/call\\r\\nMcp-Name: say\\r\\n"
            b"Content-Length: %d\\r\\n\\r\\n" % len(body)) + body
def length(head):
    return int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
"""

ONE = (
    _CALL
    + """
import socket
count, warm = int(sys.argv[1]), int(sys.argv[2])
s = socket.create_connection(("127.0.0.1", 8080)); s.setsockopt(6, 1, 1)
f = s.makefile("rb"); took = []
for n in range(count + warm):
    begun = time.perf_counter()
    s.sendall(request(n)); head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        head += f.readline()
    body = f.read(length(head))
    took.append(time.perf_counter() - begun)
    assert b"xxx" in body, body
print(json.dumps(took[warm:]), flush=True)
"""
)

MANY = (
    _CALL
    + """
import asyncio
count, clients = int(sys.argv[1]), int(sys.argv[2])
async def client(each):
    r, w = await asyncio.open_connection("127.0.0.1", 8080)
    for n in range(each):
        w.write(request(n)); head = await r.readuntil(b"\\r\\n\\r\\n")
        body = await r.readexactly(length(head))
        assert b"xxx" in body, body
async def main():
    await client(50); begun = time.perf_counter()
    await asyncio.gather(*(client(count // clients) for _ in range(clients)))
    print(json.dumps([count // clients * clients / (time.perf_counter() - begun)]), flush=True)
asyncio.run(main())
"""
)
