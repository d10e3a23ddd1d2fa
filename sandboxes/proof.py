"""What attestation hands back: named checks, each with what was expected, what was found and who said so."""

from dataclasses import dataclass
from enum import StrEnum

from sandboxes.spec import Runtime


class Source(StrEnum):
    """Who answered. Three witnesses, because an option can be accepted, shown and still not applied."""

    ENGINE = "engine"
    HOST = "host"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True)
class Check:
    """One isolation property of one box. `note` says when another layer than ours answers for it."""

    name: str
    source: Source
    expected: str
    got: str
    ok: bool
    note: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.name}: got {self.got}, expected {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All checks of one box. Only a proof without a failed check opens the gateway."""

    box_id: str
    image: str
    runtime: Runtime
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not hold; a proof without any check has failed as a whole."""
        if not self.checks:
            return (Check("any check", Source.HOST, "at least one", "none", ok=False),)
        return tuple(check for check in self.checks if not check.ok)

    def as_record(self) -> dict[str, object]:
        """The proof as plain JSON values, for the record."""
        checks = [[c.name, c.source.value, c.expected, c.got, c.ok, c.note] for c in self.checks]
        return {"box": self.box_id, "image": self.image, "runtime": self.runtime.value, "checks": checks}


def equal(name: str, source: Source, expected: object, got: object, note: str = "") -> Check:
    """A check that two values are the same."""
    return Check(name, source, str(expected), str(got), expected == got, note)
