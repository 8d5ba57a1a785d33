"""A Saksi installation for measuring: settings, cameras, and footage written faster than real time."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from archive.errors import Unavailable
from archive.footage.cameras import CameraForm
from archive.footage.ingest import TICKET, Ingest, write_ticket
from archive.footage.mp4.finalise import Finalised, finalise
from archive.ids import new_run_id
from archive.model.camera import parse_place
from archive.model.segment import TIMESCALE, ClockStatement, Segment
from archive.records.logbook import Logbook
from archive.timespan import DAY, SECOND, Timespan
from ops import keys
from ops.provision import provision
from ops.settings import Settings
from ops.stack import Stack
from ops.tokens import token_file
from ops.wiring import Site
from recorder.identity import register

PLACE: tuple[str, str, str, str, str] = ("-5.143600", "119.407100", "73.71.01", "73.71.01.1001", "public")
_RECORDER = "rec-bench"
_PATIENCE_S = 300
"""How long a server may take to start: a busy machine needs minutes."""
_DRAIN_S = 90
"""How long a recorder may take to archive what it has."""
_NETWORKS = "127.0.0.0/8,192.0.2.0/24"
"""Where the measured cameras are: the bank on this machine, and addresses of cameras that nobody records."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation: its folder, and the environment of its commands."""

    home: Path
    environ: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        """The argv of a ``saksi`` command."""
        return [sys.executable, "-m", "ops", *words]

    def site(self) -> Site:
        """Its parts, in this process."""
        return Site(Settings.load(self.environ))

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a ``saksi`` command; its output goes to a file in ``home``."""
        with (self.home / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                self.command(*words), env=dict(self.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def words_of(self, command: str) -> str:
        """The end of a command's output."""
        return (self.home / f"{command}.log").read_text(errors="replace")[-2000:]


def embedded(home: Path) -> Installation:
    """An installation with the default stores: files and SQLite."""
    return _made(home, {})


