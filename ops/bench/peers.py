"""The other peers: FFmpeg's own recording and cutting, and plain boto3 and hashlib."""

import hashlib
import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from archive.objects.s3 import connect_client
from recorder.binary import Binary

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PIECE = 1 << 20


class PlainFfmpeg:
    """One FFmpeg per camera, ``-c copy`` into 10 s MP4 segments: the simplest possible recorder."""

    def __init__(self, ffmpeg: Binary, cameras: Sequence[tuple[str, str]], folder: Path) -> None:
        self._ffmpeg = ffmpeg
        self._cameras = cameras
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for name, url in self._cameras:
            (self._folder / name).mkdir(parents=True)
            argv = [str(self._ffmpeg.path), "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url]
            argv += ["-an", "-c", "copy", "-f", "segment", "-segment_time", "10", "-reset_timestamps", "1"]
            argv += ["-segment_format", "mp4", str(self._folder / name / "%06d.mp4")]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
            self._running.append(process)
        return self

    def __exit__(self, *problem: object) -> None:
        # One signal each: at a second signal FFmpeg leaves its segment unfinished.
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(30)

    def pids(self) -> list[int]:
        """The processes."""
        return [process.pid for process in self._running]


def segment_loop(ffmpeg: Binary, loop: Path, folder: Path, seconds: int) -> list[Path]:
    """Plain MP4 segments of the loop, as :class:`PlainFfmpeg` would have recorded them."""
    argv = [str(ffmpeg.path), "-v", "error", "-stream_loop", "-1", "-i", str(loop), "-t", str(seconds)]
    argv += ["-an", "-c", "copy", "-f", "segment", "-segment_time", "10", "-reset_timestamps", "1"]
    subprocess.run([*argv, str(folder / "%06d.mp4")], check=True, stdin=subprocess.DEVNULL)
    return sorted(folder.glob("*.mp4"))


def concat_clip(ffmpeg: Binary, listed: Path, start: float, seconds: float, target: Path) -> float:
    """Cut with FFmpeg's concat reader and ``-c copy``, FFmpeg's exact way; returns the seconds taken."""
    argv = [str(ffmpeg.path), "-v", "error", "-y", "-f", "concat", "-safe", "0", "-ss", f"{start:.3f}"]
    argv += ["-i", str(listed), "-t", f"{seconds:.3f}", "-c", "copy", str(target)]
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def write_concat_list(segments: Iterable[Path], target: Path) -> Path:
    """Write the list for FFmpeg's concat reader, with 10 s for each segment."""
    lines = [f"file '{path}'\nduration 10\n" for path in segments]
    target.write_text("ffconcat version 1.0\n" + "".join(lines))
    return target


class Boto:
    """boto3 alone, configured as in Saksi's adapter, which is faster than the defaults."""

    def __init__(self, endpoint: str) -> None:
        self._client: S3Client = connect_client(endpoint)

    def fetch(self, bucket: str, ranges: Iterable[tuple[str, int, int]]) -> tuple[float, float, int]:
        """Read ranges (key, start, length) in turn; returns seconds to first and last byte, and the bytes."""
        began = time.perf_counter()
        first, size = 0.0, 0
        for key, start, length in ranges:
            found = self._client.get_object(
                Bucket=bucket, Key=key, Range=f"bytes={start}-{start + length - 1}"
            )
            body: Any = found["Body"]
            while piece := body.read(_PIECE):
                size += len(piece)
                first = first or time.perf_counter() - began
        return first, time.perf_counter() - began, size

    def copy(self, bucket: str, keys: Iterable[str], target: str) -> int:
        """Only GET, SHA-256 and PUT each object; returns the number of bytes."""
        size = 0
        for key in keys:
            found = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
            size += len(found)
            digest = hashlib.sha256(found).hexdigest()
            self._client.put_object(Bucket=target, Key=f"bare/{digest}", Body=found)
        return size

    def count_versions(self, bucket: str, prefix: str) -> int:
        """List every version under a prefix; returns their number."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        return sum(len(page.get("Versions", [])) for page in pages)


def copy_plainly(sources: Iterable[Path], target: Path) -> int:
    """Only read, SHA-256, write and sync each file; returns the number of bytes."""
    size = 0
    for source in sources:
        found = source.read_bytes()
        size += len(found)
        with (target / hashlib.sha256(found).hexdigest()).open("wb") as out:
            out.write(found)
            out.flush()
            os.fsync(out.fileno())
    return size


def hash_plainly(path: Path) -> int:
    """SHA-256 of a whole file with hashlib; returns the number of bytes."""
    with path.open("rb") as opened:
        hashlib.file_digest(opened, "sha256")
    return path.stat().st_size
