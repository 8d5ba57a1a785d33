"""MediaMTX: the RTSP server that test cameras publish to, and the peer the benchmarks compare with."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.stack import golang
from ops.stack.cache import Cache
from ops.stack.part import Launch, Progress, Room
from ops.stack.record import write_whole
from ops.stack.wire import answers

_MODULE = "github.com/bluenviron/mediamtx"


@dataclass(frozen=True, slots=True)
class Mediamtx:
    """RTSP over TCP; any path may be published and read; API and playback are on.

    A path is recorded only after ``POST /v3/config/paths/add/NAME`` with ``{"record": true}``; its recording
    is then under the part's folder in ``recordings/NAME``.
    """

    name: str = "mediamtx"
    version: str = "v1.14.0"
    patience: float = 30

    @property
    def ports(self) -> Mapping[str, int]:
        """RTSP, the control API, and the playback server."""
        return {"rtsp": 18554, "mediamtx_api": 19997, "mediamtx_playback": 19996}

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Build the server with Go. Errors of ``golang.find`` and ``build.run`` pass through."""

        def make(folder: Path) -> None:
            go = golang.find(cache, progress)
            module = golang.module(go, _MODULE, self.version, cwd=folder, progress=progress)
            source = folder / "source"
            # Copied without the read-only bits of Go's module cache.
            shutil.copytree(module, source, copy_function=shutil.copyfile)
            for made in (source, *(path for path in source.rglob("*") if path.is_dir())):
                made.chmod(0o755)
            # The compiler embeds both, and upstream makes them with `go generate`, so the module lacks
            # them. The first is the script of the HLS pages, which are off here.
            (source / "internal/servers/hls/hls.min.js").write_text("// not included\n")
            (source / "internal/core/VERSION").write_text(self.version)
            golang.compile_here(go, source, output=folder / "mediamtx", progress=progress)
            shutil.rmtree(source)

        return cache.get(self.name, self.version, make, progress) / "mediamtx"

    def prepare(self, room: Room) -> Launch:
        """Write the configuration. JSON is YAML, and quotes paths safely."""
        room.folder.mkdir(parents=True, exist_ok=True)
        config = room.folder / "mediamtx.yml"
        write_whole(config, json.dumps(_configuration(room), indent=1))
        return Launch(
            argv=[str(room.program), str(config)],
            env={"PATH": os.defpath, "HOME": str(room.folder)},
            cwd=room.folder,
        )

    def healthy(self, room: Room) -> bool:
        """Query the list of paths; MediaMTX starts its API last."""
        return answers(room.url("mediamtx_api") + "/v3/paths/list")

    def settle(self, room: Room) -> None:
        """Nothing to do: MediaMTX creates a path when a client publishes to it."""

    def environment(self, room: Room) -> dict[str, str]:
        """Addresses for tests and benchmarks."""
        return {
            "SAKSI_TEST_RTSP_URL": room.url("rtsp", "rtsp"),
            "SAKSI_TEST_MEDIAMTX_API": room.url("mediamtx_api"),
            "SAKSI_TEST_MEDIAMTX_PLAYBACK": room.url("mediamtx_playback"),
        }


def _configuration(room: Room) -> dict[str, object]:
    def address(port: str) -> str:
        return f"127.0.0.1:{room.ports[port]}"

    return {
        "logLevel": "info",
        "logDestinations": ["stdout"],
        # Packets per reader. The default of 512 drops frames of a keyframe burst on a busy test machine, and
        # a test would then blame the recorder.
        "writeQueueSize": 4096,
        "readTimeout": "10s",
        "writeTimeout": "10s",
        "api": True,
        "apiAddress": address("mediamtx_api"),
        "playback": True,
        "playbackAddress": address("mediamtx_playback"),
        "rtsp": True,
        "rtspTransports": ["tcp"],
        "rtspEncryption": "no",
        "rtspAddress": address("rtsp"),
        "rtmp": False,
        "hls": False,
        "webrtc": False,
        "srt": False,
        "pathDefaults": {
            "source": "publisher",
            "overridePublisher": True,
            "record": False,
            "recordPath": str(room.folder / "recordings/%path/%Y-%m-%d_%H-%M-%S-%f"),
            "recordFormat": "fmp4",
            "recordPartDuration": "1s",
            "recordSegmentDuration": "1h",
            "recordDeleteAfter": "24h",
        },
        "paths": {"all_others": {}},
    }
