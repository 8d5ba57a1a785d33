"""Damaged packages: no exception escapes the verifier, and none that was changed is valid.

There are a thousand cases; ``make soak-verify`` runs fifty thousand (``SAKSI_FUZZ_CASES``).
"""

import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive import canonical
from archive.evidence import bag, paths
from archive.evidence.verifier import certificate, cms, der, log, mp4, names
from archive.evidence.verifier.certificate import read_pem
from archive.evidence.verifier.container import (
    Container,
    NoPackage,
    Unreadable,
    ZipContainer,
)
from archive.evidence.verifier.der import BadDer
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.mp4 import BadMp4
from archive.evidence.verifier.openssl import Openssl
from archive.evidence.verifier.trust import Trust
from archive.evidence.verifier.verify import verify
from tests.support.packages import EVIDENCE_ID, World, a_request, make_world

CASES = int(os.environ.get("SAKSI_FUZZ_CASES", "1000"))
WORKERS = 10
ODD: list[Any] = [
    None, True, 0, -1, 2**53, 10**30, 1.5, "", "x" * 5000, "\0", "\u202e", "é", [], {}, [[]], {"a": []},
    "data/../x", "data/metadata/evidence.json", "2026-02-30T00:00:00.000000Z", "0" * 64,
    "data/original/cam-1/x", "9" * 17,
]  # fmt: skip


class Memory(Container):
    """A package in memory."""

    def __init__(self, parts: dict[str, bytes], broken: str = "") -> None:
        super().__init__()
        self._parts = parts
        self._broken = broken
        self.sizes = {path: len(data) for path, data in parts.items()}
        self.objections = names.objections(self.sizes)

    def chunks(self, path: str) -> Iterator[bytes]:
        if path not in self._parts:
            raise Unreadable("it is missing")
        data = self._parts[path]
        for at in range(0, len(data), 1000):
            if path == self._broken and at:
                raise Unreadable("it breaks off")
            yield data[at : at + 1000]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), segments=2, request=a_request())
    world.zip()
    return world


@pytest.fixture(scope="module")
def whole(origin: World) -> bytes:
    return (origin.folder / f"{EVIDENCE_ID}.zip").read_bytes()


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {info.filename.partition("/")[2]: package.read(info) for info in package.infolist()}


def trust_of(world: World, program: Openssl | None) -> Trust:
    roots = tuple(read_pem((world.keys / "root.pem").read_bytes()))
    pinned = world.pinned()
    return Trust(roots, roots, pinned.signer_sha256 or "", pinned.log_sha256 or "", program, why="not given")


def damaged(random: Random, data: bytes) -> bytes:
    """The data with flipped, cut, removed, added or moved bytes."""
    found = bytearray(data)
    at = random.randrange(len(found) + 1)
    match random.randrange(6):
        case 0 | 1:
            for _ in range(random.randint(1, 3)):
                if found:
                    found[random.randrange(len(found))] ^= 1 << random.randrange(8)
        case 2:
            del found[at:]
        case 3:
            del found[at : at + random.randint(1, 50)]
        case 4:
            found[at:at] = random.randbytes(random.randint(1, 20))
        case _:
            other = random.randrange(len(found) + 1)
            found[at : at + 8] = found[other : other + 8]
    return bytes(found)


