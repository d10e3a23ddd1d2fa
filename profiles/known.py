"""Known things: collections, recipients and hosts that count as seen before the first run.

Anything else is new: a read of it is held, a write to it is suggested (R-06).
"""

from typing import Annotated, Final

from pydantic import Field

from profiles.base import Strict

Collection = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        pattern=r"^[^*\x00-\x1f\x7f]+$",
        description="the whole name of one collection, without a star",
    ),
]
"""One folder, table, repository or the like, by its whole name."""

RecipientPattern = Annotated[
    str,
    Field(
        max_length=320,
        pattern=r"^([^\s*,;<>\"()@]+(@[^\s*,;<>\"()@]+)?|\*@[A-Za-z0-9.-]+)$",
        description="one recipient, or *@DOMAIN for everyone of one domain",
    ),
]
"""One recipient, or `*@domain` for everyone of one domain."""

HostPattern = Annotated[
    str,
    Field(
        max_length=260,
        pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?$",
        description="one host in lower case, or *.DOMAIN for the hosts under one domain",
    ),
]
"""One host in lower case, or `*.domain` for the hosts under one domain."""

_STAR: Final = "*."
_COUNTRY: Final = 2
_SHARED: Final = frozenset(
    {
        "ac",
        "co",
        "com",
        "edu",
        "go",
        "gob",
        "gouv",
        "gov",
        "gv",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "sch",
    }
)
"""Labels under which a country registers its names, such as the `co` of `co.uk`."""


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


def is_too_wide(host: str) -> bool:
    """Whether a host pattern covers the domains of strangers: all under `com`, or `co.uk`, and their like.

    The one long list of such suffixes (publicsuffix.org) changes by the week and is not part of Handrail, so
    this refuses what needs no list.

    Args:
        host: A `HostPattern`.
    """
    if not host.startswith(_STAR):
        return False
    labels = host.removeprefix(_STAR).partition(":")[0].split(".")
    if len(labels) == 1 or labels[-1].isdigit():
        return True
    country = len(labels[-1]) == _COUNTRY
    return country and len(labels) == _COUNTRY and labels[0] in _SHARED
