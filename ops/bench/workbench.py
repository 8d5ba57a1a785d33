"""The workbench of every subject: folders, servers of its own, FFmpeg, and progress messages."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ops.bench import loop, machine
from ops.bench.figures import Curve, Figure, Findings, Table
from ops.stack import Places, Stack
from ops.stack.elasticsearch import Elasticsearch
from ops.stack.mediamtx import Mediamtx
from ops.stack.minio import Minio
from ops.stack.part import Part
from recorder.binary import Binary, find_ffmpeg

Progress = Callable[[str], None]
_PARTS: tuple[Part, ...] = (Mediamtx(), Minio(), Elasticsearch())


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: a full run takes a quarter of an hour, a short one seconds for each subject.

    ``windows`` of ``window_seconds`` are measured after ``warm_up`` seconds; ``runs`` requests for clips of
    each of ``clip_seconds`` after ``uncounted``; ``sealed_seconds`` of each of four cameras are sealed.
    """

    cameras: int = 16
    windows: int = 3
    window_seconds: int = 60
    warm_up: int = 20
    runs: int = 30
    recorded_seconds: int = 630
    sealed_seconds: int = 300
    clip_seconds: tuple[int, int] = (60, 600)
    uncounted: int = 10
    loop_seconds: int = 180
    loop_height: int = 1080
    is_brief: bool = False

    @classmethod
    def brief(cls) -> Self:
        """Enough to see that everything works; its figures say nothing and are not published."""
        return cls(
            cameras=2, windows=1, window_seconds=3, warm_up=4, runs=2, recorded_seconds=14,
            sealed_seconds=10, clip_seconds=(2, 5), uncounted=1, loop_seconds=20, loop_height=360,
            is_brief=True,
        )  # fmt: skip


class Workbench:
    """Use it as a context manager: on exit it stops its servers and removes its scratch folder.

    ``cache`` remains: it holds the prepared loop and MediaMTX's recording of it, which take long to make.
    """

    def __init__(
        self,
        scale: Scale,
        progress: Progress,
        command: str,
        *,
        cache: Path | None = None,
        stores: Stack | None = None,
    ) -> None:
        """``stores`` are servers that several subjects share; without them each subject starts its own."""
        places = Places.from_environment()
        self.scale = scale
        self.say = progress
        self.command = command
        self.ffmpeg: Binary = find_ffmpeg()
        self.cache = cache or places.cache_dir.parent / "bench"
        self.cache.mkdir(parents=True, exist_ok=True)
        self._programs = places.cache_dir
        self._load = os.getloadavg()[0]
        self._shared = stores
        self._open = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="saksi-bench-"))
        # Elasticsearch refuses to run as root, and the account it then uses must reach its folder.
        self.folder.chmod(0o755)
        self._open.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._open.close()

    def scratch(self, name: str) -> Path:
        """A new folder that is removed with the workbench."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def mediamtx(self, name: str) -> Stack:
        """Start a MediaMTX of its own on free ports."""
        return self._started(name, (Mediamtx(),))

    def loop(self) -> Path:
        """The footage of every camera, made at the first call."""
        return loop.prepare(
            self.ffmpeg, self.cache, seconds=self.scale.loop_seconds, height=self.scale.loop_height
        )

    def stores(self, name: str) -> Stack:
        """A MinIO and an Elasticsearch: the shared ones, else ones of its own on free ports."""
        if self._shared is not None:
            return self._shared
        return self._started(name, (Elasticsearch(), Minio()))

    def _started(self, name: str, parts: tuple[Part, ...]) -> Stack:
        stack = Stack(self.folder / name, self._programs, ports=0, parts=parts, progress=self.say)
        self._open.callback(stack.erase)
        stack.up()
        return stack

    def findings(
        self,
        subject: str,
        title: str,
        *,
        seconds: float,
        conditions: tuple[str, ...],
        figures: tuple[Figure, ...],
        tables: tuple[Table, ...] = (),
        curves: tuple[Curve, ...] = (),
    ) -> Findings:
        """The findings of a subject, with the machine's facts and the time."""
        return Findings(
            subject=subject,
            title=title,
            at=machine.stamp(),
            seconds=round(seconds),
            command=self.command,
            machine=machine.facts(self.ffmpeg)
            | {part.name: part.version for part in _PARTS}
            | {"load": f"{self._load:.1f}"},
            conditions=conditions,
            figures=figures,
            tables=tables,
            commit=machine.commit(),
            curves=curves,
        )


def shared_stores(opened: ExitStack, progress: Progress) -> Stack:
    """A MinIO and an Elasticsearch that live as long as ``opened``, for subjects that may share them."""
    folder = Path(tempfile.mkdtemp(prefix="saksi-bench-stores-"))
    folder.chmod(0o755)
    opened.callback(shutil.rmtree, folder, ignore_errors=True)
    programs = Places.from_environment().cache_dir
    stack = Stack(folder / "stores", programs, ports=0, parts=(Elasticsearch(), Minio()), progress=progress)
    opened.callback(stack.erase)
    stack.up()
    return stack


def pids_of(stack: Stack) -> dict[str, int]:
    """The pid of each running part."""
    return {status.name: status.pid for status in stack.status() if status.pid is not None}


def seconds_of(work: Callable[[], object]) -> float:
    """The seconds that the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
