"""What stands behind a run's tools: MCP servers in boxes of their own or over HTTP, model providers.

`upstreams` is the door (`Upstreams`); `manifest` and `clean` are pure; `peers` holds the protocol with one
server, `stdio_peer` and `http_peer` its two wires; `opener` makes the boxes and connections.
"""
