"""What 500 cameras on one host cost apart from their footage: start, changes of the registry, dead cameras.

500 FFmpegs of real footage do not fit on a small host, so the start is measured with a stand-in that does
nothing but run. Changes and dead cameras are measured with real FFmpegs on a tenth of the cameras, which read
one small picture.
"""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from archive.errors import Unavailable
from ops.bench import processes
from ops.bench.bank import Bank
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.installation import Installation, add_camera, on_stores, recording
from ops.bench.workbench import Workbench
from ops.wiring import Site
from recorder.binary import Binary

SUBJECT = "control"
_START_S, _CHANGE_S, _DEAD_PER_CENT = 60, 2, 5
_PATIENCE_S = 300
_LOOK_EVERY = 0.02
_LOOK_SELDOM = 0.5
"""While hundreds of processes start: each look reads all of them, and would slow what is measured."""
_ACTOR = "os:bench"
_OF_CAMERA = re.compile(rb"/cameras/([^/\0 ]+)/")
_STAND_IN = """#!/bin/bash
[ "$1" = -version ] && echo "ffmpeg version 7.1 stand-in" && exit
exec -a "stand-in $*" sleep 3600
"""


@dataclass(frozen=True, slots=True)
class _Size:
    cameras: int
    live: int
    settle: int
    window: int
    changes: int


def measure(bench: Workbench) -> Findings:
    """Start all with a stand-in; then record some, let the others be dead, and change the registry."""
    began = time.monotonic()
    size = _Size(20, 3, 3, 3, 2) if bench.scale.is_brief else _Size(500, 50, 90, 60, 10)
    stores = bench.stores("control-stores")
    name = f"bench-control-{time.monotonic_ns()}"
    bench.say(f"control: starting {size.cameras} cameras")
    started = _start(on_stores(bench.scratch("control-start"), stores, f"{name}-a", index=True), bench, size)
    bench.say(f"control: {size.cameras} cameras have a process after {short(started)} s")
    made = on_stores(bench.scratch("control"), stores, f"{name}-b", index=True)
    with Bank(bench.mediamtx("control-bank"), bench.ffmpeg, _small(bench), 1) as bank:
        live, both, changes = _run(made, bench, bank.url(bank.names[0]), size)
    dead = size.cameras - size.live
    worst = {what: max(took) for what, took in changes.items()}
    return bench.findings(
        SUBJECT,
        f"{size.cameras} cameras on one host: the control plane",
        seconds=time.monotonic() - began,
        conditions=(
            f"MinIO and Elasticsearch on the same machine; {size.cameras} cameras in the registry.",
            "500 FFmpegs do not fit on two cores. The start is measured with a stand-in for FFmpeg that "
            "only runs: from "
            "the start of saksi record, its interpreter included, until there is one for every camera.",
            f"Then {size.live} cameras are recorded by FFmpeg (320 × 180, 5 frames a second, all from one "
            "stream), and "
            f"{dead} are dead: every other one refuses connections, and the others answer no packet. The "
            "dead ones' "
            "processor time is that of the recorder's own process with them less that without them, over "
            f"{size.window} s, {size.settle} s after the last one was added.",
            "A change is measured from the registry's answer until an FFmpeg of the camera runs, another "
            "one runs, or "
            f"none does; {size.changes} of each kind, at random moments.",
            "No peer has such a registry.",
        ),
        figures=(
            Figure(name=f"start until all {size.cameras} cameras have a process", unit="s", ours=started,
                   limit=_START_S, rule=f"≤ {_START_S} s"),
            *(
                Figure(name=f"a camera is {what}: until it is so, most", unit="s", ours=took,
                       limit=_CHANGE_S, rule=f"≤ {_CHANGE_S} s")
                for what, took in worst.items()
            ),
            Figure(name=f"{dead} dead cameras", unit="% of a core", ours=both - live, limit=_DEAD_PER_CENT,
                   rule=f"≤ {_DEAD_PER_CENT} % of a core"),
        ),
        tables=(
            Table(
                "The recorder's own process, % of a core",
                (f"{size.live} recorded", f"{size.live} recorded and {dead} dead"),
                ((short(live), short(both)),),
            ),
            Table(
                "Changes of the registry: seconds until they are so",
                ("a camera is", "p50", "most", "changes"),
                tuple(
                    (what, short(Spread.of(took).p50), short(max(took)), f"{len(took)}")
                    for what, took in changes.items()
                ),
            ),
        ),
    )  # fmt: skip


