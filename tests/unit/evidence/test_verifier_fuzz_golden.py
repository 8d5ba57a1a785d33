"""Golden packages, damaged: no exception leaves the verifier, and nothing damaged passes.

``SAKSI_FUZZ_CASES`` says how many cases; the long form is ``make soak-verify`` (50,000).
"""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive import canonical
from archive.clock import ManualClock
from archive.errors import Malformed
from archive.evidence import bag, paths
from archive.evidence.verification import verify_container
from archive.evidence.verifier.container import Chunks, Container, Unreadable, ZipContainer
from archive.evidence.verifier.notebook import NOT_CHECKED
from archive.timespan import DAY, parse_instant
from archive.trust.judge import Trust, load_trust

CASES = int(os.environ.get("SAKSI_FUZZ_CASES", "1000"))
BLOCKS = 8
VECTORS = Path(__file__).parents[2] / "vectors"
FOLDERS = {
    "footage-hevc-request": VECTORS / "evidence_2",
    "no-footage": VECTORS / "evidence_2",
    "footage-h264": VECTORS / "evidence_2",
    "two-of-five": VECTORS / "evidence_2_slices",
}
NAMES = tuple(FOLDERS)
CLOCK = ManualClock(parse_instant("2026-11-25T06:00:00Z") + DAY)


class Parts(Container):
    """A package in memory."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        super().__init__()
        self.parts = dict(parts)
        self.sizes = {path: len(data) for path, data in self.parts.items()}

    def chunks(self, path: str) -> Chunks:
        if path not in self.parts:
            raise Unreadable("it is missing")
        data = self.parts[path]
        for at in range(0, len(data), 900):
            yield data[at : at + 900]


@pytest.fixture(scope="module")
def packages() -> dict[str, tuple[dict[str, bytes], Trust]]:
    found = {}
    for name, folder in FOLDERS.items():
        container = ZipContainer(str(folder / f"{name}.zip"))
        parts = {path: container.small(path) for path in container.sizes}
        container.close()
        found[name] = parts, load_trust([folder / f"{name}.root.pem"], [], None)
    return found


def damaged(random: Random, data: bytes) -> bytes:
    """One of: a flipped bit, a cut, a doubled stretch, zeros, noise, another order."""
    if not data:
        return random.randbytes(1)
    at = random.randrange(len(data))
    end = min(len(data), at + 1 + int(random.expovariate(1 / 20)))
    match random.randrange(6):
        case 0:
            return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:end] + data[at:]
        case 3:
            return data[:at] + bytes(end - at) + data[end:]
        case 4:
            return data[:at] + random.randbytes(end - at) + data[end:]
    return data[at:] + data[:at]


def strange(random: Random) -> Any:
    return random.choice(
        [
            *(0, -1, 1, 2**53 - 1, 2**60, [], {}, [[]]),
            *("", "x" * 5000, "data/x", "../x", "00" * 32, "9" * 20, "\u0000", "é"),
            *("2026-02-30T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"),
        ]
    )


def restated(random: Random, value: Any) -> Any:
    """A JSON value with one member changed, removed, doubled or replaced by something odd."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(sorted(value))
        match random.randrange(8):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                return value | {random.choice(["x", "log", "slices"]): strange(random)}
        return value | {name: restated(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        match random.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
        return [*value[:at], restated(random, value[at]), *value[at + 1 :]]
    if isinstance(value, int) and random.random() < 0.5:
        return value + random.choice([-1, 1, 255, -255, 1 << 32])
    return strange(random)


def repaired(parts: dict[str, bytes]) -> None:
    """Digests of manifests and tag files as a forger writes them, so that later steps are reached."""
    payload = {path: data for path, data in parts.items() if path.startswith("data/")}
    try:
        manifest = bag.write_manifest({path: sha256(data).hexdigest() for path, data in payload.items()})
        fields = bag.read_info(parts[bag.INFO]) | {
            "Payload-Oxum": bag.payload_oxum(map(len, payload.values()))
        }
        parts[bag.MANIFEST], parts[bag.INFO] = manifest, bag.write_info(fields.items())
    except (Malformed, KeyError):
        return
    tags = {name: sha256(parts[name]).hexdigest() for name in bag.TAG_FILES if name in parts}
    parts[bag.TAG_MANIFEST] = bag.write_manifest(tags)


def mutated(random: Random, parts: dict[str, bytes], other: dict[str, bytes]) -> str:
    """Damage a package in one way; returns a description of it."""
    path = random.choice(sorted(parts))
    match random.randrange(8):
        case 0:
            del parts[path]
            return f"removed {path}"
        case 1:
            name = random.choice([f"{path}x", "data/new", "signatures/certs/x.crl", "../up", "data/é"])
            parts[name] = parts.pop(path)
            return f"renamed {path} to {name}"
        case 2:
            source = random.choice(sorted(other))
            parts[path] = other[source]
            return f"{path} from the other package's {source}"
        case 3 | 4:
            value = restated(random, canonical.decode(parts[paths.STATEMENT]))
            try:
                parts[paths.STATEMENT] = canonical.encode(value)
            except (Malformed, TypeError, ValueError):
                parts[paths.STATEMENT] = repr(value).encode()
            path = paths.STATEMENT
        case _:
            parts[path] = damaged(random, parts[path])
    if random.random() < 0.7:
        repaired(parts)
    return f"changed {path}"


@pytest.mark.parametrize("block", range(BLOCKS))
def test_damage_is_found_and_never_raised(
    packages: dict[str, tuple[dict[str, bytes], Trust]], block: int
) -> None:
    for number in range(block, CASES, BLOCKS):
        random = Random(f"{os.environ.get('SAKSI_SEED', 'fuzz')} {number}")  # noqa: S311 - the same each time
        name = NAMES[number % len(NAMES)]
        before, trust = packages[name]
        parts = dict(before)
        done = mutated(random, parts, packages[random.choice(NAMES)][0])
        at = random.choice(["now", "stamp"])
        result = verify_container(Parts(parts), trust=trust, at=at, clock=CLOCK, program="no-openssl")
        if result.verdict == NOT_CHECKED:  # no error so far: the signatures decide
            result = verify_container(Parts(parts), trust=trust, at=at, clock=CLOCK)
        unsealed = {path for path in parts if path.startswith(paths.LATER)} - set(before)
        same = {path: data for path, data in parts.items() if path not in unsealed}
        assert not result.valid or same == before, f"case {number}: {done} passed"


@pytest.mark.parametrize(("at", "was", "now"), [(50, 0x05, 0x36), (50, 0x05, 0x04), (None, 0x31, 0x11)])
def test_what_no_signature_of_a_token_covers_is_held_to_its_form(
    packages: dict[str, tuple[dict[str, bytes], Trust]], at: int | None, was: int, now: int
) -> None:
    """Parameters of a hash, and the kind of a set: ``openssl`` looks at neither."""
    before, trust = packages["footage-h264"]
    whole = before[paths.STAMP]
    places = [at] if at else [place for place, byte in enumerate(whole) if byte == was]
    for place in places:
        if whole[place] != was:
            continue
        token = whole[:place] + bytes([now]) + whole[place + 1 :]
        result = verify_container(Parts({**before, paths.STAMP: token}), trust=trust, at="stamp", clock=CLOCK)
        assert not result.valid, place
