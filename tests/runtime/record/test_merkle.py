"""RFC 6962 trees, against the vectors that the Certificate Transparency projects publish."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    subtree_of,
    verify_consistency,
    verify_inclusion,
)

# github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def tree(hashes: list[bytes]) -> Frontier:
    frontier = Frontier()
    for hashed in hashes:
        frontier.append(hashed)
    return frontier


def test_the_published_roots() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [tree(HASHES[: size + 1]).root().hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_the_published_inclusion_proofs(index: int, size: int) -> None:
    proof = inclusion_proof(index, size, subtree_of(HASHES))

    assert [node.hex() for node in proof] == PATHS[index, size]
    assert verify_inclusion(HASHES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1])).holds


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_the_published_consistency_proofs(old: int, new: int) -> None:
    proof = consistency_proof(old, new, subtree_of(HASHES))

    roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    assert [node.hex() for node in proof] == CONSISTENCY[old, new]
    assert verify_consistency(old, new, proof, *roots).holds


def hashes_of(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


@given(st.integers(1, 70), st.data())
def test_a_proof_holds_for_its_own_leaf_and_no_other(size: int, data: st.DataObject) -> None:
    hashes = hashes_of(size)
    root = tree(hashes).root()
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, subtree_of(hashes))

    assert verify_inclusion(hashes[index], index, size, proof, root).holds
    assert verify_inclusion(hashes[other], other, size, proof, root).holds is (other == index)
    assert not verify_inclusion(hashes[index], index, size, [*proof, root], root).holds
    assert not verify_inclusion(hashes[index], index, size, proof, sha256(root).digest()).holds
    assert not verify_inclusion(hashes[index], size, size, proof, root).holds


@given(st.integers(1, 70), st.data())
def test_a_consistency_proof_holds_for_its_own_trees_and_no_others(new: int, data: st.DataObject) -> None:
    hashes = hashes_of(new)
    old = data.draw(st.integers(1, new))
    old_root, new_root = tree(hashes[:old]).root(), tree(hashes).root()
    proof = consistency_proof(old, new, subtree_of(hashes))
    wrong = sha256(b"wrong").digest()

    assert verify_consistency(old, new, proof, old_root, new_root).holds
    assert not verify_consistency(old, new, proof, wrong, new_root).holds
    assert not verify_consistency(old, new, proof, old_root, wrong).holds
    assert not verify_consistency(old, new, [*proof, wrong], old_root, new_root).holds
    assert old == new or not verify_consistency(old, new, proof[:-1], old_root, new_root).holds


@given(st.integers(0, 300), st.integers(0, 40))
def test_a_frontier_goes_on_where_its_bytes_left_off(size: int, more: int) -> None:
    hashes = hashes_of(size + more)
    continued = Frontier.from_bytes(size, tree(hashes[:size]).to_bytes())
    for hashed in hashes[size:]:
        continued.append(hashed)

    assert continued.root() == tree(hashes).root()


@pytest.mark.parametrize(("size", "data"), [(0, b"x" * 32), (3, b"x" * 32), (1, b"x" * 31), (-1, b"")])
def test_a_frontier_of_another_size_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(size, data)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_proof(index, size, subtree_of(HASHES))


@pytest.mark.parametrize(("old", "new"), [(0, 4), (5, 4)])
def test_there_is_no_proof_between_such_sizes(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="consistency"):
        consistency_proof(old, new, subtree_of(HASHES))
