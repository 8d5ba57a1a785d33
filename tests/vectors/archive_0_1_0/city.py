"""The installation that :mod:`tests.vectors.archive_0_1_0.make` lets live through three months."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.app import create_app
from archive.clock import ManualClock
from archive.footage.ingest import Ingest, write_ticket
from archive.footage.mp4.finalise import Finalised
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.leaf import Leaf
from archive.model.segment import TIMESCALE, ClockStatement, Run, Segment
from archive.records.logbook import Logbook
from archive.timespan import DAY, MINUTE, SECOND, Timespan, parse_instant
from ops.evidence import Evidence
from ops.serving import services_of
from ops.wiring import Site as Installation
from recorder.identity import register
from tests.support.api_site import Site
from tests.support.commands_at import CommandsAt
from tests.support.numbered import DEFAULT_FFMPEG, finalised_run, recording_options


@dataclass
class RecorderOnDisk:
    """A recorder's ingest and journal, without the processes that capture."""

    name: str
    site: Installation
    spool: Path
    key: Ed25519PrivateKey
    ingest: Ingest = field(init=False)

    def __post_init__(self) -> None:
        register(self.site.ledger, self.name, self.key.public_key())
        self.spool.mkdir(parents=True, exist_ok=True)
        logbook = Logbook(self.spool / "journal", self.name, self.key, self.site.clock)
        self.ingest = Ingest(
            footage=self.site.stores.footage,
            records=self.site.stores.records,
            index=self.site.index,
            logbook=logbook,
            recorder=self.name,
            clock=self.site.clock,
            locked_until=lambda segment, _place: segment.span.end + self._days(segment) * DAY,
            is_held=lambda segment: self._is_held(segment),
        )

    def _days(self, segment: Segment) -> int:
        return self.site.policies.explain(segment.camera, segment.span.start).ruling.keep_days_min

    def _is_held(self, segment: Segment) -> bool:
        return any(
            head.hold.in_force
            and segment.camera in head.hold.cameras
            and head.hold.span.overlaps(segment.span)
            for head in self.site.holds.holds()
        )

    def keep(self, leaf: Leaf, media: Path | None = None) -> None:
        """Steps 3 to 8 of one leaf."""
        place = self.site.registry.camera(leaf.camera).place
        name = leaf.gap if isinstance(leaf, Gap) else leaf.run
        number = leaf.seq if isinstance(leaf, Segment) else 999_999
        ticket = self.spool / f"{name}-{number:06d}.ticket"
        mine = None
        if media is not None:
            mine = ticket.with_suffix(".mp4")
            shutil.copyfile(media, mine)
        spooled = write_ticket(ticket, leaf, place, media=mine)
        self.ingest.store(spooled)
        self.ingest.commit([spooled])

    def upload(self) -> None:
        """The signed batch of what was kept."""
        self.ingest.seal()
        self.ingest.upload()


@dataclass
class City:
    """The installation, and the instant at which it is."""

    home: Path
    clock: ManualClock
    site: Installation
    saksi: CommandsAt
    footage: dict[str, list[tuple[Path, Finalised]]]
    gaps: int = 0

    def at(self, text: str) -> None:
        """Go on to an instant; what was written before is under a checkpoint first."""
        self.checkpoint()
        self.clock.advance(parse_instant(text) - self.clock.now())

    def checkpoint(self) -> None:
        """The job ``log``."""
        self.saksi.must("log", "make", by="kominfo")

    def do(self, by: str, *words: str) -> Any:
        """One act of somebody on the host, a minute after the one before; its JSON."""
        self.clock.advance(MINUTE)
        answer = self.saksi.must(*words, by=by)
        return json.loads(answer.out) if answer.out.startswith("{") else answer.out.strip()

    def job(self, name: str) -> Any:
        """One turn of a job."""
        return self.do("saksi", "work", "--once", name, "--json")

    def api(self) -> Site:
        """The HTTP interface over the same archive."""
        services = services_of(self.site)
        services = replace(services, settings=replace(services.settings, hosts=(), rates=None))
        return Site(services, create_app(services), "", self.clock, [], [], Evidence(self.site, {}))

    # -- footage

    def run(
        self,
        recorder: RecorderOnDisk,
        camera: str,
        run: str,
        start: int,
        reason: RunEnd,
        *,
        source: str = "a",
        uncertain: bool = False,
    ) -> int:
        """One run of segments of a camera; where it ends."""
        at = start
        for number, (path, made) in enumerate(self.footage[source]):
            span = Timespan(at, at + made.media_duration * SECOND // TIMESCALE)
            segment = Segment(
                camera=camera,
                recorder=recorder.name,
                run=run,
                seq=number,
                span=span,
                media_duration=made.media_duration,
                sha256=made.sha256,
                size=made.size,
                header_bytes=made.header_bytes,
                codec=made.header.codec,
                gop=made.header.gop,
                frames=made.frames,
                clock=ClockStatement(
                    source="arrival",
                    offset_us=1_250,
                    uncertainty_us=2_000_000 if uncertain else 40_000,
                    flags=("timestamps_unreliable",) if uncertain else (),
                ),
                camera_time=span.start - 70_000,
                ingested_at=max(span.end + SECOND, self.clock.now()),
            )
            recorder.keep(segment, path)
            at = span.end
        over = Run(
            camera=camera,
            recorder=recorder.name,
            run=run,
            span=Timespan(start, at),
            segments=len(self.footage[source]),
            reason=reason,
            ingested_at=max(at + SECOND, self.clock.now()),
        )
        recorder.keep(over)
        return at

    def gap(self, recorder: RecorderOnDisk, camera: str, start: int, end: int, *causes: GapCause) -> None:
        """Gaps of these causes, of the same length, one after another."""
        edges = [start + (end - start) * number // len(causes) for number in range(len(causes) + 1)]
        for cause, since, until in zip(causes, edges, edges[1:], strict=False):
            self.gaps += 1
            missing = Gap(
                camera=camera,
                recorder=recorder.name,
                gap=f"6a150000000f{self.gaps:04x}",
                span=Timespan(since, until),
                cause=cause,
                ingested_at=max(until, self.clock.now()),
            )
            recorder.keep(missing)


def encoded(folder: Path, name: str, *options: str) -> list[tuple[Path, Finalised]]:
    """24 s of a small picture in three segments."""
    plain = folder / f"{name}.mp4"
    inner = "keyint=8:min-keyint=8:scenecut=0:open-gop=0:b-adapt=0"
    ffmpeg = [DEFAULT_FFMPEG, "-nostdin", "-y", "-loglevel", "error"]
    made = ["-c:v", "libx264", "-x264-params", inner, *options, "-preset", "veryfast", "-crf", "38"]
    source = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=4:duration=24,format=yuv420p"]
    subprocess.run([*ffmpeg, *source, *made, "-bsf:v", "dump_extra=freq=keyframe", str(plain)], check=True)
    (folder / name).mkdir()
    listed = subprocess.run(
        [*ffmpeg, "-i", str(plain), *recording_options(8), str(folder / name / "%06d.mp4")],
        check=True,
        capture_output=True,
    ).stdout.decode()
    return finalised_run(
        [folder / name / line.split(",")[0] for line in listed.splitlines()], folder / f"{name}-made"
    )
