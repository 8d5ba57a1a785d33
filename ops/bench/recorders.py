"""The compared recorders; each records the whole bank until its context ends."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archive.timespan import DAY, Timespan
from ops.bench.bank import Bank
from ops.bench.installation import Installation, add_camera, embedded, on_stores, recording
from ops.bench.mediamtx_peer import MediamtxPeer
from ops.bench.peers import PlainFfmpeg
from ops.bench.workbench import Workbench, pids_of
from ops.stack import Stack


@dataclass(frozen=True, slots=True)
class Watched:
    """The recording processes, and those of the servers that store for them."""

    recorder: list[int]
    stores: list[int]


class Recorder(Protocol):
    """One way to record every camera of the bank into a folder."""

    name: str
    title: str

    def running(self, bank: Bank, folder: Path) -> AbstractContextManager[Watched]:
        """Record until the block ends; then every segment is closed and stored."""
        ...

    def segments(self, bank: Bank, folder: Path) -> Iterator[list[Path]]:
        """Each camera's segments in order, after recording."""
        ...


class Ffmpeg:
    """Plain FFmpeg, one process per camera."""

    name, title = "ffmpeg", "plain FFmpeg, one per camera, 10 s MP4"

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    @contextmanager
    def running(self, bank: Bank, folder: Path) -> Iterator[Watched]:
        """As :class:`Recorder`."""
        cameras = [(name, bank.url(name)) for name in bank.names]
        with PlainFfmpeg(self._bench.ffmpeg, cameras, folder) as plain:
            yield Watched(plain.pids(), [])

    def segments(self, bank: Bank, folder: Path) -> Iterator[list[Path]]:
        """As :class:`Recorder`."""
        for name in bank.names:
            yield sorted((folder / name).glob("*.mp4"))


class Mediamtx:
    """MediaMTX, pulling every camera and recording it."""

    name, title = "mediamtx", "MediaMTX, 10 s fMP4"

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    @contextmanager
    def running(self, bank: Bank, folder: Path) -> Iterator[Watched]:
        """As :class:`Recorder`."""
        stack = self._bench.mediamtx(f"recorder-{folder.name}")
        try:
            peer = MediamtxPeer(stack)
            for name in bank.names:
                peer.record(name, bank.url(name), folder, segment_seconds=10)
            yield Watched(list(pids_of(stack).values()), [])
        finally:
            stack.down()

    def segments(self, bank: Bank, folder: Path) -> Iterator[list[Path]]:
        """As :class:`Recorder`."""
        for name in bank.names:
            yield sorted((folder / name).glob("*.mp4"))


class Saksi:
    """``saksi record``, into files and SQLite, or into MinIO and Elasticsearch."""

    def __init__(self, name: str, title: str, stores: Stack | None = None) -> None:
        self.name, self.title = name, title
        self._stores = stores
        self._made: dict[Path, Installation] = {}

    @contextmanager
    def running(self, bank: Bank, folder: Path) -> Iterator[Watched]:
        """As :class:`Recorder`."""
        home = folder / "home"
        if self._stores is None:
            made = embedded(home)
        else:
            made = on_stores(home, self._stores, f"bench-{folder.name}", index=True)
        self._made[folder] = made
        with made.site() as site:
            for name in bank.names:
                add_camera(site, name, bank.url(name))
        with recording(made) as pid:
            yield Watched([pid], [] if self._stores is None else list(pids_of(self._stores).values()))

    def segments(self, bank: Bank, folder: Path) -> Iterator[list[Path]]:
        """As :class:`Recorder`."""
        with self._made[folder].site() as site:
            now = site.clock.now()
            for name in bank.names:
                found = []
                for ref in site.index.segments(name, Timespan(now - DAY, now + DAY)):
                    path = folder / f"{name}-{ref.seq:06d}-{ref.run}.mp4"
                    path.write_bytes(site.stores.footage.get(ref.key, version=ref.version or None))
                    found.append(path)
                yield found
