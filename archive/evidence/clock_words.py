"""What a package says in words of the cameras' own clocks: how far each was off, and when that was measured.

A recorder asks a camera that speaks ONVIF for its clock once a day, and each leaf states the last answer. The
times of footage do not come from it; the time that a camera writes into its picture does.
"""

from collections.abc import Callable, Iterator

from archive.documents.indonesian import number
from archive.evidence.imported_words import listed
from archive.evidence.plan import PackagePlan, read_leaf
from archive.model.segment import DeviceClock
from archive.timespan import SECOND

EXPLAINED = (
    "Waktu rekaman adalah waktu jam perekam dan tidak dikoreksi dengan jam kamera. Waktu yang ditulis kamera "
    "di dalam gambar mengikuti jam kamera, jadi dapat berbeda sebesar selisih ini.",
    "The times of footage are those of the recorder, and are not corrected by a camera's clock. The time "
    "that a camera writes into its picture follows the camera's clock, and so may differ by this offset.",
)  # fmt: skip
_TENTH = SECOND // 10


def measurements(plan: PackagePlan) -> list[tuple[str, DeviceClock]]:
    """What the leaves of the originals state, each answer of a camera once, by camera and time."""
    found: dict[tuple[str, int], DeviceClock] = {}
    for item in plan.originals:
        clock = read_leaf(item).device_clock
        if clock is not None:
            found[item.ref.camera, clock.at] = clock
    return [(camera, clock) for (camera, _), clock in sorted(found.items())]


def said_id(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Each camera and a sentence about its clock, in Indonesian, for every time it was asked."""
    for camera, clock in measurements(plan):
        way = "lebih cepat" if clock.offset_us > 0 else "lebih lambat"
        off = f"{seconds_id(abs(clock.offset_us))} detik {way} daripada jam perekam"
        if abs(clock.offset_us) < _TENTH // 2:
            off = "sama dengan jam perekam"
        within = f"± {seconds_id(clock.within_us)} detik"
        yield camera, f"jam kamera {off} ({within}), diukur {moment(clock.at)}"


def said_en(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    for camera, clock in measurements(plan):
        way = "ahead of" if clock.offset_us > 0 else "behind"
        off = f"{seconds_en(abs(clock.offset_us))} s {way} the recorder's"
        if abs(clock.offset_us) < _TENTH // 2:
            off = "equal to the recorder's"
        yield (
            camera,
            f"camera's clock {off} (± {seconds_en(clock.within_us)} s), measured {moment(clock.at)}",
        )


def listed_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The lines of ``README.txt`` about cameras' clocks, in Indonesian; none where no leaf states any."""
    return listed("Jam kamera:", said_id(plan, moment), EXPLAINED[0])


def listed_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`listed_id`, in English."""
    return listed("Clocks of cameras:", said_en(plan, moment), EXPLAINED[1])


def seconds_id(duration: int) -> str:
    """A duration (µs) as seconds with one decimal, in Indonesian."""
    tenths = (duration + _TENTH // 2) // _TENTH
    return f"{number(tenths // 10)},{tenths % 10}"


def seconds_en(duration: int) -> str:
    """As :func:`seconds_id`, in English."""
    tenths = (duration + _TENTH // 2) // _TENTH
    return f"{tenths // 10:,}.{tenths % 10}"
