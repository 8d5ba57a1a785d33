"""A package of a real archive with every kind of gap, and an insider who holds the key that seals.

``insider_site`` records two cameras, seals a request about them by the real path, and unpacks the package.
:class:`Forgery` edits a copy of it and seals it again with the same key, so that nothing but the contents can
reveal the change.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from archive import canonical, keys
from archive.evidence import bag, paths
from archive.evidence.plan import RequestFacts
from archive.lifecycle.disposition import listing
from archive.lifecycle.disposition.gaps import disposed_gaps
from archive.lifecycle.disposition.listing import Doomed, DoomedList
from archive.model import leaf as leaves
from archive.model.disposition import Cause, Disposition, DispositionOutcome, DispositionStatus, to_state
from archive.model.evidence import PackageKind, SealRequest
from archive.model.gap import Gap, GapCause, RunEnd, id_for_segment
from archive.model.segment import Run, Segment, SoundStatement
from archive.ports import Content, IndexEntry
from archive.records import journal
from archive.records.logbook import Logbook
from archive.timespan import HOUR, SECOND, Timespan, format_instant
from ops import keys as installation
from tests.support.archives import RECORDER_KEY, SmallArchive, camera_form, small_archive
from tests.support.asked import asked
from tests.support.checkpoints import LogSite
from tests.support.leaves import T0
from tests.support.packages import EVIDENCE_ID, World, a_segment, segment_bytes, write_tags
from tests.support.packages import RECORDER_KEY as STRANGE_KEY
from tests.support.sealing import preparer_of, sealer_of

R1, R2, R3 = ("6a1500000000000a", "6a1500000000000b", "6a1500000000000c")
SPAN = Timespan(T0 - 5 * SECOND, T0 + 75 * SECOND)
FILED = T0 + 2 * HOUR

Statement = dict[str, Any]


def at(seconds: float) -> str:
    """An instant of the story in the form used inside packages."""
    return format_instant(T0 + round(seconds * SECOND))


def gap(camera: str, start: int, end: int, cause: GapCause, name: str = "") -> Gap:
    """A gap of ``rec-1``, in seconds of the story."""
    span = Timespan(T0 + start * SECOND, T0 + end * SECOND)
    found = name or sha256(f"{camera}|{start}|{cause}".encode()).hexdigest()[:16]
    return Gap(
        camera=camera, recorder="rec-1", gap=found, span=span, cause=cause, ingested_at=span.end + SECOND
    )


@dataclass
class InsiderSite:
    """The archive after the story, its sealed world, and the folder of its package."""

    log: LogSite
    world: World

    @property
    def package(self) -> Path:
        """The untouched package, unpacked."""
        return self.world.folder / "package"


class Story:
    """Two cameras from T0 on; ``rec-1`` signs everything, the last part of it hours later."""

    def __init__(
        self, folder: Path, archive: SmallArchive | None = None, cameras: Sequence[str] = ("cam-1", "cam-2")
    ) -> None:
        self.site = LogSite(folder, archive or small_archive(folder))
        self.random = Random("insider")  # noqa: S311 - the same bytes each time
        for name in cameras:
            self.site.archive.registry.add(camera_form(name), actor="os:tester")

    def segment(
        self,
        camera: str,
        seq: int,
        run: str,
        start: int,
        *,
        late: int = 0,
        kept: bool = True,
        sound: SoundStatement | None = None,
    ) -> Segment:
        """One segment of 10 s, stored and indexed unless it is not kept; its leaf states this sound."""
        data, header = segment_bytes(self.random, 400, seq=seq)
        begin = T0 + start * SECOND
        found = replace(
            a_segment(camera, seq, data, header),
            run=run,
            span=Timespan(begin, begin + 10 * SECOND),
            ingested_at=begin + 11 * SECOND + late,
            sound=sound,
        )
        if kept:
            stored = self.site.stores.footage.put(
                found.key,
                Content.of_bytes(data),
                metadata={"leaf": leaves.encode(found).decode("ascii")},
            )
            self.index(found, stored.version)
        return found

    def index(self, leaf: Segment | Gap, version: str = "") -> None:
        """Index one leaf."""
        self.site.archive.index.add([IndexEntry(leaf=leaf, place=None, version=version)])

    def destroy(self, one: Segment) -> None:
        """A disposition destroyed this segment."""
        records, ledger = self.site.stores.records, self.site.archive.ledger
        doomed = DoomedList(
            Cause.RETENTION,
            one.span.end,
            (Doomed(one.camera, one.span, one.key, "1", one.size, one.sha256, "default"),),
        )
        data = doomed.encode()
        digest = sha256(data).hexdigest()
        name = listing.disposition_id(digest)
        for part, content in ((listing.LIST, data), (listing.KEPT, b"")):
            records.put(keys.disposition_prefix(name) + part, Content.of_bytes(content))
        now = self.site.clock.now()
        empty = sha256(b"").hexdigest()
        found = Disposition(
            id=name,
            cause=Cause.RETENTION,
            status=DispositionStatus.DONE,
            started_at=now,
            started_by="job:dispose",
            span=doomed.span,
            segments=1,
            bytes=one.size,
            list_sha256=digest,
            policies=(),
            outcome=DispositionOutcome(
                ended_at=now,
                destroyed=1,
                destroyed_bytes=one.size,
                kept={},
                kept_sha256=empty,
                record_sha256=empty,
                pdf_sha256=empty,
                signer_sha256=empty,
                retry_at=now,
            ),
        )
        ledger.append("disposition", name, to_state(found), expected=0, actor="job:dispose", action="x")
        for missing in disposed_gaps(name, now, doomed.segments):
            self.index(missing)


def insider_site(
    folder: Path,
    kind: PackageKind = PackageKind.FOOTAGE,
    encode: Callable[..., bytes] = journal.encode,
    archive: SmallArchive | None = None,
) -> InsiderSite:
    """The whole story, and its package, in an archive that is new or the one given.

    ``encode`` writes the recorder's batches.

    ``cam-1``: a run of 40 s, unreachable for 10 s, a run of 20 s whose segments arrive after the request,
    stalled. A gap that its recorder signed at 18 s is covered by footage. ``cam-2``: 20 s, a segment set
    aside, 10 s, a segment destroyed on record, unreachable. Both were registered 5 s after the span begins.
    """
    story = Story(folder, archive)
    site = story.site
    site.archive.encode = encode
    first = [story.segment("cam-1", seq, R1, 10 * seq) for seq in range(4)]
    two = [story.segment("cam-2", seq, R3, 10 * seq, kept=seq != 2) for seq in range(4)]
    doomed = story.segment("cam-2", 4, R3, 40, kept=False)
    gaps = [
        gap("cam-1", 40, 50, GapCause.UNREACHABLE),
        gap("cam-1", 18, 22, GapCause.STREAM_ERROR),
        gap("cam-2", 20, 30, GapCause.SET_ASIDE, id_for_segment(GapCause.SET_ASIDE, R3, 2)),
        gap("cam-1", 70, 90, GapCause.STALLED),
        gap("cam-2", 50, 90, GapCause.UNREACHABLE),
    ]
    for one in gaps:
        story.index(one)
    end = Run(
        camera="cam-1",
        recorder="rec-1",
        run=R1,
        span=Timespan(T0, T0 + 40 * SECOND),
        segments=4,
        reason=RunEnd.UNREACHABLE,
        ingested_at=T0 + 51 * SECOND,
    )
    site.clock.advance(T0 + 52 * SECOND - site.clock.now())
    site.archive.write_journal([*first[:2], first[3], *two, doomed, end, *gaps[:3]])
    site.archive.write_journal([first[2]])
    site.clock.advance(T0 + 92 * SECOND - site.clock.now())
    site.archive.write_journal(gaps[3:])
    story.destroy(doomed)
    site.clock.advance(T0 + HOUR - site.clock.now())
    site.checkpoint()
    site.clock.advance(FILED - site.clock.now())
    span = SPAN if kind is PackageKind.FOOTAGE else Timespan(T0 + 71 * SECOND, T0 + 75 * SECOND)
    request = asked(site.archive.ledger, site.clock, cameras=("cam-1", "cam-2"), span=span)
    request.entries()
    site.clock.advance(HOUR)
    facts = request.approve(EVIDENCE_ID, kind)
    late = [story.segment("cam-1", seq, R2, 50 + 10 * seq, late=3 * HOUR - 60 * SECOND) for seq in range(2)]
    site.archive.write_journal(late)
    site.clock.advance(T0 + 4 * HOUR - site.clock.now())
    site.checkpoint()
    site.clock.advance(T0 + 5 * HOUR - site.clock.now())
    world = _sealed(site, kind, span, facts)
    world.unpacked(folder / "unpacked").rename(folder / "package")
    return InsiderSite(site, world)


def _sealed(site: LogSite, kind: PackageKind, span: Timespan, facts: RequestFacts) -> World:
    archive = site.archive
    sealer = sealer_of(archive, site.keys_dir)
    prepare = preparer_of(archive, facts_of=lambda _request: facts)
    request = SealRequest(
        evidence_id=EVIDENCE_ID,
        cameras=("cam-1", "cam-2"),
        span=span,
        case=facts.case,
        actor="os:operator",
        asked_at=site.clock.now(),
        kind=kind,
    )
    plan = prepare(request)
    folder, keys_dir = site.folder, site.keys_dir
    return World(folder, site.stores.footage, site.stores.records, keys_dir, site.clock, sealer, plan)


FIVE = {
    "cam-1": R1,
    "cam-2": R2,
    "hotel-lobby-3": "6a15000013572468",
    "masjid-raya-4": "6a15000024681357",
    "Pasar.5": "6a15000098765432",
}
"""Five cameras of one recorder, and the run of each."""


def sliced_site(folder: Path) -> InsiderSite:
    """A package of ``cam-1`` and ``cam-2``, whose recorder records five cameras into one journal.

    The recorder's own logbook writes three batches of version 2: in each a segment of every camera, in the
    last their gaps too.
    """
    story = Story(folder, cameras=tuple(FIVE))
    site = story.site
    book = Logbook(folder / "logbook", "rec-1", RECORDER_KEY, site.clock)
    for seq in range(3):
        lines: list[Segment | Gap] = [story.segment(name, seq, run, 10 * seq) for name, run in FIVE.items()]
        if seq == 2:
            lines += [gap(name, 30, 40, GapCause.UNREACHABLE) for name in FIVE]
            for one in lines[len(FIVE) :]:
                story.index(one)
        site.clock.advance(lines[-1].ingested_at + SECOND - site.clock.now())
        book.append(lines)
        book.upload(site.stores.records, book.seal() or 0)
    span = Timespan(T0, T0 + 35 * SECOND)
    request = asked(site.archive.ledger, site.clock, cameras=("cam-1", "cam-2"), span=span)
    request.entries()
    site.clock.advance(T0 + HOUR - site.clock.now())
    facts = request.approve(EVIDENCE_ID)
    site.checkpoint()
    site.clock.advance(T0 + 5 * HOUR - site.clock.now())
    world = _sealed(site, PackageKind.FOOTAGE, span, facts)
    world.unpacked(folder / "unpacked").rename(folder / "package")
    return InsiderSite(site, world)


CALLED = SoundStatement(codec="mp4a.40.2", channels=1, rate=8000, made_from="pcm_alaw")
"""The sound of :func:`heard_site`: G.711 from the camera, AAC by the recorder."""


def heard_site(folder: Path) -> InsiderSite:
    """A package of 50 s of ``cam-1``, whose sound was allowed at 20 s and ended at 40 s, and of ``cam-2``."""
    story = Story(folder)
    site = story.site
    registry = site.archive.registry
    lines = [story.segment("cam-2", seq, R3, 10 * seq) for seq in range(5)]
    for seq in range(5):
        lines.append(story.segment("cam-1", seq, R1, 10 * seq, sound=CALLED if seq in (2, 3) else None))
    site.clock.advance(T0 + 19 * SECOND - site.clock.now())
    registry.propose_sound("cam-1", actor="os:ana", reason="Loket pengaduan")
    site.clock.advance(SECOND)
    registry.allow_sound("cam-1", actor="os:budi")
    site.clock.advance(20 * SECOND)
    registry.end_sound("cam-1", actor="os:ana", reason="Pengumuman dilepas")
    site.clock.advance(T0 + 52 * SECOND - site.clock.now())
    site.archive.write_journal(lines)
    span = Timespan(T0, T0 + 50 * SECOND)
    request = asked(site.archive.ledger, site.clock, cameras=("cam-1", "cam-2"), span=span)
    request.entries()
    site.clock.advance(T0 + HOUR - site.clock.now())
    facts = request.approve(EVIDENCE_ID)
    site.checkpoint()
    site.clock.advance(T0 + 5 * HOUR - site.clock.now())
    world = _sealed(site, PackageKind.FOOTAGE, span, facts)
    world.unpacked(folder / "unpacked").rename(folder / "package")
    return InsiderSite(site, world)


class Forgery:
    """A copy of the package in the insider's hands; ``stated`` is its ``evidence.json``."""

    def __init__(self, site: InsiderSite, folder: Path) -> None:
        self.world = site.world
        self.package = folder
        shutil.copytree(site.package, folder, copy_function=shutil.copyfile)
        self.stated: Statement = canonical.decode((folder / paths.STATEMENT).read_bytes())

    def seal(self) -> None:
        """Write the statement and all tags, and sign and stamp with the sealer's own keys."""
        (self.package / paths.STATEMENT).write_bytes(canonical.encode(self.stated))
        write_tags(self.package)
        signer = installation.load_signer(self.world.keys, clock=self.world.clock)
        seal = signer.sign_cms((self.package / bag.TAG_MANIFEST).read_bytes())
        (self.package / paths.SEAL).write_bytes(seal)
        authority = installation.load_local_authority(self.world.keys, clock=self.world.clock)
        (self.package / paths.STAMP).write_bytes(authority.stamp(seal))

    def originals(self, camera: str, run: str = "") -> list[Statement]:
        """The stated originals of a camera, and of one run where it is given."""
        return [
            one for one in self.stated["originals"] if one["camera"] == camera and run in ("", one["run"])
        ]

    def gap(self, camera: str, start: int) -> Statement:
        """The stated gap that begins so many seconds after T0."""
        (found,) = (one for one in self.stated["gaps"] if (one["camera"], one["from"]) == (camera, at(start)))
        return dict_of(found)

    def state_gap(self, camera: str, start: float, end: float, cause: str) -> None:
        """State one more gap."""
        self.stated["gaps"].append({"camera": camera, "cause": cause, "from": at(start), "to": at(end)})

    def leave_out(self, original: Statement) -> None:
        """Remove an original as if it had never been there: bytes, clip, clocks; its lines stay."""
        self.drop_clips()
        self.stated["originals"].remove(original)
        (self.package / original["path"]).unlink()
        self._count_clocks()

    def drop_clips(self) -> None:
        """Remove every clip."""
        for one in self.stated["derivatives"]:
            (self.package / one["path"]).unlink()
        self.stated["derivatives"] = []

    def drop_batch(self, number: int) -> None:
        """Remove a recorder's batch; its proof stays, unnamed."""
        (found,) = (one for one in self.stated["journals"] if one["batch"] == number)
        (self.package / found["path"]).unlink()
        self.stated["journals"].remove(found)

    def forge_batch(self, number: int, lines: Callable[[list[bytes]], list[bytes]]) -> None:
        """Put another batch in the place of one, signed by a key of the insider's own."""
        (found,) = (one for one in self.stated["journals"] if one["batch"] == number)
        data = (self.package / found["path"]).read_bytes()
        old = journal.decode(data)
        made = journal.encode(
            [leaves.decode(line) for line in lines([leaves.encode(leaf) for leaf in old.leaves])],
            recorder=old.recorder,
            batch=old.batch,
            prev=old.prev,
            at=old.at,
            key=STRANGE_KEY,
        )
        (self.package / found["path"]).write_bytes(made)
        found["sha256"] = sha256(made).hexdigest()
        key = self.package / f"data/proofs/recorders/{old.recorder}_k2.pub.pem"
        key.write_bytes(public_pem())
        found["public_key"] = str(key.relative_to(self.package))

    def _count_clocks(self) -> None:
        left = {one["camera"] for one in self.stated["originals"]}
        self.stated["clocks"] = [one for one in self.stated["clocks"] if one["camera"] in left]


def dict_of(found: Mapping[str, Any]) -> Statement:
    """The very object, for a change in place."""
    assert isinstance(found, dict)
    return found


def public_pem() -> bytes:
    """The insider's own recorder key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return STRANGE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


Change = Callable[[Forgery], None]
"""What an insider does to a package."""


def stated(change: Callable[[Statement], object]) -> Change:
    """A change of ``evidence.json``."""

    def made(forgery: Forgery) -> None:
        change(forgery.stated)

    return made


def each(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def made(forgery: Forgery) -> None:
        for change in changes:
            change(forgery)

    return made
