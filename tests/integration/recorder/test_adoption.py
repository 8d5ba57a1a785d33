"""A recorder's host dies between upload and line, for good: another signs, and a package says so."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from archive.integrity.adoption import Signer, silence
from archive.integrity.check import Checker, CheckReport
from archive.model import leaf as leaves
from archive.model.segment import Segment
from archive.records import journal
from archive.timespan import SECOND, format_instant
from ops.adopting import adoption_of
from ops.doctor import examine
from ops.wiring import Site
from tests.support.command_line import CommandLine
from tests.support.recording_site import RecordingSite
from tests.support.sound import assert_sound, segments_of
from tests.support.waiting import until

CAMERA = "kam-0"
PATIENCE = 180


@dataclass
class Lost:
    """A recorder ``rec-a``, and a host of the city beside it."""

    recorder: RecordingSite
    site: Site
    saksi: CommandLine

    def signed(self) -> dict[bytes, set[str]]:
        """Every segment's line in the archive, with the origins of its batches."""
        found: dict[bytes, set[str]] = {}
        for batch in self.batches():
            for leaf in batch.leaves:
                if isinstance(leaf, Segment):
                    found.setdefault(leaves.encode(leaf), set()).add(batch.origin)
        return found

    def batches(self) -> Iterator[journal.Batch]:
        """Every batch in the archive."""
        for listed in self.site.stores.records.list("journal/"):
            yield journal.decode(self.site.stores.records.get(listed.key))

    def stored(self) -> dict[bytes, str]:
        """Every segment in the store: its leaf and its name."""
        footage = self.site.stores.footage
        return {
            footage.head(one.key).metadata["leaf"].encode("ascii"): one.key
            for one in footage.list("segments/")
        }

    def unsigned(self) -> set[bytes]:
        """The leaves of segments for which nobody has signed."""
        return self.stored().keys() - self.signed().keys()

    def dies_unsigned(self) -> set[bytes]:
        """``kill -9`` while a segment is stored whose line is not in the archive; returns such leaves."""
        for _ in range(20):
            self.recorder.start()
            before = len(self.stored())
            until(
                lambda before=before: len(self.stored()) > before and self.signed() and self.unsigned(),
                "a segment is stored whose line is not", seconds=PATIENCE,
            )  # fmt: skip
            self.recorder.kill()
            self.recorder.process = None
            until(lambda: not self.recorder.captures(), "its FFmpeg ended with it")
            if left := self.unsigned():
                return left
        raise AssertionError("each time a batch came first")

    def adopt(self) -> int:
        """The job of the city's host, for which a silence of a second is long."""
        job = replace(adoption_of(self.site), bound=SECOND)
        until(lambda: job.run() or not self.unsigned(), "it was silent for long enough", seconds=PATIENCE)
        return len([origins for origins in self.signed().values() if "adopted" in origins])

    def seals(self, package: Path) -> list[str]:
        """Seal all footage into a package; returns the options that verify it."""
        self.site.follower().run()
        until(lambda: self.saksi("index", "sync").code == 0, "the index is whole", seconds=PATIENCE)
        self.saksi.must("log", "make")
        spans = [ref.span for ref in segments_of(self.site, CAMERA)]
        self.saksi.must(
            "seal", "--camera", CAMERA, "--from", format_instant(spans[0].start), "--to",
            format_instant(spans[-1].end), "--case", "LP/1", "-o", str(package),
        )  # fmt: skip
        keys = self.saksi.must("keys", "show", "--json").json
        return ["--trust", keys["trust_root"], "--signer", keys["signer_sha256"]]

    def check(self) -> CheckReport:
        """The check of the archive."""
        return Checker(self.site.stores, self.site.bare_index, self.site.clock).run()