def on_stores(home: Path, stores: Stack, name: str, *, index: bool) -> Installation:
    """An installation with buckets named ``name`` on the MinIO of ``stores``, and Elasticsearch or SQLite."""
    env = stores.env()
    provision(
        env["SAKSI_TEST_MINIO_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], name,
        footage_floor_days=1, records_lock_days=1, region="us-east-1",
    )  # fmt: skip
    chosen = {
        "SAKSI_ARCHIVE_URL": f"s3://{name}?endpoint={env['SAKSI_TEST_MINIO_URL']}&region=us-east-1",
        "AWS_ACCESS_KEY_ID": env["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": env["AWS_SECRET_ACCESS_KEY"],
    }
    if index:
        chosen |= {"SAKSI_INDEX_URL": env["SAKSI_TEST_ELASTIC_URL"], "SAKSI_INDEX_PREFIX": name}
    return _made(home, chosen)


def _made(home: Path, chosen: Mapping[str, str]) -> Installation:
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAKSI_", "AWS_"))}
    made = Installation(
        home,
        kept
        | {"SAKSI_HOME": str(home), "SAKSI_RECORDER": _RECORDER, "SAKSI_CAMERA_NETWORKS": _NETWORKS}
        | dict(chosen),
    )
    # boto3 reads the stores' credentials from this process's own environment.
    os.environ.update({name: value for name, value in chosen.items() if name.startswith("AWS_")})
    with made.site() as site:
        if not site.settings.keys_dir.exists():
            keys.init(site.settings.keys_dir, clock=site.clock)
    return made


def add_camera(site: Site, name: str, source: str, *, others: Mapping[str, str] | None = None) -> None:
    """Register a camera with 10 s segments; ``others`` as for the registry, which else lists all cameras."""
    lat, lon, kecamatan, kelurahan, owner = PLACE
    form = CameraForm(
        id=name, source=source, name=name, lat=lat, lon=lon, kecamatan=kecamatan, kelurahan=kelurahan,
        owner=owner, view="public", segment_seconds="10",
    )  # fmt: skip
    site.registry.add(form, actor="os:bench", others=others)


def record_raw(ffmpeg: Path, loop: Path, folder: Path, seconds: int) -> list[Path]:
    """The files that the recorder's FFmpeg would write in ``seconds``, made faster than real time."""
    options = "movflags=+frag_keyframe+empty_moov+default_base_moof:frag_duration=1000000:flush_packets=1"
    options += f":write_prft=wallclock:video_track_timescale={TIMESCALE}"
    argv = [str(ffmpeg), "-v", "error", "-stream_loop", "-1", "-i", str(loop), "-t", str(seconds), "-an"]
    argv += ["-c", "copy", "-f", "segment", "-segment_time", "10", "-reset_timestamps", "1"]
    argv += ["-segment_format", "mp4", "-segment_format_options", options, str(folder / "%06d.raw.mp4")]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return sorted(folder.glob("*.raw.mp4"))


def lay_down(site: Site, camera: str, raw: Sequence[Path], start: int, folder: Path) -> Timespan:
    """Finalise and ingest segments (steps 2 to 8) as if they were recorded from ``start`` on."""
    site.wholeness.found()  # before anything is recorded
    place = parse_place(*PLACE)
    key = keys.load_or_make_recorder_key(site.settings.keys_dir, _RECORDER)
    register(site.ledger, _RECORDER, key.public_key())
    logbook = Logbook(site.settings.home / "logbook", recorder=_RECORDER, key=key, clock=site.clock)
    ingest = Ingest(
        footage=site.stores.footage,
        records=site.stores.records,
        index=site.index,
        logbook=logbook,
        recorder=_RECORDER,
        clock=site.clock,
        locked_until=lambda segment, _place: segment.span.start + DAY,
    )
    run, tfdt, at = new_run_id(site.clock.now()), 0, start
    parcels = []
    for seq, source in enumerate(raw):
        media = folder / f"{camera}-{seq:06d}.mp4"
        made = finalise(source, media, tfdt=tfdt)
        end = at + made.media_duration * SECOND // TIMESCALE
        leaf = _leaf(camera, run, seq, Timespan(at, end), made, site.clock.now())
        parcels.append(write_ticket(media.with_suffix(TICKET), leaf, place, media=media))
        tfdt, at = tfdt + made.media_duration, end
    for parcel in parcels:
        ingest.store(parcel)
    ingest.commit(parcels)
    ingest.seal()
    ingest.upload()
    return Timespan(start, at)


def _leaf(camera: str, run: str, seq: int, span: Timespan, made: Finalised, now: int) -> Segment:
    return Segment(
        camera=camera, recorder=_RECORDER, run=run, seq=seq, span=span, media_duration=made.media_duration,
        sha256=made.sha256, size=made.size, header_bytes=made.header_bytes, codec=made.header.codec,
        gop=made.header.gop, frames=made.frames, ingested_at=now, camera_time=None,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
    )  # fmt: skip


@contextmanager
def recording(made: Installation, *, ended_by: signal.Signals = signal.SIGTERM) -> Iterator[int]:
    """Run ``saksi record`` until the block ends; gives its pid. Ended by SIGTERM it archives what it has.

    Raises:
        Unavailable: ``bench_failed``: it had ended by itself.
    """
    process = made.start("record")
    try:
        yield process.pid
        if process.poll() is not None:
            raise Unavailable(f"the recorder ended: {made.words_of('record')}", code="bench_failed")
    finally:
        process.send_signal(ended_by)
        try:
            process.wait(_DRAIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True)
class Served:
    """A running API process."""

    url: str
    headers: Mapping[str, str]
    pid: int


@contextmanager
def serving(made: Installation, *more: str) -> Iterator[Served]:
    """``saksi serve`` with more options on a free port, until the block ends."""
    headers = token_of(made)
    port = free_port()
    process = made.start("serve", "--port", str(port), *more)
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, process, made)
        yield Served(url, headers, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def token_of(made: Installation) -> Mapping[str, str]:
    """What a caller with a new token sends."""
    with made.site() as site:
        token = token_file(site).create(f"bench-{time.monotonic_ns()}", site.clock)
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def working(made: Installation, *jobs: str) -> Iterator[int]:
    """Run ``saksi work`` with only these jobs until the block ends; gives its pid."""
    process = made.start("work", *(word for job in jobs for word in ("--only", job)))
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, process: "subprocess.Popen[bytes]", made: Installation) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(f"{url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    raise Unavailable(f"the API did not start: {made.words_of('serve')}", code="bench_failed")


def free_port() -> int:
    """A port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