def mangled(random: Random, value: Any) -> Any:
    """A JSON value with one member somewhere changed, dropped, repeated or replaced by something odd."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(sorted(value))
        changed = dict(value)
        if random.random() < 0.08:
            del changed[name]
        else:
            changed[name] = mangled(random, changed[name])
        return changed
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        rest = random.randrange(10)
        if rest == 0:
            return value[:at] + value[at + 1 :]
        if rest == 1:
            return [*value, value[at]]
        if rest == 2:
            return value[::-1]
        return [*value[:at], mangled(random, value[at]), *value[at + 1 :]]
    if isinstance(value, int) and random.random() < 0.6:
        return max(0, value + random.choice((-1, 1, 1000, -value)))
    return random.choice(ODD)


def retagged(parts: dict[str, bytes]) -> dict[str, bytes]:
    """The parts with rewritten manifests, so that later checks are reached."""
    good = {path: data for path, data in parts.items() if path.startswith("data/")}
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in good.items()}
    parts[bag.MANIFEST] = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode()
    tags = {name: hashlib.sha256(parts.get(name, b"")).hexdigest() for name in bag.TAG_FILES}
    parts[bag.TAG_MANIFEST] = "".join(f"{tags[name]}  {name}\n" for name in sorted(tags)).encode()
    return parts


def one_case(random: Random, parts: dict[str, bytes]) -> Memory:
    """One damaged package in memory."""
    changed = dict(parts)
    broken = ""
    for _ in range(random.randint(1, 2)):
        path = random.choice(sorted(changed))
        match random.randrange(8):
            case 0 | 1 | 2:
                changed[path] = damaged(random, changed[path])
            case 3:
                changed[path] = changed[random.choice(sorted(changed))]
            case 4 if len(changed) > 2:
                del changed[path]
            case 5:
                broken = path
            case _:
                value = mangled(random, canonical.decode(parts[paths.STATEMENT]))
                changed[paths.STATEMENT] = _written(value)
    if random.random() < 0.7:
        retagged(changed)
    return Memory(changed, broken)


def _written(value: Any) -> bytes:
    import json

    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


@pytest.mark.parametrize("seed", range(WORKERS))
def test_damaged_packages_never_pass_and_nothing_escapes(origin: World, whole: bytes, seed: int) -> None:
    random = Random(f"standalone {seed}")  # noqa: S311
    parts = parts_of(whole)
    trust = trust_of(origin, None)
    for _ in range(CASES * 7 // 10 // WORKERS):
        notebook = verify(one_case(random, parts), trust, "stamp", clock=origin.clock.now)
        assert notebook.verdict != "valid"
        assert notebook.to_json()["valid"] is False


@pytest.mark.parametrize("seed", range(WORKERS))
def test_damaged_zips_never_pass_and_nothing_escapes(
    origin: World, whole: bytes, tmp_path: Path, seed: int
) -> None:
    random = Random(f"zip {seed}")  # noqa: S311
    path = tmp_path / "x.zip"
    trust = trust_of(origin, None)
    for _ in range(CASES * 3 // 10 // WORKERS):
        path.write_bytes(damaged(random, whole))
        try:
            container = ZipContainer(str(path))
        except NoPackage:
            continue
        try:
            assert verify(container, trust, clock=origin.clock.now).verdict != "valid"
        finally:
            container.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")
def test_what_stays_valid_is_the_sealed_set_itself(origin: World, whole: bytes) -> None:
    """With openssl, which is slow: a hundredth of the cases, including whole manifests and seals."""
    random = Random("with openssl")  # noqa: S311
    parts = parts_of(whole)
    sealed = {path: data for path, data in parts.items() if not path.startswith(paths.LATER)}
    program = Openssl()
    try:
        trust = trust_of(origin, program)
        for _ in range(max(20, CASES // 100)):
            changed = dict(parts)
            path = random.choice([*sorted(changed), paths.SEAL, paths.STAMP])
            changed[path] = damaged(random, changed[path])
            notebook = verify(Memory(changed), trust, clock=origin.clock.now)
            if notebook.verdict == "valid":
                assert {name: changed[name] for name in sealed} == sealed
    finally:
        program.close()


def test_every_byte_of_seal_and_stamp_changed_or_cut_is_read_without_an_escape(whole: bytes) -> None:
    parts = parts_of(whole)
    for path, read in ((paths.SEAL, cms.read_seal), (paths.STAMP, cms.read_token)):
        data = parts[path]
        whole_one = read(data)  # type: ignore[operator]
        refused = 0
        for at in range(len(data)):
            for changed in (data[:at], data[:at] + bytes([data[at] ^ 0x81]) + data[at + 1 :]):
                try:
                    assert type(read(changed)) is type(whole_one)  # type: ignore[operator]
                except Broken:
                    refused += 1
        assert refused >= len(data), "each that was cut is refused"


def test_readers_of_bytes_raise_their_own_errors_only(whole: bytes) -> None:
    random = Random("readers")  # noqa: S311
    parts = parts_of(whole)
    original = next(data for path, data in parts.items() if path.startswith("data/original/"))
    clip = next(data for path, data in parts.items() if path.startswith("data/derivative/"))
    checkpoint = next(data for path, data in parts.items() if path.endswith("/checkpoint"))
    own = cms.read_seal(parts[paths.SEAL]).certificate.raw
    refused: set[int] = set()
    for _ in range(CASES):
        readers = (
            (mp4.original_samples, original[: random.randrange(1200)], BadMp4),
            (mp4.original_samples, damaged(random, original[:1000]), BadMp4),
            (mp4.clip_samples, damaged(random, clip[:1500]), BadMp4),
            (lambda data: mp4.head_length(data, (b"ftyp", b"moov")), damaged(random, clip[:1500]), BadMp4),
            (log.read_checkpoint, damaged(random, checkpoint), Broken),
            (certificate.read, damaged(random, own), (BadDer, ValueError, IndexError)),
            (der.parse, random.randbytes(random.randrange(30)), BadDer),
        )
        for number, (read, data, kind) in enumerate(readers):
            try:
                read(data)  # type: ignore[operator]
            except kind:  # type: ignore[misc]
                refused.add(number)
    assert refused == set(range(7)), "each reader has refused some"
