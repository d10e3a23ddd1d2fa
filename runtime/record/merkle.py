"""The Merkle tree of RFC 6962, section 2.1. Pure: values in, values out.

1. A leaf's hash is SHA-256(0x00 || leaf); a node's is SHA-256(0x01 || left || right).
2. The tree over n leaves splits at the largest power of two below n, so its left part is always perfect.
3. To append, only the roots of the perfect subtrees are needed, one for each one-bit of n, largest first:
   the frontier (also "compact range").

Proofs take a `Subtree`, which gives the hash over leaves [start, end); where the hashes come from is the
caller's matter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, reduced to what an append and the root need."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Continue a tree of `size` leaves whose perfect subtrees have the roots `peaks`, largest first.

        Raises:
            ValueError: the number or length of the peaks does not fit the size.
        """
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_SIZE for peak in peaks):
            raise ValueError(f"a frontier of {size} leaves needs {size.bit_count()} hashes, got {len(peaks)}")
        self.size = size
        self.peaks = list(peaks)

    def append(self, hashed_leaf: bytes) -> None:
        """Add one leaf by its hash."""
        peak, size = hashed_leaf, self.size
        while size & 1:
            peak = sha256(b"\x01" + self.peaks.pop() + peak).digest()
            size >>= 1
        self.peaks.append(peak)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "Frontier":
        """Return an independent copy."""
        return Frontier(self.size, self.peaks)

    def to_bytes(self) -> bytes:
        """Return the peaks, largest subtree first, one after the other."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Read what `to_bytes` wrote for a tree of `size` leaves.

        Raises:
            ValueError: the length does not fit the size.
        """
        return cls(size, [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)])


@dataclass(frozen=True)
class ProofResult:
    """Whether a proof holds, and why not."""

    holds: bool
    reason: str


def subtree_of(hashed_leaves: Sequence[bytes]) -> Subtree:
    """Return the subtree function over leaf hashes held in memory."""

    def subtree(start: int, end: int) -> bytes:
        frontier = Frontier()
        for hashed_leaf in hashed_leaves[start:end]:
            frontier.append(hashed_leaf)
        return frontier.root()

    return subtree


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of leaf `index` in a tree of `size` leaves (RFC 6962, 2.1.1), sibling first.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    return _path(index, 0, size, subtree)


def _path(index: int, start: int, end: int, subtree: Subtree) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, subtree), subtree(middle, end)]
    return [*_path(index, middle, end, subtree), subtree(start, middle)]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of `old` leaves is a prefix of that of `new` leaves (RFC 6962, 2.1.2).

    Raises:
        ValueError: not 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new} leaves; expected 0 < old <= new")
    return _subproof(old, 0, new, subtree, whole=True)


def _subproof(old: int, start: int, end: int, subtree: Subtree, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [subtree(start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, subtree, whole=whole), subtree(middle, end)]
    return [*_subproof(old, middle, end, subtree, whole=False), subtree(start, middle)]


def _split(width: int) -> int:
    return 1 << ((width - 1).bit_length() - 1)


def verify_inclusion(
    hashed_leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> ProofResult:
    """Check that a leaf is at `index` of the tree of `size` leaves with `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return ProofResult(holds=False, reason=f"leaf {index} is not in a tree of {size} leaves")
    node, position, last = hashed_leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return ProofResult(holds=False, reason="the proof is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        return ProofResult(holds=False, reason="the proof is too short")
    return _same(node, root, "the leaf is not under this root")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> ProofResult:
    """Check that the tree of `old` leaves is a prefix of that of `new` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return ProofResult(holds=False, reason=f"no proof leads from {old} to {new} leaves")
    if old == new:
        unneeded = ProofResult(holds=False, reason="the proof is too long")
        return unneeded if proof else _same(old_root, new_root, "two roots at one size")
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return ProofResult(holds=False, reason="the proof is too short")
    return _walk_consistency(old - 1, new - 1, path, old_root, new_root)


def _walk_consistency(
    position: int, last: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> ProofResult:
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            return ProofResult(holds=False, reason="the proof is too long")
        if position & 1 or position == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        return ProofResult(holds=False, reason="the proof is too short")
    old_result = _same(old_node, old_root, "the old tree is not a prefix of the new one")
    return _same(new_node, new_root, "the new root does not follow") if old_result.holds else old_result


def _same(got: bytes, expected: bytes, otherwise: str) -> ProofResult:
    return (
        ProofResult(holds=True, reason="") if got == expected else ProofResult(holds=False, reason=otherwise)
    )
