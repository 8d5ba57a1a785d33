"""What a viewer gets of a camera: the frames of its clip by their numbers, and what is missing or twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from archive.footage.clip.exact import Clip, earlier_segments, plan_clip
from archive.footage.reader import Reading, read
from archive.timespan import Timespan
from ops.wiring import Site
from tests.support import numbered


@dataclass(frozen=True, slots=True)
class Break:
    """Two frames of a clip that do not follow each other. ``step`` is the difference of their numbers."""

    at: int
    step: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The frames of one camera's span, in the order in which a clip shows them.

    ``missed`` and ``repeated`` count frames. ``gaps_us`` is what the archive calls a gap, ``twice_us`` the
    footage of runs where another run is shown, ``runs`` how often the run changes. ``joined`` counts changes
    of run at a keyframe of both, ``unjoined`` those at an instant, as the answer says. ``unknown`` counts
    stretches that nothing explains.
    """

    camera: str
    span: Timespan
    frames: int
    damaged: int
    breaks: tuple[Break, ...]
    gaps_us: int
    causes: tuple[str, ...]
    twice_us: int
    runs: int
    joined: int
    unjoined: int
    unknown: int

    @property
    def missed(self) -> int:
        """Frames that the camera sent and nobody can see."""
        return sum(one.step - 1 for one in self.breaks if one.step > 1)

    @property
    def repeated(self) -> int:
        """Frames that are shown again."""
        return sum(1 - one.step for one in self.breaks if one.step < 1)


def clip_of(site: Site, camera: str, span: Timespan) -> tuple[Reading, Clip]:
    """A camera's clip, as the API plans it."""
    found = site.registry.camera(camera)
    reading = read(site.index, camera, span, registered_at=found.registered_at, now=site.clock.now())
    return reading, plan_clip(reading, site.stores.footage, earlier=earlier_segments(reading, site.index))


def seen(site: Site, camera: str, span: Timespan, loop: int) -> Seen:
    """Decode a camera's clip. The numbers begin anew after ``loop`` frames."""
    reading, clip = clip_of(site, camera, span)
    shown = numbered.numbers(numbered.read_numbers(b"".join(clip.stream())))
    numbers = [one for one in shown if one is not None]
    pieces = clip.outline()["pieces"]
    return Seen(
        camera, span, len(shown), len(shown) - len(numbers),
        tuple(_breaks(numbers, loop)),
        sum(gap.span.duration for gap in reading.gaps),
        tuple(gap.cause for gap in reading.gaps),
        sum(one.span.duration for one in reading.others),
        sum(one["run"] != other["run"] for one, other in pairwise(pieces)),
        sum(one.sha256 is not None for one in clip.run_changes),
        sum(one.sha256 is None for one in clip.run_changes),
        sum(gap.cause == "unknown" for gap in reading.gaps) + len(tuple(reading.pending)),
    )  # fmt: skip


def _breaks(numbers: list[int], loop: int) -> Iterator[Break]:
    for at, (one, other) in enumerate(pairwise(numbers), 1):
        step = (other - one + loop // 2) % loop - loop // 2
        if step != 1:
            yield Break(at, step)
