"""The blast radius as it is laid out before somebody signs it."""

from console.show.assessments import reach_lines
from profiles.load import parse_profile
from rollout.evidence.capabilities import capabilities

_PROFILE = b"""
profile: clerk
version: 1
purpose: Keep the books.
image: clerk:1
command: [clerk]
upstreams:
  ledger: {kind: stdio, image: ledger:1, command: [serve], credentials: {TOKEN: ledger-token}}
  crm: {kind: http, url: "https://crm.example.com/mcp"}
  desk:
    {kind: stdio, image: none, host: true, command: [desk, serve], env: {TO: a.example},
     evaluation: {env: {TO: b.example}}}
  mail: {kind: http, url: "https://mail.example.com/mcp", evaluation: {url: "https://mail-test.example.com/mcp"}}
  notes: {kind: memory}
tools:
  search: {upstream: ledger, effect: read, args: {}}
  customer: {upstream: crm, effect: read, args: {}}
  memory_read: {upstream: notes, effect: read, args: {name: id}}
never:
  - {id: never-send, text: Send nothing., effects: [send]}
"""


def test_every_kind_of_upstream_is_laid_out() -> None:
    """R-28, R-70: an agent with a memory can be assessed, so it can be promoted."""
    reach = capabilities(parse_profile(_PROFILE, source="clerk.yaml").profile)

    page = reach_lines({"agent": "clerk", "deployment": "d", "digest": "e", "capabilities": reach})

    assert page[-7:] == [
        "upstreams:",
        "crm     https://crm.example.com/mcp",
        "desk    none ON THIS HOST; command desk serve; variables TO=a.example; in an evaluation variables",
        "        TO=b.example",
        "ledger  ledger:1; credentials ledger-token",
        "mail    https://mail.example.com/mcp; in an evaluation https://mail-test.example.com/mcp",
        "notes   its own memory, kept from run to run",
    ]
