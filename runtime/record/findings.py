"""What `verify` can find, and the report it gives."""

from dataclasses import dataclass
from enum import StrEnum

from runtime.record.anchor import AnchorState

EXIT_OK = 0
EXIT_INTEGRITY = 5


class FindingKind(StrEnum):
    """The ways in which a record can be wrong."""

    COLUMN_CHANGED = "column changed"
    ROW_DELETED = "row deleted"
    ROW_ADDED = "row added"
    TAIL_TRUNCATED = "tail truncated"
    ROLLED_BACK = "rolled back"
    ROOT_DIFFERS = "root differs"
    CHECKPOINT_FORGED = "checkpoint forged"
    KEY_REPLACED = "key replaced"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: in which way.
        where: the table, or the anchor.
        column: the column, where one can be named.
        row: the row: an entry's number, a checkpoint's size, a key's id.
        detail: what was got and what was expected.
    """

    kind: FindingKind
    where: str
    column: str | None
    row: int | str | None
    detail: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        column = "" if self.column is None else f".{self.column}"
        row = "" if self.row is None else f" [{self.row}]"
        return f"{self.kind}: {self.where}{column}{row}: {self.detail}"


class Findings:
    """Collects findings, up to a limit, so that a wholly different database does not fill the memory."""

    def __init__(self, limit: int = 1000) -> None:
        self.items: list[Finding] = []
        self.omitted = 0
        self._limit = limit

    def add(
        self,
        kind: FindingKind,
        where: str,
        detail: str,
        *,
        column: str | None = None,
        row: int | str | None = None,
    ) -> None:
        """Take one finding."""
        if len(self.items) < self._limit:
            self.items.append(Finding(kind, where, column, row, detail))
        else:
            self.omitted += 1

    def copy(self) -> "Findings":
        """Return the same findings, to be added to apart."""
        other = Findings(self._limit)
        other.items, other.omitted = list(self.items), self.omitted
        return other

    def changed(self, table: str, column: str, row: int | str, detail: str) -> None:
        """Take a changed column."""
        self.add(FindingKind.COLUMN_CHANGED, table, detail, column=column, row=row)


@dataclass(frozen=True)
class VerifyReport:
    """The answer of `verify`.

    Attributes:
        origin: the log's name; empty when it cannot be told.
        verifier: the key its checkpoints were checked with, in textual form; empty when there is none.
        entries: how many entries there are.
        root: their Merkle root, in hexadecimal.
        checkpoints: how many signed checkpoints agree with the entries.
        anchored_entries: how many entries, from the first, an anchored checkpoint proves.
        purged_payloads: how many payloads were purged, and say so in the log.
        anchor: whether there is an anchor, and why not.
        findings: what is wrong.
        findings_omitted: how many more findings there are.
        warnings: what is odd but harms no proof.
    """

    origin: str
    verifier: str
    entries: int
    root: str
    checkpoints: int
    anchored_entries: int
    purged_payloads: int
    anchor: AnchorState
    findings: tuple[Finding, ...]
    findings_omitted: int
    warnings: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong with what can be checked."""
        return not self.findings

    @property
    def anchored_range(self) -> tuple[int, int] | None:
        """First and last entry that an anchored checkpoint proves."""
        return (0, self.anchored_entries - 1) if self.anchored_entries else None

    @property
    def unanchored_range(self) -> tuple[int, int] | None:
        """First and last entry that rest on the database's word alone."""
        return (self.anchored_entries, self.entries - 1) if self.anchored_entries < self.entries else None

    @property
    def exit_code(self) -> int:
        """0 when the record is intact and anchored; 5 when it is not, or nothing outside vouches for it."""
        anchored = self.anchor.anchored and self.anchored_entries > 0
        return EXIT_OK if self.intact and anchored else EXIT_INTEGRITY
