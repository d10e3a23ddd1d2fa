"""The tree, built again from the entries and held against every signed root on the way."""

from runtime.record.findings import FindingKind, Findings
from runtime.record.merkle import Frontier

ENTRIES = "log_entry"
_MOST_SUSPECTS = 1000


class Replay:
    """Rebuilds the tree; where leaf and `leaf_hash` disagree, the next signed root tells which is right."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._tree = Frontier()  # from the leaves
        self._stored: Frontier | None = None  # from the column leaf_hash, once it disagrees
        self._suspects: list[int] = []
        self._broken = False
        self.proven = 0

    @property
    def whole(self) -> bool:
        """Whether no entry is missing and no signed root was missed."""
        return not self._broken

    @property
    def root(self) -> bytes:
        """The root over the entries so far."""
        return self._tree.root()

    def add(self, seq: int, computed: bytes, stored: bytes) -> None:
        """Take the next entry's hash, computed from its leaf and as the column has it."""
        if computed != stored:
            self._stored = self._stored or self._tree.copy()
            if len(self._suspects) < _MOST_SUSPECTS:
                self._suspects.append(seq)
        self._tree.append(computed)
        if self._stored is not None:
            self._stored.append(stored)

    def skip(self) -> None:
        """Note that entries are missing: no later root can be rebuilt."""
        self._blame("leaf_hash", "the leaf has another hash, or was changed; a deleted row keeps this open")
        self._broken = True

    def settle(self, root: bytes, source: str) -> bool:
        """Hold the entries so far against a signed root; return whether they agree."""
        if self._broken:
            return False
        if self._tree.root() == root:
            self._blame("leaf_hash", "the leaf is the signed one, this hash is not its hash")
        elif self._stored is not None and self._stored.root() == root:
            self._blame("leaf", "its hash is not the signed one, which `leaf_hash` still holds")
            self._tree = self._stored
        else:
            self._differ(source)
            return False
        self._stored = None
        self.proven = self._tree.size
        return True

    def settle_frontier(self, frontier: bytes) -> bool:
        """Hold the entries so far against the head's frontier; return whether they agree."""
        if self._tree.to_bytes() == frontier:
            self._blame("leaf_hash", "the leaf is the appended one, this hash is not its hash")
            return True
        if self._stored is not None and self._stored.to_bytes() == frontier:
            self._blame("leaf", "its hash is not the appended one, which `leaf_hash` still holds")
            return True
        self._blame("leaf_hash", "leaf and leaf_hash disagree; one of them was changed")
        return False

    def _differ(self, source: str) -> None:
        self._blame("leaf", "leaf and leaf_hash disagree, and neither leads to the signed root")
        first, last = self.proven, self._tree.size - 1
        detail = f"entries {first} to {last} do not lead to the root signed at {self._tree.size} ({source})"
        self._findings.add(FindingKind.ROOT_DIFFERS, ENTRIES, detail, row=first)
        self._broken = True

    def _blame(self, column: str, detail: str) -> None:
        for seq in self._suspects:
            self._findings.changed(ENTRIES, column, seq, detail)
        self._suspects.clear()
