"""Every file of a package, changed in every simple way: each change is named by the finding for it.

The matrices of lies and swaps are in ``test_verifier_tamper.py`` and ``test_verifier_matrix.py``; this one
leaves no file out, whatever a package may come to hold.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from archive.errors import Malformed
from archive.evidence import bag, papers, paths
from ops import keys
from tests.support.packages import World, a_request, make_world

PAPERS = {"bad_certificate", "bad_crl", "crl_not_authentic", "paper_foreign"}
CHAINS = {papers.SEAL_CHAIN, papers.STAMP_CHAIN}
SIGNATURES = {paths.SEAL: "seal_missing", paths.STAMP: "stamp_missing"}
NO_PACKAGE = frozenset({"bad_package"})


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A request's package of two cameras, with the papers beside its seal."""
    world = make_world(tmp_path_factory.mktemp("origin"), cameras=("cam-1", "cam-2"), request=a_request())
    give = partial(keys.load_papers, world.keys, world.sealer.signer, tsa_url="")
    world = replace(world, sealer=replace(world.sealer, papers=give))
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_last(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def remove(path: Path) -> None:
    path.unlink()


def rename(path: Path) -> None:
    path.rename(path.with_name(f"x{path.name}"))


def add(path: Path) -> None:
    shutil.copyfile(path, path.with_name(f"x{path.name}"))


def expected(path: str, change: Callable[[Path], None]) -> set[frozenset[str]]:
    """Sets of codes; one whole set must be found. An empty set means that nothing is wrong."""
    gone, more = change in (remove, rename), change in (rename, add)
    if path.startswith("data/"):
        codes = {"payload_missing"} if gone else set() if more else {"payload_altered"}
        return {frozenset(codes | ({"unlisted_part"} if more else set()))}
    if path.startswith(paths.CERTIFICATES):
        if more:
            return {frozenset({"paper_foreign"} | ({"paper_missing"} if gone and path in CHAINS else set()))}
        return {frozenset({"paper_missing"})} if gone else {frozenset({code}) for code in PAPERS}
    if path in SIGNATURES:
        if gone:
            return {frozenset({SIGNATURES[path]})}
        found = {"seal_content", "seal_form", "seal_signature", "bad_cms", "stamp_content", "stamp_signature"}
        found |= {"bad_token", "stamp_form", "chain_broken", "bad_certificate"}
        return {frozenset()} if more else {frozenset({code}) for code in found}
    if path == bag.DECLARATION and gone:
        return {NO_PACKAGE}
    codes = {"unlisted_part"} if more else set()
    codes |= {"tag_missing"} if gone else set()
    if not gone and not more:
        codes |= {"seal_content" if path == bag.TAG_MANIFEST else "tag_altered"}
    return {frozenset(codes)}


def found(world: World, package: Path) -> set[str]:
    try:
        result = world.verify(package)
    except Malformed as error:
        return {error.code}
    codes = {finding.code for finding in result.findings}
    assert result.valid is (codes <= {"paper_missing"})
    return codes


@pytest.mark.parametrize("change", [flip, flip_last, truncate, extend, remove, rename, add])
def test_every_change_of_every_file_is_named(
    origin: World, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    whole = origin.folder / "package"
    files = sorted(str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file())
    assert set(files) >= {*bag.TAG_FILES, bag.TAG_MANIFEST, *SIGNATURES, *CHAINS, paths.STATEMENT}
    assert len(files) >= 30
    for number, path in enumerate(files):
        copy = tmp_path / str(number) / "package"
        shutil.copytree(whole, copy, copy_function=shutil.copyfile)
        change(copy / path)
        codes = found(origin, copy)
        assert any(wanted <= codes for wanted in expected(path, change)), f"{path}: {codes}"
        assert codes or expected(path, change) == {frozenset()}, path
        shutil.rmtree(copy)
