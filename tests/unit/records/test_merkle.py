"""Merkle trees are those of RFC 6962."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.records import merkle

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc6962.json").read_text("utf-8"))
INPUTS = [bytes.fromhex(text) for text in VECTORS["leaves"]]


def by_definition(leaves: list[bytes]) -> bytes:
    """The tree's hash as RFC 6962, section 2.1, defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in INPUTS[:size]]
    assert merkle.root(hashes).hex() == VECTORS["roots"][size]
    assert merkle.Tree(hashes).root().hex() == VECTORS["roots"][size]


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 80))
def test_root_is_that_of_the_definition_however_it_is_fed(leaves: list[bytes], cut: int) -> None:
    builder = merkle.RootBuilder()
    builder.extend(merkle.leaf_hash(leaf) for leaf in leaves[:cut])
    for leaf in leaves[cut:]:
        assert builder.add(leaf) == merkle.leaf_hash(leaf)
    assert builder.root() == by_definition(leaves)
    assert builder.size == len(leaves)


@pytest.mark.parametrize("size", [4095, 4096, 4097, 8192, 8193, 12288, 20_000])
def test_whole_chunks_are_joined_as_the_definition_says(size: int) -> None:
    leaves = [number.to_bytes(3, "big") for number in range(size)]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    assert merkle.root(hashes) == merkle.Tree(hashes).root() == by_definition(leaves)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_a_proof_holds_for_its_leaf_and_place_alone(leaves: list[bytes], data: st.DataObject) -> None:
    tree = merkle.Tree(merkle.leaf_hash(leaf) for leaf in leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    found, proof, root = merkle.leaf_hash(leaves[index]), tree.proof(index), by_definition(leaves)
    assert merkle.is_included(found, index, len(leaves), proof, root)
    assert not merkle.is_included(merkle.leaf_hash(leaves[index] + b"x"), index, len(leaves), proof, root)
    assert not merkle.is_included(found, index, len(leaves), [*proof, found], root)
    if proof:
        at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        broken = bytearray(proof[at])
        broken[bit // 8] ^= 1 << bit % 8
        assert not merkle.is_included(
            found, index, len(leaves), [*proof[:at], bytes(broken), *proof[at + 1 :]], root
        )
        assert not merkle.is_included(found, index, len(leaves), proof[:-1], root)
    other = data.draw(st.integers(0, len(leaves) - 1))
    if leaves[other] != leaves[index]:
        assert not merkle.is_included(found, other, len(leaves), tree.proof(other), root)


def test_what_cannot_be_a_proof_is_none() -> None:
    leaf = merkle.leaf_hash(b"")
    assert merkle.root_from_proof(leaf, 1, 1, []) is None
    assert merkle.root_from_proof(leaf, -1, 1, []) is None
    assert merkle.root_from_proof(leaf, 0, 2, [b"short"]) is None
    assert merkle.root_from_proof(b"short", 0, 1, []) is None
    assert not merkle.is_included(leaf, 0, 0, [], merkle.EMPTY_ROOT)
    with pytest.raises(Malformed, match="has no leaf 3"):
        merkle.Tree([leaf] * 3).proof(3)
