"""Made footage of a street by day: a drawn place with traffic and a clock, which looks like a camera's.

A place is drawn once; FFmpeg moves vehicles and people over it, adds a sensor's noise, and burns in the name
and the wall time, as cameras do. So a picture of a page shows which camera and which second it has.
"""

import hashlib
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from archive.footage.mp4.finalise import Finalised
from archive.timespan import HOUR, SECOND
from tests.support.numbered import DEFAULT_FFMPEG, _cache, _run, _version, finalised_run, record

WIDTH, HEIGHT, FPS = 640, 360, 5
Colour = tuple[int, int, int]
_PAINTS: tuple[Colour, ...] = (
    (176, 42, 48), (228, 228, 222), (54, 84, 140), (40, 44, 50), (206, 160, 52), (120, 128, 134),
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A place. ``slant`` is how much the road falls across the picture, in pixels; ``sea`` is beside it."""

    title: str
    seed: int
    slant: int = -60
    sea: bool = False
    stalls: bool = False
    dome: bool = False
    sky: Colour = (168, 190, 205)


def footage_of(scene: Scene, start: int, seconds: int, folder: Path) -> list[tuple[Path, Finalised]]:
    """The finalised segments of a run that begins at ``start``, whose clock shows Makassar's time."""
    source = _encoded(scene, start, seconds)
    recorded = record(source, folder / f"{scene.seed}-recorded")
    return finalised_run(recorded, folder / f"{scene.seed}-finalised")


def _encoded(scene: Scene, start: int, seconds: int) -> Path:
    layers = [_place(scene), *(image for image, _ in _movers(scene))]
    steps, shown = [], "0"
    for number, (_, (x, y)) in enumerate(_movers(scene), 1):
        steps.append(f"[{shown}][{number}]overlay=x='{x}':y='{y}':eval=frame[m{number}]")
        shown = f"m{number}"
    local = start // SECOND + 8 * HOUR // SECOND
    box = "fontsize=15:fontcolor=white:box=1:boxcolor=black@0.45:boxborderw=4"
    clock = f"%{{pts\\:gmtime\\:{local}\\:%d-%m-%Y %H\\\\\\:%M\\\\\\:%S}}"
    steps.append(
        f"[{shown}]noise=alls=7:allf=t:all_seed={scene.seed},vignette=PI/6,"
        f"drawtext=text='{scene.title}':x=10:y=10:{box},"
        f"drawtext=text='{clock}':x=w-tw-10:y=10:{box},format=yuv420p[out]"
    )
    recipe = [
        "-filter_complex", ";".join(steps), "-map", "[out]", "-t", str(seconds), "-an",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "27", "-bf", "0",
        "-g", str(FPS * 2), "-keyint_min", str(FPS * 2), "-sc_threshold", "0",
        "-bsf:v", "dump_extra=freq=keyframe",
    ]  # fmt: skip
    parts = [_version(DEFAULT_FFMPEG).encode(), *(one.encode() for one in recipe)]
    key = hashlib.sha256(b"\0".join([*parts, *(one.tobytes() for one in layers)])).hexdigest()[:16]
    cached = _cache() / f"street-{key}.mp4"
    if not cached.exists():
        with tempfile.TemporaryDirectory(dir=cached.parent) as name:
            inputs: list[str] = []
            for number, image in enumerate(layers):
                path = Path(name, f"{number}.png")
                image.save(path)
                inputs += ["-loop", "1", "-framerate", str(FPS)] if number == 0 else []
                inputs += ["-i", str(path)]
            _run(DEFAULT_FFMPEG, *inputs, *recipe, str(Path(name, "made.mp4")))
            os.replace(Path(name, "made.mp4"), cached)
    return cached


# -- what stands still ---------------------------------------------------------------------------------


def _place(scene: Scene) -> Image.Image:
    """Sky, houses or the sea, a pavement, and a road that falls by the slant; drawn large, made small."""
    chance = random.Random(scene.seed)  # noqa: S311 - a picture, no secret
    large = Image.new("RGB", (WIDTH * 2, HEIGHT * 2))
    draw = ImageDraw.Draw(large)
    horizon = 210
    for y in range(horizon * 2):
        draw.line((0, y, WIDTH * 2, y), fill=_lit(scene.sky, 0.78 + 0.3 * min(1, y / horizon)))
    if scene.sea:
        for y in range(horizon - 10, 470):
            wave = 0.9 + 0.1 * chance.random()
            draw.line((0, y, WIDTH * 2, y), fill=_lit((78, 118, 132), wave))
    else:
        _houses(draw, chance, scene)
    if scene.dome:
        draw.ellipse((560, 60, 820, 300), fill=(70, 120, 92))
        draw.rectangle((520, 190, 860, 400), fill=(222, 220, 206))
        draw.line((690, 20, 690, 70), fill=(200, 180, 90), width=6)
    _ground(draw, scene)
    _green(draw, chance, scene)
    if scene.stalls:
        for number in range(7):
            x, y = 40 + number * 180, 392 + _fall(scene, 40 + number * 180)
            awning = _PAINTS[(number * 2 + scene.seed) % len(_PAINTS)]
            draw.rectangle((x, y - 60, x + 130, y), fill=(96, 84, 70))
            draw.polygon(
                ((x - 12, y - 56), (x + 142, y - 56), (x + 120, y - 96), (x + 12, y - 96)), fill=awning
            )
    for x in (170, 640, 1110):
        y = 400 + _fall(scene, x)
        draw.line((x, y, x, y - 260), fill=(86, 88, 90), width=7)
        draw.line((x, y - 258, x + 64, y - 270), fill=(86, 88, 90), width=6)
    return large.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.6))