def _start(made: Installation, bench: Workbench, size: _Size) -> float:
    folder = bench.scratch("control-stand-in")
    stand_in = folder / "ffmpeg"
    stand_in.write_text(_STAND_IN)
    stand_in.chmod(0o755)
    path = f"{folder}{os.pathsep}{made.environ.get('PATH', os.defpath)}"
    made = replace(made, environ={**made.environ, "PATH": path})
    with made.site() as site, _closed_port() as port:
        for number in range(size.cameras):
            add_camera(site, f"cam-{number}", f"rtsp://127.0.0.1:{port}/{number}", others={})
        began = time.monotonic()
        with recording(made, ended_by=signal.SIGKILL) as pid:
            _until(
                lambda: len(_captures(pid)) >= size.cameras,
                "all cameras have a process",
                made,
                every=_LOOK_SELDOM,
            )
            return time.monotonic() - began


def _run(
    made: Installation, bench: Workbench, url: str, size: _Size
) -> tuple[float, float, dict[str, list[float]]]:
    """Per cent of a core without and with the dead cameras, and how long changes took."""
    with made.site() as site, ExitStack() as opened:
        for number in range(size.live):
            add_camera(site, f"live-{number}", url, others={})
        pid = opened.enter_context(recording(made, ended_by=signal.SIGKILL))
        _until(lambda: len(_captures(pid)) >= size.live, "the live cameras are recorded", made)
        time.sleep(size.settle / 3)
        bench.say(f"control: {size.live} cameras are recorded")
        live = _share(pid, size.window)
        refusing = opened.enter_context(_closed_port())
        silent = opened.enter_context(_silent_port())
        for number in range(size.cameras - size.live):
            port = (refusing, silent)[number % 2]
            add_camera(site, f"dead-{number}", f"rtsp://127.0.0.1:{port}/{number}", others={})
        time.sleep(size.settle)
        bench.say(f"control: {size.cameras - size.live} dead cameras beside them")
        both = _share(pid, size.window)
        bench.say("control: changes of the registry")
        changes = _changes(site, pid, url, size.changes, made)
    return live, both, changes


def _changes(site: Site, pid: int, url: str, count: int, made: Installation) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {"added": [], "edited": [], "disabled": []}

    def until(what: str, look: Callable[[], object]) -> None:
        took[what].append(_until(look, f"the camera is {what}", made))

    for number in range(count):
        camera = f"new-{number}"

        def capturing(camera: str = camera) -> frozenset[int]:
            return _captures(pid).get(camera, frozenset())

        add_camera(site, camera, url, others={})
        until("added", capturing)
        before = capturing()
        time.sleep(0.37 * (number % 7))  # another moment between two looks of the recorder
        site.registry.edit(camera, {"segment_seconds": "12"}, actor=_ACTOR, reason="bench")
        until("edited", lambda before=before, capturing=capturing: capturing() - before)  # type: ignore[misc]
        site.registry.disable(camera, actor=_ACTOR, reason="bench")
        until("disabled", lambda capturing=capturing: not capturing())  # type: ignore[misc]
    return took


def _captures(pid: int) -> dict[str, frozenset[int]]:
    """The processes that capture for each camera."""
    found: dict[str, frozenset[int]] = {}
    for child in processes.tree([pid])[1:]:
        try:
            argv = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        match = _OF_CAMERA.search(argv)
        if match is not None and b"leash.py" not in argv:
            camera = match[1].decode()
            found[camera] = found.get(camera, frozenset()) | {child}
    return found


def _until(look: Callable[[], object], what: str, made: Installation, *, every: float = _LOOK_EVERY) -> float:
    """Seconds until ``look`` gives something; raises Unavailable ``bench_failed`` if it never does."""
    began = time.monotonic()
    while not look():
        if time.monotonic() - began > _PATIENCE_S:
            raise Unavailable(
                f"not within {_PATIENCE_S} s: {what}: {made.words_of('record')}", code="bench_failed"
            )
        time.sleep(every)
    return time.monotonic() - began


def _share(pid: int, seconds: int) -> float:
    """Per cent of a core that the recorder's own process takes."""
    began, before = time.monotonic(), processes.own_cpu_seconds([pid])
    time.sleep(seconds)
    return 100 * (processes.own_cpu_seconds([pid]) - before) / (time.monotonic() - began)


def _small(bench: Workbench) -> Path:
    """A small picture, as long as a group of keyframes needs."""
    path = bench.scratch("control-loop") / "small.mp4"
    _encode(bench.ffmpeg, ["-g", "10", "-bf", "0", "-b:v", "60k", "-x264-params", "repeat-headers=1"], path)
    return path


def _encode(ffmpeg: Binary, options: Sequence[str], path: Path) -> None:
    source = "testsrc2=size=320x180:rate=5:duration=20"
    subprocess.run(
        [str(ffmpeg.path), "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "libx264", *options,
         "-pix_fmt", "yuv420p", str(path)],
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port at which every connection is refused: it is bound, and nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def _silent_port() -> Iterator[int]:
    """A port that answers no packet: its queue of connections is full."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
