"""A synthetic night: a static street under noise, rain, headlights, and the switch to infrared.

Minutes are encoded once per FFmpeg version and reused: a night is a list of minutes, each one of a few kinds,
and its segments share the encoded files. Somebody crosses a marked box in some of them. Pictures are made by
Python as gray images and composed by FFmpeg: layers that are larger than the picture move behind a window.
"""

import functools
import hashlib
import math
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.errors import NotFound
from archive.footage.mp4.finalise import Finalised
from archive.footage.skim.box import Box
from archive.model.segment import SegmentRef
from archive.timespan import SECOND, Timespan
from tests.support.numbered import DEFAULT_FFMPEG, _cache, _run, _version, finalised_run, record

WIDTH, HEIGHT, FPS, GOP_SECONDS = 320, 180, 5, 2
BOX = Box(0.4, 0.6, 0.6, 0.95)
"""Where the crossings are: pixels 128 to 192 of the width, 108 to 171 of the height."""

_SPEED, _CROSSING_S = 18, 20
_PERSON = (14, 34)
_OFF = 20
_STARTS = 15
"""When a crossing enters the picture, in seconds of its minute."""

RUN = "6b05180000000009"


@dataclass(frozen=True)
class Minute:
    """One kind of minute. ``mode`` is the light at its beginning: ``lamp`` or ``infrared``."""

    mode: str = "lamp"
    rain: bool = False
    headlights: bool = False
    switch: bool = False
    crossing: bool = False
    elsewhere: bool = False
    seed: int = 1

    @property
    def mode_after(self) -> str:
        """The light at its end."""
        if not self.switch:
            return self.mode
        return "infrared" if self.mode == "lamp" else "lamp"


IN_BOX = Timespan(
    _STARTS * SECOND + (128 - _PERSON[0] + _OFF) * SECOND // _SPEED,
    _STARTS * SECOND + (192 + _OFF) * SECOND // _SPEED,
)
"""When a crossing is in the box, from the start of its minute."""


class SharedFootage:
    """The footage bucket of a night: many objects, few files. Only what reading footage needs."""

    def __init__(self) -> None:
        self.paths: dict[str, Path] = {}
        self.read_bytes = 0

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        """As a store."""
        if key not in self.paths:
            raise NotFound(f"there is no {key}")
        with self.paths[key].open("rb") as file:
            file.seek(start)
            data = file.read(length)
        self.read_bytes += len(data)
        return data

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        """As a store."""
        assert length is not None
        return iter((self.read(key, start, length),))


@dataclass
class Night:
    """Segments of one camera from ``start`` on, and when somebody crossed the box."""

    footage: SharedFootage
    refs: list[SegmentRef]
    span: Timespan
    crossings: list[Timespan]

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """As an index."""
        return iter([ref for ref in self.refs if ref.camera == camera and ref.span.overlaps(span)])


def make_night(kinds: Sequence[Minute], start: int, folder: Path, *, camera: str = "cam-1") -> Night:
    """A night of these minutes, one after the other."""
    footage, refs, crossings = SharedFootage(), [], []
    at = start
    for kind in kinds:
        if kind.crossing:
            crossings.append(Timespan(at + IN_BOX.start, at + IN_BOX.end))
        for path, made in segments_of(kind, folder):
            ref = SegmentRef(
                camera=camera,
                run=RUN,
                seq=len(refs),
                span=Timespan(at, at + 10 * SECOND),
                media_duration=made.media_duration,
                sha256=made.sha256,
                size=made.size,
                header_bytes=made.header_bytes,
                codec=made.header.codec,
                gop=made.header.gop,
                uncertainty_us=40_000,
            )
            footage.paths[ref.key] = path
            refs.append(ref)
            at = ref.span.end
    return Night(footage, refs, Timespan(start, at), crossings)