def _houses(draw: ImageDraw.ImageDraw, chance: random.Random, scene: Scene) -> None:
    x = -40
    while x < WIDTH * 2:
        wide, tall = chance.randrange(130, 260), chance.randrange(150, 300)
        wall = _lit((206, 194, 176), 0.72 + 0.36 * chance.random())
        top, foot = 400 + _fall(scene, x) - tall, 420 + max(_fall(scene, x), _fall(scene, x + wide))
        draw.rectangle((x, top, x + wide, foot), fill=wall)
        draw.rectangle(
            (x - 4, top - 12, x + wide + 4, top), fill=_lit((134, 74, 56), 0.8 + 0.4 * chance.random())
        )
        for row in range(top + 24, foot - 70, 52):
            for column in range(x + 16, x + wide - 30, 48):
                draw.rectangle(
                    (column, row, column + 24, row + 30),
                    fill=_lit((86, 100, 112), 0.8 + 0.4 * chance.random()),
                )
        draw.rectangle(
            (x + 14, foot - 66, x + wide - 14, foot - 20),
            fill=_lit((92, 96, 98), 0.7 + 0.5 * chance.random()),
        )
        x += wide + chance.randrange(0, 24)


def _ground(draw: ImageDraw.ImageDraw, scene: Scene) -> None:
    def band(top: int, foot: int, colour: Colour) -> None:
        left, right = _fall(scene, 0), _fall(scene, WIDTH * 2)
        draw.polygon(
            ((0, top + left), (WIDTH * 2, top + right), (WIDTH * 2, foot + right), (0, foot + left)),
            fill=colour,
        )

    band(390, 1200, (158, 154, 146))
    band(444, 660, (84, 86, 90))
    band(444, 450, (206, 204, 196))
    band(654, 660, (206, 204, 196))
    for x in range(-60, WIDTH * 2, 120):
        y, to = 549 + _fall(scene, x), 549 + _fall(scene, x + 60)
        draw.line((x, y, x + 60, to), fill=(214, 208, 180), width=6)
    for x in range(0, WIDTH * 2, 46):
        draw.line((x, 664 + _fall(scene, x), x - 30, 724 + _fall(scene, x)), fill=(142, 138, 130), width=2)


def _green(draw: ImageDraw.ImageDraw, chance: random.Random, scene: Scene) -> None:
    for x in range(70, WIDTH * 2, 300):
        y = 410 + _fall(scene, x)
        draw.rectangle((x - 6, y - 110, x + 6, y), fill=(92, 72, 54))
        for _ in range(14):
            left, top, size = (
                x + chance.randrange(-70, 30),
                y - chance.randrange(130, 210),
                chance.randrange(40, 70),
            )
            leaf = _lit((64, 104, 62), 0.75 + 0.5 * chance.random())
            draw.ellipse((left, top, left + size, top + size), fill=leaf)


