"""Known things: collections, recipients and hosts that count as seen before the first run.

Anything else is new: a read of it is held, a write to it is suggested (R-06).
"""

from typing import Annotated

from pydantic import Field

from profiles.base import Strict

Collection = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^*\x00-\x1f\x7f]+$")]
"""One folder, table, repository or the like, by its whole name."""

RecipientPattern = Annotated[
    str, Field(max_length=320, pattern=r"^([^\s*,;<>\"()@]+(@[^\s*,;<>\"()@]+)?|\*@[A-Za-z0-9.-]+)$")
]
"""One recipient, or `*@domain` for everyone of one domain."""

HostPattern = Annotated[
    str, Field(max_length=260, pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?$")
]
"""One host in lower case, or `*.domain` for the hosts under one domain."""


class Known(Strict):
    """What counts as seen."""

    collections: tuple[Collection, ...] = ()
    recipients: tuple[RecipientPattern, ...] = ()
    hosts: tuple[HostPattern, ...] = ()

    def has_collection(self, name: str) -> bool:
        """Whether a collection is listed, letter for letter."""
        return name in self.collections

    def has_recipient(self, address: str) -> bool:
        """Whether a recipient is listed, or its whole domain is; letter case does not count."""
        folded = address.casefold()
        local, at, domain = folded.rpartition("@")
        whole_domain = f"*@{domain}" if at and local and "@" not in local else None
        return any(entry.casefold() in (folded, whole_domain) for entry in self.recipients)

    def has_host(self, host: str) -> bool:
        """Whether a host is listed, or lies under a listed domain; letter case does not count."""
        folded = host.casefold().removesuffix(".")
        return any(folded.endswith(entry[1:]) if entry[0] == "*" else folded == entry for entry in self.hosts)