@pytest.fixture
def lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lost]:
    monkeypatch.setattr(silence, "WATCHED", 0)
    shared = {
        "SAKSI_ARCHIVE_URL": f"file://{tmp_path / 'archive'}",
        "SAKSI_INDEX_URL": f"sqlite:///{tmp_path / 'index' / 'index.sqlite'}",
        "SAKSI_KEYS_DIR": str(tmp_path / "keys"),
    }
    saksi = CommandLine(tmp_path / "city", {**shared, "SAKSI_RECORDER": "rec-b"})
    saksi.must("keys", "init")
    recorder = RecordingSite(tmp_path / "rec-a", {**shared, "SAKSI_RECORDER": "rec-a"})
    recorder.folder.mkdir()
    recorder.add(CAMERA, "test://?size=160x120&fps=10&gop=10")
    city = RecordingSite(tmp_path / "city", {**shared, "SAKSI_RECORDER": "rec-b"})
    with ExitStack() as stack:
        stack.callback(lambda: recorder.process is not None and recorder.kill())
        yield Lost(recorder, stack.enter_context(city.site()), saksi)


def test_another_signs_a_package_says_so_and_the_first_may_come_back(lost: Lost, tmp_path: Path) -> None:
    left = lost.dies_unsigned()
    spool = lost.recorder.folder / "spool"
    spool.rename(tmp_path / "disk")
    assert lost.adopt() == len(left)
    report = lost.check()
    assert (report.breaches, report.adopted, report.without_a_line) == ([], {"rec-a": len(left)}, [])
    assert {line for line, origins in lost.signed().items() if origins == {"adopted"}} == left
    package = tmp_path / "bukti.zip"
    trust = lost.seals(package)
    [told] = [one.message for one in examine(lost.site) if one.subject == "adoption"]
    assert told == f"{len(left)} segments of rec-a were adopted lately"
    verified = lost.saksi("verify", str(package), *trust, "--json")
    assert (verified.code, verified.json["valid"]) == (0, True), verified.out
    with zipfile.ZipFile(package) as bag:
        [readme] = [name for name in bag.namelist() if name.endswith("data/README.txt")]
        text = bag.read(readme).decode()
        assert "recorded by rec-a, adopted: signed by rec-b-adopted" in text
        assert "direkam rec-a, diadopsi: ditandatangani rec-b-adopted" in text
        assert any("rec-b-adopted" in name and "/proofs/" in name for name in bag.namelist())

    shutil.rmtree(spool, ignore_errors=True)
    (tmp_path / "disk").rename(spool)
    before = len(lost.stored())
    lost.recorder.start()
    until(lambda: len(lost.stored()) > before, "it records again", seconds=PATIENCE)
    assert lost.recorder.stop() == 0, lost.recorder.log()
    lost.recorder.process = None
    signed = lost.signed()
    assert all(signed[line] == {"recorder", "adopted"} for line in left), "the same line, by both"
    assert signed.keys() == lost.stored().keys(), "one leaf for each segment"
    assert_sound(lost.site, CAMERA)
    assert lost.check().adopted == {}
    again = lost.saksi("verify", str(package), *trust, "--json")
    assert again.json["valid"], "what was sealed stays valid"


def test_a_package_over_what_two_hosts_adopted_at_one_moment_verifies(
    lost: Lost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = lost.dies_unsigned()
    (lost.recorder.folder / "spool").rename(tmp_path / "disk")
    third = RecordingSite(tmp_path / "third", {**lost.recorder.environment, "SAKSI_RECORDER": "rec-c"})
    third.folder.mkdir()
    with third.site() as site:
        other, sign, turns = replace(adoption_of(site), bound=SECOND), Signer.sign, list[int]()

        def overtaken(signer: Signer, *given: Any) -> None:
            if signer.name == "rec-b-adopted" and not turns:
                turns.append(0)
                turns.append(until(other.run, "the third adopts, too", seconds=PATIENCE))
            sign(signer, *given)

        monkeypatch.setattr(Signer, "sign", overtaken)
        lost.adopt()
    assert turns == [0, len(left)]
    package = tmp_path / "bukti.zip"
    trust = lost.seals(package)
    verified = lost.saksi("verify", str(package), *trust, "--json")
    assert (verified.code, verified.json["valid"]) == (0, True), verified.out
    report = lost.check()
    assert (report.breaches, report.adopted) == ([], {"rec-a": len(left)})
    assert {one.recorder for one in lost.batches() if one.origin == "adopted"} == {
        "rec-b-adopted", "rec-c-adopted",
    }  # fmt: skip
    [told] = [one.message for one in examine(lost.site) if one.subject == "adoption"]
    assert told == f"{len(left)} segments of rec-a were adopted lately", "each segment is counted once"