# -- what moves ----------------------------------------------------------------------------------------


def _movers(scene: Scene) -> Iterator[tuple[Image.Image, tuple[str, str]]]:
    """Each vehicle and person with its place as FFmpeg's expressions of the time."""
    chance = random.Random(scene.seed + 100)  # noqa: S311 - a picture, no secret
    drawn = [*((_car, 232, -1),) * 3, *((_bike, 236, -1),) * 2, *((_car, 282, 1),) * 3, (_bike, 284, 1),
             (_walker, 196, 1), (_walker, 334, -1), (_walker, 198, -1)]  # fmt: skip
    for number, (make, lane, way) in enumerate(drawn):
        image = make(_PAINTS[(number + scene.seed) % len(_PAINTS)])
        if way < 0:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        walks = make is _walker
        speed = chance.randrange(9, 15) if walks else chance.randrange(70, 120)
        every = WIDTH + (120 if walks else chance.randrange(300, 900))
        offset = chance.randrange(0, every)
        gone = f"mod({speed}*t+{offset},{every})-60"
        x = gone if way > 0 else f"{WIDTH}-({gone})-60"
        yield image, (x, f"{lane - image.height // 2}+({scene.slant})*(({x})/{WIDTH}-0.5)")


def _car(paint: Colour) -> Image.Image:
    image = Image.new("RGBA", (216, 100))
    draw = ImageDraw.Draw(image)
    draw.ellipse((6, 76, 210, 98), fill=(20, 20, 22, 110))
    draw.polygon(((44, 40), (66, 8), (146, 8), (176, 40)), fill=_lit(paint, 0.86))
    draw.polygon(((54, 38), (72, 14), (102, 14), (102, 38)), fill=(58, 70, 80))
    draw.polygon(((108, 38), (108, 14), (142, 14), (164, 38)), fill=(58, 70, 80))
    draw.rounded_rectangle((8, 36, 208, 80), 16, fill=paint)
    draw.rectangle((8, 60, 208, 66), fill=_lit(paint, 0.7))
    draw.ellipse((196, 46, 208, 58), fill=(250, 240, 200))
    draw.rectangle((8, 46, 14, 58), fill=(190, 30, 30))
    for x in (34, 150):
        draw.ellipse((x, 62, x + 34, 96), fill=(26, 26, 28))
        draw.ellipse((x + 10, 72, x + 24, 86), fill=(150, 150, 152))
    return image.resize((108, 50), Image.Resampling.LANCZOS)


def _bike(paint: Colour) -> Image.Image:
    image = Image.new("RGBA", (100, 108))
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 94, 98, 108), fill=(20, 20, 22, 110))
    for x in (6, 66):
        draw.ellipse((x, 74, x + 28, 102), outline=(26, 26, 28), width=6)
    draw.polygon(((18, 84), (40, 62), (70, 66), (82, 86), (50, 90)), fill=paint)
    draw.line((72, 68, 78, 46), fill=(40, 40, 44), width=5)
    draw.rounded_rectangle((36, 24, 60, 68), 8, fill=_lit((74, 84, 110), 1.0))
    draw.line((56, 36, 76, 50), fill=_lit((74, 84, 110), 0.9), width=7)
    draw.ellipse((38, 2, 62, 28), fill=paint)
    return image.resize((50, 54), Image.Resampling.LANCZOS)


def _walker(paint: Colour) -> Image.Image:
    image = Image.new("RGBA", (44, 104))
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 92, 42, 104), fill=(20, 20, 22, 110))
    draw.rectangle((12, 56, 20, 98), fill=(48, 52, 66))
    draw.rectangle((24, 56, 32, 98), fill=(58, 62, 76))
    draw.rounded_rectangle((8, 24, 36, 62), 8, fill=paint)
    draw.ellipse((13, 2, 31, 24), fill=(136, 100, 78))
    return image.resize((22, 52), Image.Resampling.LANCZOS)


def _fall(scene: Scene, x: int) -> int:
    """How far the ground is down at a place of the large picture."""
    return round(scene.slant * 2 * (x / (WIDTH * 2) - 0.5))


def _lit(colour: Colour, by: float) -> Colour:
    """A colour, brighter or darker."""
    red, green, blue = (min(255, round(part * by)) for part in colour)
    return red, green, blue
