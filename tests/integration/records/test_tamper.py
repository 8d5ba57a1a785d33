"""One custody event removed, moved, altered or added: ``saksi log verify`` names the object, every time.

The attacker is root on the host: they change the bytes on disk and the store's own facts beside them, so that
only the log can reveal the change.
"""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive import canonical
from archive.canonical import sha256_hex
from archive.model.custody import Actor, Outcome
from archive.objects.filesystem.sidecar import Sidecar, sidecar_name
from ops.log import Log
from ops.settings import Settings
from ops.wiring import Site
from tests.support.command_line import CommandLine

Lines = list[bytes]
Harm = Callable[[Lines, int], Lines]


def records(home: Path, key: str) -> Path:
    return home / "archive" / "records" / key


def forge(home: Path, key: str, content: bytes) -> None:
    """Replace an object and the store's facts about it."""
    path = records(home, key)
    beside = path.with_name(sidecar_name(path.name))
    facts = Sidecar.decode(key, beside.read_bytes())
    for one in (path, beside):
        one.chmod(0o640)
    path.write_bytes(content)
    changed = Sidecar(
        key, sha256_hex(content), len(content), facts.stored_at, facts.lock, facts.held, facts.metadata
    )
    beside.write_bytes(changed.encode())


def with_header(lines: Lines) -> Lines:
    """Correct the header's count, as an attacker who knows the format would."""
    header = canonical.decode(lines[0]) | {"lines": len(lines) - 1}
    return [canonical.encode(header), *lines[1:]]


def changed(**fields: object) -> Harm:
    def harm(lines: Lines, at: int) -> Lines:
        event = canonical.decode(lines[at]) | fields
        return [*lines[:at], canonical.encode(event), *lines[at + 1 :]]

    return harm


HARMS: dict[str, Harm] = {
    "removed": lambda lines, at: with_header([*lines[:at], *lines[at + 1 :]]),
    "moved": lambda lines, at: [lines[0], *lines[at : at + 1], *lines[1:at], *lines[at + 1 :]],
    "told twice": lambda lines, at: with_header([*lines[: at + 1], *lines[at:]]),
    "by somebody else": changed(actor={"id": "user:budi", "address": "", "session": ""}),
    "about something else": changed(objects=["cam-2"]),
    "at another time": changed(at="2026-01-01T00:00:00.000000Z"),
    "for another reason": changed(purpose="LP/B/9"),
    "refused instead of done": changed(outcome="refused"),
    "of another size": changed(details={"bytes_sent": 1}),
    "blank behind it": lambda lines, at: [*lines[:at], lines[at] + b" ", *lines[at + 1 :]],
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints over custody of two processes, some objects with several events."""
    home = tmp_path_factory.mktemp("healthy") / "home"
    line = CommandLine(home)
    line.must("keys", "init")
    for round_ in range(2):
        with Site(Settings.load({"SAKSI_HOME": str(home)})) as site:

            def told(number: int, custody: object = site.custody) -> None:
                site.custody.record(
                    "clip.download.ended",
                    actor=Actor(id=f"user:op-{number}", address="192.0.2.9", session="s", role="war_room"),
                    objects=("cam-1",),
                    purpose="LP/B/123",
                    outcome=Outcome.DONE,
                    details={"bytes_sent": number},
                )

            for burst in range(2):
                with ThreadPoolExecutor(8) as pool:
                    list(pool.map(told, range(10 * burst + round_, 10 * burst + round_ + 8)))
        line.must("log", "make")
    return home


@pytest.fixture
def home(healthy: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(healthy, tmp_path / "home", symlinks=True))


def custody(home: Path) -> Iterator[tuple[str, Lines]]:
    root = home / "archive" / "records"
    for path in sorted((root / "custody").rglob("*.jsonl")):
        yield str(path.relative_to(root)), path.read_bytes().split(b"\n")[:-1]


def verdict(home: Path) -> list[tuple[str, str]]:
    """The verdict of the log in this process, as the command gives it."""
    with Site(Settings.load({"SAKSI_HOME": str(home)})) as site:
        report = Log(site).verify(trust=[])
        return [] if report.valid else [(one.code, one.object) for one in report.findings]


def test_the_record_is_whole_before(home: Path) -> None:
    assert verdict(home) == []
    counts = [len(lines) - 1 for _, lines in custody(home)]
    assert len(counts) >= 4
    assert max(counts) >= 2, "no object of several events to reorder"


@pytest.mark.parametrize("name", HARMS)
def test_every_single_event_counts(home: Path, name: str) -> None:
    tried = 0
    for key, lines in list(custody(home)):
        whole = b"".join(line + b"\n" for line in lines)
        for at in range(1, len(lines)):
            harmed = b"".join(line + b"\n" for line in HARMS[name](lines, at))
            if harmed == whole:
                continue  # moving the first line to its own place changes nothing
            forge(home, key, harmed)
            assert ("object_altered", key) in verdict(home), (name, key, at)
            tried += 1
            forge(home, key, whole)
    assert verdict(home) == []
    assert tried >= (1 if name == "moved" else 16)


def test_whole_objects_that_are_removed_or_exchanged_are_named(home: Path) -> None:
    found = dict(custody(home))
    for key in found:
        path = records(home, key)
        kept = [(one, one.read_bytes()) for one in (path, path.with_name(sidecar_name(path.name)))]
        for one, _ in kept:
            one.unlink()
        assert ("object_missing", key) in verdict(home)
        for one, content in kept:
            one.write_bytes(content)
    first, second = list(found)[:2]
    whole = {key: records(home, key).read_bytes() for key in (first, second)}
    forge(home, first, whole[second])
    forge(home, second, whole[first])
    assert {("object_altered", first), ("object_altered", second)} <= set(verdict(home))


def test_the_command_says_so_and_ends_with_1(home: Path) -> None:
    line = CommandLine(home)
    key, lines = max(custody(home), key=lambda one: len(one[1]))
    forge(home, key, b"".join(one + b"\n" for one in HARMS["removed"](lines, len(lines) - 1)))
    told = line("log", "verify", "--all", "--json")
    assert (told.code, told.json["valid"]) == (1, False)
    (finding,) = [one for one in told.json["findings"] if one["object"] == key]
    assert finding["code"] == "object_altered"
    people = line("log", "verify", "--all")
    assert people.code == 1
    assert key in "".join((people.out + people.err).split())