def random_night(minutes: int, seed: int, *, seeds: Sequence[int] = (1,)) -> list[Minute]:
    """A night in which the light changes twice, rain comes and goes, and somebody crosses now and then.

    ``seeds`` are those of its noise and rain.
    """
    chance = random.Random(seed)  # noqa: S311 - a picture, no secret
    found: list[Minute] = []
    mode, rain = "lamp", False
    switches = {minutes // 4, 3 * minutes // 4}
    since = 9
    for number in range(minutes):
        rain = rain if chance.random() > 0.1 else not rain
        switch = number in switches
        crossing = not switch and since >= 3 and chance.random() < 0.15
        since = 0 if crossing else since + 1
        kind = Minute(
            mode=mode,
            rain=rain,
            headlights=chance.random() < 0.3,
            switch=switch,
            crossing=crossing,
            elsewhere=not crossing and not switch and chance.random() < 0.2,
            seed=chance.choice(seeds),
        )
        found.append(kind)
        mode = kind.mode_after
    return found


@functools.cache
def segments_of(kind: Minute, folder: Path) -> tuple[tuple[Path, Finalised], ...]:
    """The six finalised segments of a minute."""
    name = hashlib.sha256(repr(kind).encode()).hexdigest()[:12]
    recorded = record(_encoded(kind), folder / f"{name}-recorded")
    made = tuple(finalised_run(recorded, folder / f"{name}-finalised"))
    assert [one.media_duration for _, one in made] == [900_000] * 6
    return made


def _encoded(kind: Minute) -> Path:
    layers, graph = _composition(kind)
    recipe = [
        "-filter_complex", graph, "-map", "[out]", "-t", "60", "-an",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-bf", "0",
        "-g", str(FPS * GOP_SECONDS), "-keyint_min", str(FPS * GOP_SECONDS), "-sc_threshold", "0",
        "-bsf:v", "dump_extra=freq=keyframe",
    ]  # fmt: skip
    key = hashlib.sha256(
        b"\0".join([_version(DEFAULT_FFMPEG).encode(), *(one.encode() for one in recipe), *layers.values()])
    ).hexdigest()[:16]
    cached = _cache() / f"night-{key}.mp4"
    if not cached.exists():
        with tempfile.TemporaryDirectory(dir=cached.parent) as name:
            folder = Path(name)
            inputs: list[str] = []
            for layer, image in layers.items():
                (folder / f"{layer}.pgm").write_bytes(image)
                inputs += ["-loop", "1", "-framerate", str(FPS), "-i", str(folder / f"{layer}.pgm")]
            _run(DEFAULT_FFMPEG, *inputs, *recipe, str(folder / "out.mp4"))
            (folder / "out.mp4").replace(cached)
    return cached


def _composition(kind: Minute) -> tuple[Mapping[str, bytes], str]:
    """The images that are composed, in order of FFmpeg's inputs, and the filter graph."""
    street = {"lamp": _street(), "infrared": _infrared()}
    layers = {"base": street[kind.mode]}
    steps = ["[0]format=gray[v0]"]

    def layer(name: str, image: bytes, window: str, mode: str) -> None:
        number = len(layers)
        layers[name] = image
        steps.append(f"[{number}]format=gray,crop={WIDTH}:{HEIGHT}:{window}[l{number}]")
        steps.append(f"[v{number - 1}][l{number}]blend=all_mode={mode}[v{number}]")

    if kind.switch:
        number = len(layers)
        layers["after"] = street[kind.mode_after]
        steps.append(f"[{number}]format=gray[l{number}]")
        steps.append(f"[v{number - 1}][l{number}]blend=all_expr=if(lt(T\\,30)\\,A\\,B)[v{number}]")
    moving = f"clip(520-{_SPEED}*(t-{_STARTS})\\,160\\,520):0"
    if kind.crossing:
        layer("person", _person(118), moving, "lighten")
    if kind.elsewhere:
        layer("far", _person(40), moving, "lighten")
    if kind.headlights:
        layer("glow", _glow(), "clip(70+164*(mod(t\\,30)-10)\\,70\\,890):0", "addition")
    if kind.rain:
        layer("rain", _rain(kind.seed), "0:mod(n*137\\,540)", "lighten")
    steps.append(f"[v{len(layers) - 1}]noise=alls=12:allf=t:all_seed={kind.seed},format=yuv420p[out]")
    return layers, ";".join(steps)


def _image(width: int, height: int, pixels: bytes) -> bytes:
    assert len(pixels) == width * height
    return b"P5\n%d %d\n255\n" % (width, height) + pixels


@functools.cache
def _luma() -> tuple[int, ...]:
    """The street under its lamps: sky, houses, a road, and patches of texture."""
    chance = random.Random(4)  # noqa: S311 - a picture, no secret
    rows = [[50 + y // 6 if y < 100 else 38 for _ in range(WIDTH)] for y in range(HEIGHT)]
    for _ in range(60):
        x, y, level = chance.randrange(WIDTH), chance.randrange(HEIGHT), chance.randrange(25, 120)
        for row in rows[y : y + chance.randrange(4, 24)]:
            row[x : x + 20] = [level] * len(row[x : x + 20])
    return tuple(min(200, level) for row in rows for level in row)


def _street() -> bytes:
    return _image(WIDTH, HEIGHT, bytes(_luma()))


def _infrared() -> bytes:
    """The same in infrared light from the camera: bright in the middle, and other things are bright."""
    found = bytearray()
    for place, level in enumerate(_luma()):
        x, y = place % WIDTH / WIDTH - 0.5, place // WIDTH / HEIGHT - 0.5
        turned = 140 - level if level > 90 else level + 30
        found.append(max(16, min(220, int(turned * 1.4 * (1 - 1.2 * (x * x + y * y))))))
    return _image(WIDTH, HEIGHT, bytes(found))


def _person(top: int) -> bytes:
    """A bright figure in the middle of a wide dark picture."""
    width, height = _PERSON
    rows = [bytearray(1000) for _ in range(HEIGHT)]
    for row in rows[top : top + height]:
        row[500 : 500 + width] = bytes([165]) * width
    return _image(1000, HEIGHT, b"".join(rows))


def _glow() -> bytes:
    """Light on a wide area: a Gaussian 70 pixels wide."""
    across = [math.exp(-(((x - 640) / 70) ** 2) / 2) for x in range(1280)]
    down = [math.exp(-(((y - 130) / 70) ** 2) / 2) for y in range(HEIGHT)]
    return _image(1280, HEIGHT, bytes(int(90 * a * b) for b in down for a in across))


def _rain(seed: int) -> bytes:
    """Streaks, each as on a lens at 1080p: 6 × 48 pixels there; in a picture that is four times as high."""
    chance = random.Random(seed)  # noqa: S311 - a picture, no secret
    rows = [bytearray(WIDTH) for _ in range(720)]
    for _ in range(900):
        x, y = chance.randrange(WIDTH), chance.randrange(720)
        for row in rows[y : y + 8]:
            row[x] = 110
    return _image(WIDTH, 720, b"".join(rows))
