"""A camera that sends MPEG-TS: numbered frames, over UDP or HTTP."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import numbered


@contextmanager
def sending(folder: Path, where: str, *options: str) -> Iterator[None]:
    """FFmpeg sends numbered frames as MPEG-TS until the end."""
    frames = numbered.make_numbered("h264-nob", 60, folder / "frames.mp4")
    argv = [numbered.DEFAULT_FFMPEG, "-loglevel", "error", "-re", "-i", frames, "-c", "copy", *options]
    with subprocess.Popen([*argv, "-f", "mpegts", where]) as sender:
        try:
            yield
        finally:
            sender.kill()


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
