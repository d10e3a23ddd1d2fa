"""A run's HTTP door: `/mcp`, `/v1` and `/anthropic` on listeners inside its box.

`server` is the whole (`RunGateway`); `listener` and `protocol` take connections, `app` finds the path,
`mcp_app` and the modules it names speak MCP, `model_app` passes on to a model provider. The listener is the
identity: nothing that an agent sends says who it is. Nothing here names a product or a version.
"""
