"""A city in small: recorder hosts, three etcd nodes, cameras with frame numbers, MinIO and Elasticsearch.

Every host has an address of its own (:mod:`tests.support.links`), so each link between two can be cut.
The recorders are ``saksi record`` with the settings that an installation has.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ops.settings import Settings
from ops.stack import Places
from ops.stack.cache import Cache
from ops.stack.etcd import Etcd
from ops.stack.mediamtx import Mediamtx
from ops.stack.wire import answers
from ops.wiring import Site
from tests.support import numbered, preloaded
from tests.support.links import Links, accepts, links, with_pid
from tests.support.recording_site import form
from tests.support.servers import FreshBuckets, absent
from tests.support.sound import segments_of
from tests.support.waiting import until

FPS, GOP, SEGMENT_S = 10, 20, 5
"""Frames a second, frames of a group, and seconds of a segment."""
LOOP_S = 900
"""A camera begins anew after this long: two frames with one number are this far apart."""
_ETCD = ("etcd-1", "etcd-2", "etcd-3")
_CLIENT, _PEER, _STORE, _INDEX, _RTSP = 2379, 2380, 9000, 9200, 8554
_PATIENCE = 240.0


@dataclass
class Host:
    """A recorder host: a folder, an address, and everything that runs there."""

    name: str
    folder: Path
    net: Links
    environment: Mapping[str, str]
    program: tuple[str, ...] = ("ops", "record")
    process: preloaded.Forked | None = None
    started: int = 0

    def start(self, now: int) -> None:
        """Start its recorder at ``now``."""
        self.folder.mkdir(exist_ok=True)
        module, words = self.net.command(self.name, self.program[0], self.program[1:])
        self.process = preloaded.start(
            module, words, self.environment, cwd=Path(__file__).parents[2],
            log=self.folder.with_suffix(".log"),
        )  # fmt: skip
        self.started = now

    def pids(self) -> list[int]:
        """All its processes."""
        return self.net.pids(self.name, self.folder)

    def send(self, number: int) -> None:
        """Signal all its processes at once, the recorder first: so it can start no other."""
        assert self.process is not None
        others = [pid for pid in self.pids() if pid != self.process.pid]
        for pid in (self.process.pid, *others):
            with_pid(pid, number)

    def kill(self) -> None:
        """The host loses its power."""
        self.send(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(60)
        self.process = None
        until(lambda: not self.pids(), f"nothing runs on {self.name}")

    def stop(self) -> int:
        """The recorder is asked to stop, and has."""
        assert self.process is not None
        self.process.terminate()
        ended = self.process.wait(120)
        self.process = None
        return ended

    def erase(self) -> None:
        """Its disk is lost."""
        shutil.rmtree(self.folder)


@dataclass
class Bed:
    """The hosts by name, the network, and the archive as seen from outside it."""

    net: Links
    hosts: dict[str, Host]
    cameras: tuple[str, ...]
    site: Site
    _nodes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _programs: dict[str, Path] = field(default_factory=dict)
    _folder: Path = Path()
    _running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def alive(self) -> set[str]:
        """The hosts whose recorder was started and not ended."""
        return {name for name, host in self.hosts.items() if host.process is not None}

    def now(self) -> int:
        """µs."""
        return self.site.clock.now()

    def start(self, *names: str) -> None:
        """Start recorders."""
        for name in names:
            self.hosts[name].start(self.now())

    def recorded_by(self, since: int = 0) -> dict[str, set[str]]:
        """The living hosts that have footage of each camera, by heartbeats that came after ``since``."""
        found: dict[str, set[str]] = {camera: set() for camera in self.cameras}
        for beat in self.site.index.heartbeats():
            host = self.hosts.get(beat.recorder)
            if host is None or host.process is None or beat.at <= max(since, host.started):
                continue
            for camera, facts in beat.state.get("cameras", {}).items():
                if camera in found and facts.get("kept") == 1 and facts.get("capturing") == 1:
                    found[camera].add(beat.recorder)
        return found

    def heard(self, since: int) -> set[str]:
        """The hosts whose heartbeat came after ``since``."""
        return {beat.recorder for beat in self.site.index.heartbeats() if beat.at > since}

    def settled(self, names: Collection[str], since: int, *, all_of_them: bool = True) -> dict[str, str]:
        """Wait until each camera is recorded by one of these alone, as they say after ``since``; by which."""
        wanted = set(names)

        def is_so() -> bool:
            found = self.recorded_by(since)
            used = set().union(*found.values())
            return (
                all(len(hosts) == 1 for hosts in found.values())
                and self.heard(since) >= wanted
                and (used == wanted if all_of_them else used <= wanted)
            )

        until(is_so, f"{sorted(wanted)} share the cameras", seconds=_PATIENCE, every=0.5)
        return {camera: next(iter(hosts)) for camera, hosts in self.recorded_by(since).items()}

    def archived_beyond(self, instant: int, cameras: Collection[str] | None = None) -> None:
        """Wait until the index has a segment of each camera that begins after ``instant``."""
        for camera in cameras or self.cameras:
            until(
                lambda camera=camera: segments_of(self.site, camera)[-1].span.start > instant,
                f"{camera} is archived beyond {instant}", seconds=_PATIENCE, every=0.3,
            )  # fmt: skip

    def start_etcd(self, *names: str) -> None:
        """Start nodes of etcd; each joins the others by itself."""
        peers = ",".join(f"{one}={self.url(one, _PEER)}" for one in _ETCD)
        for name in names:
            own, client = self.url(name, _PEER), self.url(name, _CLIENT)
            argv = [
                str(self._programs["etcd"]), "--name", name, "--data-dir", str(self._folder / name),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", own, "--initial-advertise-peer-urls", own,
                "--initial-cluster", peers, "--initial-cluster-token", "bed", "--log-level", "warn",
            ]  # fmt: skip
            self._nodes[name] = self.run(name, argv, self._folder / f"{name}.log")

    def url(self, end: str, port: int) -> str:
        """Where something listens."""
        return "http://{}:{}".format(*self.net.listens(end, port))

    def kill_etcd(self, *names: str) -> None:
        """End nodes of etcd with SIGKILL."""
        for name in names:
            self._nodes[name].kill()
            self._nodes.pop(name).wait()

    def etcd_answers(self, *names: str) -> None:
        """Wait until these nodes know a leader."""
        for name in names:
            self._knows_leader(name)

    def _knows_leader(self, name: str) -> None:
        url = f"{self.url(name, _CLIENT)}/health"
        until(lambda: self.net.inside(name, lambda: answers(url)), f"{name} knows a leader")

    def close(self) -> None:
        """End everything."""
        for host in self.hosts.values():
            if host.process is not None:
                host.send(signal.SIGKILL)
        for process in self._running:
            process.kill()
            process.wait()

    def run(self, end: str, argv: Collection[str], log: Path) -> "subprocess.Popen[bytes]":
        """Start a program at an end of the network."""
        with log.open("ab") as out:
            started = self.net.inside(
                end,
                lambda: subprocess.Popen(
                    [*argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                    env={"PATH": os.defpath, "HOME": str(self._folder)},
                ),
            )  # fmt: skip
        self._running.append(started)
        return started


@contextmanager
def host_bed(
    folder: Path,
    buckets: FreshBuckets,
    elastic_url: str,
    prefix: str,
    *,
    hosts: int,
    cameras: int,
    program: tuple[str, ...] = ("ops", "record"),
    segment_s: int = SEGMENT_S,
) -> Iterator[Bed]:
    """A bed that runs, with every camera recorded; all its processes are ended afterwards.

    ``program`` is the module and the words that record on each host.
    """
    names = tuple(f"rec-{number + 1}" for number in range(hosts))
    ids = tuple(f"kam-{number + 1:02}" for number in range(cameras))
    cache = Cache(Places.from_environment().cache_dir)
    programs = {}
    for part in (Etcd(), Mediamtx()):
        if not cache.holds(part.name, part.version):
            absent(f"{part.name}'s program is not in the cache", "saksi stack up --with etcd")
        programs[part.name] = part.fetch(cache, lambda line: None)
    with ExitStack() as stack:
        net = stack.enter_context(links((*names, "store", "index", "cameras", *_ETCD)))
        net.lend("store", _STORE, urlsplit(buckets.server.url).port or 80)
        net.lend("index", _INDEX, urlsplit(elastic_url).port or 80)
        common = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")},
            "AWS_ACCESS_KEY_ID": buckets.server.access_key,
            "AWS_SECRET_ACCESS_KEY": buckets.server.secret_key,
            "SAKSI_INDEX_PREFIX": prefix,
            "SAKSI_KEYS_DIR": str(folder / "keys"),
            "SAKSI_CAMERA_NETWORKS": net.cameras,
            "SAKSI_RETENTION_FLOOR_DAYS": "1",
            "SAKSI_RECORDS_LOCK_DAYS": "1",
            "SAKSI_JOURNAL_UPLOAD_SECONDS": "10",
        }
        outside = {
            "SAKSI_ARCHIVE_URL": buckets.archive_url, "SAKSI_INDEX_URL": elastic_url,
            "SAKSI_HOME": str(folder / "outside"), "SAKSI_RECORDER": "rec-outside",
        }  # fmt: skip
        site = stack.enter_context(Site(Settings.load(common | outside)))
        bed = Bed(
            net,
            {
                name: Host(
                    name, folder / name, net,
                    {
                        **common, **_reached(net, name, buckets),
                        "SAKSI_HOME": str(folder / name), "SAKSI_RECORDER": name,
                    },
                    program,
                )
                for name in names
            },
            ids, site, _programs=programs, _folder=folder,
        )  # fmt: skip
        bed.start_etcd(*_ETCD)
        _start_cameras(bed, folder, programs["mediamtx"], ids)
        for camera in ids:
            source = "rtsp://{}:{}/{}".format(*net.listens("cameras", _RTSP), camera)
            site.registry.add(form(camera, source, segment_seconds=segment_s), actor="os:tester")
        bed.etcd_answers(*_ETCD)
        bed.start(*names)
        stack.callback(bed.close)
        yield bed


def _reached(net: Links, host: str, buckets: FreshBuckets) -> dict[str, str]:
    """Where a host reaches the servers."""

    def url(end: str, port: int) -> str:
        return "http://{}:{}".format(*net.link(host, end, port))

    return {
        "SAKSI_ARCHIVE_URL": buckets.archive_url.replace(buckets.server.url, url("store", _STORE)),
        "SAKSI_INDEX_URL": url("index", _INDEX),
        "SAKSI_ETCD_URLS": ",".join(url(one, _CLIENT) for one in _ETCD),
    }


def numbered_film(folder: Path) -> Path:
    """What every camera of a bed shows; encoded once, so it may be asked for before there is a bed."""
    return numbered.encode_numbered(
        "bed", ("libx264", "-bf", "0", "-x264-params", f"keyint={GOP}:min-keyint={GOP}:scenecut=0"),
        LOOP_S, folder / "film.mp4", FPS,
    )  # fmt: skip


def _start_cameras(bed: Bed, folder: Path, program: Path, ids: Collection[str]) -> None:
    """One server of all cameras, and for each its own showing of one numbered film."""
    config = folder / "mediamtx.yml"
    place = bed.net.listens("cameras", _RTSP)
    config.write_text(json.dumps(_server(place)))
    bed.run("cameras", [str(program), str(config)], folder / "mediamtx.log")
    film = numbered_film(folder)
    url = "rtsp://{}:{}".format(*place)

    def listens() -> bool:
        return bed.net.inside("cameras", lambda: accepts(place))

    until(listens, "the server of the cameras listens")
    for camera in ids:
        argv = [
            numbered.DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1",
            "-i", str(film), "-map", "0:v:0", "-c", "copy", "-muxdelay", "0",
            "-f", "rtsp", "-rtsp_transport", "tcp", f"{url}/{camera}",
        ]  # fmt: skip
        bed.run("cameras", argv, folder / "cameras.log")


def _server(place: tuple[str, int]) -> dict[str, object]:
    return {
        "logLevel": "info", "logDestinations": ["stdout"], "writeQueueSize": 4096,
        "readTimeout": "10s", "writeTimeout": "10s", "api": False, "playback": False,
        "rtsp": True, "rtspTransports": ["tcp"], "rtspEncryption": "no",
        "rtspAddress": "{}:{}".format(*place), "rtmp": False, "hls": False, "webrtc": False, "srt": False,
        "pathDefaults": {"source": "publisher"}, "paths": {"all_others": {}},
    }  # fmt: skip
