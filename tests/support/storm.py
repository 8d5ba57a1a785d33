"""Blows a storm over a recorder: cameras fail, servers go away, the recorder is killed, its disk fills up.

MediaMTX records the same cameras beside it. It is killed and started in the same moments; servers that are
away and the full disk do not concern it, for it writes into a folder of its own.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from archive.integrity.rebuild.sync import Sync
from archive.model.segment import Segment
from archive.records import journal
from archive.timespan import SECOND, Timespan
from ops.bench import processes
from ops.bench.mediamtx_peer import MediamtxPeer
from ops.bench.workbench import pids_of
from ops.stack import Stack
from ops.wiring import Site
from tests.support import numbered
from tests.support.recording_site import RecordingSite
from tests.support.scripts import taken_apart
from tests.support.sound import reading_of, segments_of
from tests.support.stores import LossyProxy
from tests.support.storm_camera import Fleet, Footage, Mode, StormCamera
from tests.support.storm_frames import pictures, width
from tests.support.storm_plan import Fault, Plan, Trouble
from tests.support.storm_verdict import CameraVerdict, Hole, Piece, Truth, judge, missed
from tests.support.waiting import until

OURS, PEER = "saksi", "mediamtx"
_SAMPLE_EVERY = 5.0
_DECODED = 3
"""Of each camera this segment is decoded, and so many with the header of another picture."""


def footage(letter: str, height: int, *, seconds: int, kbits: int, folder: Path) -> Footage:
    """Numbered pictures of that height under noise, at a constant rate; encoded once."""
    across = height * 16 // 9
    options = f"keyint=30:min-keyint=30:scenecut=0:bitrate={kbits}:vbv-maxrate={kbits}:vbv-bufsize={kbits}"
    path = numbered.encode_numbered(
        f"storm-{height}p", ("libx264", "-bf", "0", "-x264-params", f"{options}:nal-hrd=cbr"),
        seconds, folder / f"{letter}.mp4", 15,
        filters=f",scale={across}:{height}:flags=neighbor,noise=alls=20:allf=t+u",
    )  # fmt: skip
    return Footage.of(letter, across, taken_apart(path, "h264", 15))


class Servers(Protocol):
    """The object store and the index, which can be taken away."""

    def away(self, kind: Trouble) -> None:
        """Take one away."""
        ...

    def back(self, kind: Trouble) -> None:
        """Let it come back."""
        ...


@dataclass(frozen=True, slots=True)
class OwnServers:
    """Servers of a stack of their own: they are killed."""

    stack: Stack

    def away(self, kind: Trouble) -> None:
        """SIGKILL."""
        self.stack.kill(_part(kind))

    def back(self, kind: Trouble) -> None:
        """Start it, and wait until it serves."""
        self.stack.start(_part(kind))


@dataclass(frozen=True, slots=True)
class SharedServers:
    """Servers that others use too: only the doors to them are shut."""

    doors: Mapping[Trouble, "Door"]

    def away(self, kind: Trouble) -> None:
        """Shut the door."""
        self.doors[kind].shut()

    def back(self, kind: Trouble) -> None:
        """Open it again."""
        self.doors[kind].is_shut = False


def _part(kind: Trouble) -> str:
    return {Trouble.STORE: "minio", Trouble.INDEX: "elasticsearch"}[kind]


@dataclass(slots=True)
class Door(LossyProxy):
    """A proxy that can be shut: then every connection ends at once."""

    is_shut: bool = False
    _inside: set[socket.socket] = field(default_factory=set)

    def shut(self) -> None:
        """End every connection, also those to come."""
        self.is_shut = True
        for client in tuple(self._inside):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        if self.is_shut:
            client.close()
            return
        self._inside.add(client)
        try:
            LossyProxy._serve(self, client)
        finally:
            self._inside.discard(client)


@dataclass(slots=True)
class SmallDisk:
    """A disk of its own for the spool, which another program can fill."""

    folder: Path
    _full: threading.Event = field(default_factory=threading.Event)
    _filling: threading.Thread | None = None

    def fill(self) -> None:
        """Take all free room, and keep taking what becomes free."""
        self._full.set()
        self._filling = threading.Thread(target=self._take, daemon=True)
        self._filling.start()

    def free(self) -> None:
        """Give it back."""
        self._full.clear()
        if self._filling is not None:
            self._filling.join(10)
        (self.folder / "ballast").unlink(missing_ok=True)

    def _take(self) -> None:
        """Piece by piece: a tmpfs gives all of a piece back that does not fit, and has room again."""
        size = 0
        with (self.folder / "ballast").open("wb") as ballast:
            while self._full.is_set():
                found = os.statvfs(self.folder)
                room = found.f_bavail * found.f_frsize
                if not room:
                    time.sleep(0.05)  # real time: a pause between two looks
                    continue
                piece = min(room, 16 << 20 if room > 256 << 20 else 64 << 10)
                with suppress(OSError):
                    os.posix_fallocate(ballast.fileno(), size, piece)
                    size += piece


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk | None]:
    """A tmpfs at ``folder``; None where this account may not mount one."""
    folder.mkdir(parents=True)
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False
        ).returncode
    )
    try:
        yield SmallDisk(folder) if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)


class CommandSite(RecordingSite):
    """A site that is recorded by ``saksi record`` with the times of a city."""

    def start(self, *options: str) -> "subprocess.Popen[bytes]":  # type: ignore[override]
        """Start it as a process of its own."""
        with (self.folder / "recorder.log").open("ab") as log:
            self.process = started = subprocess.Popen(
                [sys.executable, "-m", "ops", "record", *options],
                env=self.variables, cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        return started


@dataclass(slots=True)
class Peer:
    """MediaMTX, which records the same cameras."""

    stack: Stack
    cameras: Mapping[str, str]
    folder: Path

    def start(self) -> None:
        """Start it, and let it pull and record every camera."""
        self.stack.start("mediamtx")
        peer = MediamtxPeer(self.stack)
        for name, url in self.cameras.items():
            peer.record(name, url, self.folder, segment_seconds=10)

    def kill(self) -> None:
        """SIGKILL."""
        self.stack.kill("mediamtx")

    def numbers(self, camera: str) -> list[int]:
        """Which pictures it has recorded."""
        return [
            picture.number
            for path in sorted((self.folder / camera).glob("*.mp4"))
            for picture in pictures(path.read_bytes())
        ]


@dataclass(frozen=True, slots=True)
class Sample:
    """PSS (MiB) of the recorder with its FFmpegs, and of MediaMTX, ``at`` seconds after the begin.

    ``own`` is private memory of the recorder's process alone.
    """

    at: float
    ours: float
    own: float
    peer: float
    processes: int


@dataclass(slots=True)
class Storm:
    """One storm. Call :meth:`blow`, then :meth:`verdicts`."""

    plan: Plan
    fleet: Fleet
    recording: RecordingSite
    servers: Servers
    peer: Peer
    disk: SmallDisk | None
    samples: list[Sample] = field(default_factory=list)
    zero: int = 0
    problems: list[str] = field(default_factory=list)
    """What went wrong with the storm itself."""
    _lanes: dict[str, threading.Thread] = field(default_factory=dict)

    def blow(self) -> None:
        """Start the recorders, let everything happen, and end them in order once all is well again."""
        for camera in self.fleet.cameras:
            self.recording.add(camera.name, camera.url(OURS), segment_seconds=10)
        self.recording.start()
        self.peer.start()
        until(
            lambda: all({OURS, PEER} <= camera.sent.keys() for camera in self.fleet.cameras),
            "both recorders read every camera",
        )
        began = time.monotonic()
        self.zero = time.time_ns() // 1000
        for at, act in self._acts():
            self._watch_until(began, at)
            act()
        self._watch_until(began, self.plan.seconds)
        for lane in self._lanes.values():
            lane.join(120)
        self._watch_until(began, self.plan.seconds + 3)
        self._end()

    def verdicts(self) -> list[CameraVerdict]:
        """What the archive holds of what each camera took; the index is first brought up to date.

        ``saksi work`` does that in a city each minute; here it does not run.
        """
        with self.recording.site() as site:
            Sync(site.stores, site.bare_index, site.clock).run()
        return [self._verdict(camera) for camera in self.fleet.cameras]

    def peer_missed(self, camera: StormCamera) -> tuple[int, float, int]:
        """As :func:`missed`, for MediaMTX."""
        return missed(self._truth(camera, PEER), self.peer.numbers(camera.name))

    def settled(self) -> list[Sample]:
        """The samples of the recorder's last life, from a minute after its start on."""
        kills = [fault.end for fault in self.plan.faults if fault.kind is Trouble.KILL]
        return [
            sample for sample in self.samples if max(kills, default=0) + 60 < sample.at < self.plan.seconds
        ]

    # What happens -------------------------------------------------------------------------------------

    def _acts(self) -> list[tuple[float, Callable[[], None]]]:
        acts: list[tuple[float, Callable[[], None]]] = []
        for fault in self.plan.faults:
            acts += [(fault.start, self._begins(fault)), (fault.end, self._ends(fault))]
        return sorted(acts, key=lambda act: act[0])

    def _begins(self, fault: Fault) -> Callable[[], None]:
        kind = fault.kind
        if isinstance(kind, Mode):
            camera = self.fleet.cameras[fault.camera - 1]
            return lambda: self.fleet.become(camera, kind)
        if kind is Trouble.KILL:
            return self._kill
        if kind is Trouble.DISK:
            return self._disk.fill
        return lambda: self._aside(kind.value, lambda: self.servers.away(kind))

    def _ends(self, fault: Fault) -> Callable[[], None]:
        kind = fault.kind
        if isinstance(kind, Mode):
            camera = self.fleet.cameras[fault.camera - 1]
            return lambda: self.fleet.become(camera, Mode.SOUND)
        if kind is Trouble.KILL:
            return self._start
        if kind is Trouble.DISK:
            return self._disk.free
        return lambda: self._aside(kind.value, lambda: self.servers.back(kind))

    @property
    def _disk(self) -> SmallDisk:
        assert self.disk is not None, "this storm has no disk to fill"
        return self.disk

    def _kill(self) -> None:
        self.recording.kill()
        self._aside(PEER, self.peer.kill)

    def _start(self) -> None:
        self.recording.start()
        self._aside(PEER, self.peer.start)

    def _aside(self, lane: str, act: Callable[[], None]) -> None:
        """Do it while the storm goes on, after what was begun before it in the same lane."""
        before = self._lanes.get(lane)

        def do() -> None:
            if before is not None:
                before.join()
            try:
                act()
            except Exception as problem:  # noqa: BLE001 - reported when the storm is over
                self.problems.append(f"{lane}: {problem!r}")

        self._lanes[lane] = begun = threading.Thread(target=do, daemon=True)
        begun.start()

    def _watch_until(self, began: float, at: float) -> None:
        while (now := time.monotonic() - began) < at:
            if not self.samples or now - self.samples[-1].at >= _SAMPLE_EVERY:
                self._sample(now)
            rest = max(0.0, min(at - (time.monotonic() - began), 0.5))
            time.sleep(rest)  # real time: a storm takes its time

    def _sample(self, now: float) -> None:
        process = self.recording.process
        assert process is not None
        if process.poll() is not None:
            return
        ours = processes.cost([process.pid])
        servers = pids_of(self.peer.stack)
        peer = processes.cost([servers["mediamtx"]]).pss if "mediamtx" in servers else 0.0
        own = processes.own_memory([process.pid])
        self.samples.append(Sample(now, ours.pss, own, peer, ours.processes))

    def _end(self) -> None:
        for _ in range(10):
            try:
                if self.recording.stop(90) == 0:
                    return
            except subprocess.TimeoutExpired:
                self.problems.append("the recorder did not end within 90 s")
                self.recording.kill()
            self.recording.start()  # It had more in its spool than it could archive before its end.
            until(lambda: self.recording.captures(), "it records again")
            time.sleep(10)  # real time: it archives what it has
        self.problems.append(f"the spool was not drained: {self.recording.log()[-3000:]}")

    # What came of it ----------------------------------------------------------------------------------

    def _truth(self, camera: StormCamera, path: str) -> Truth:
        begins = self.zero + round(0.5 * SECOND)
        return Truth(
            camera=camera.index,
            taken=dict(enumerate(camera.taken)),
            late=dict(enumerate(camera.late)),
            sent=frozenset(camera.sent.get(path, ())),
            faults=tuple(self.plan.of(camera.index)),
            zero=self.zero,
            span=Timespan(begins, self.zero + round(self.plan.seconds * SECOND)),
            footage={one.letter: one for one in (camera.footage, camera.other)},
        )

    def _verdict(self, camera: StormCamera) -> CameraVerdict:
        truth = self._truth(camera, OURS)
        verdict_of_decoder = [0, 0]
        with self.recording.site() as site:
            leaves = _leaves(site)
            pieces = []
            for ref in segments_of(site, camera.name):
                file = site.stores.footage.get(ref.key, version=ref.version or None)
                leaf = leaves[ref.key]
                doubt = leaf.clock.uncertainty_us
                pieces.append(Piece(ref.span, doubt, width(file), pictures(file), leaf.paused))
                is_strange = pieces[-1].is_mislabelled(truth.footage)
                if len(pieces) == _DECODED or (is_strange and verdict_of_decoder[0] < _DECODED):
                    verdict_of_decoder[0] += 1
                    verdict_of_decoder[1] += not _shows(file, pieces[-1], camera)
            holes = [
                Hole(gap.span, str(gap.cause))
                for gap in reading_of(site, camera.name).gaps
                if gap.span.start < truth.span.end and gap.span.end > truth.span.start
            ]
        verdict = judge(truth, pieces, holes)
        verdict.decoded, verdict.misread = verdict_of_decoder
        return verdict


def _leaves(site: Site) -> dict[str, Segment]:
    """What the recorder stated of each segment, by key.

    The index has no uncertainty for a machine whose clock nobody synchronises, and here all clocks are one.
    """
    return {
        leaf.key: leaf
        for listed in site.stores.records.list("journal/")
        for leaf in journal.decode(site.stores.records.get(listed.key)).leaves
        if isinstance(leaf, Segment)
    }


def _shows(file: bytes, piece: Piece, camera: StormCamera) -> bool:
    """Whether FFmpeg shows the barcodes of exactly the pictures that the segment holds."""
    expected = [camera.footage.place(picture.camera, picture.number) for picture in piece.pictures]
    return numbered.numbers(numbered.read_numbers(file)) == expected
