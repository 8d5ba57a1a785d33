"""What a package says in words of pauses: stretches of its footage in which no new picture came.

The leaf of each segment states them (:mod:`archive.footage.mp4.pauses`). Such a stretch is no gap: the
footage goes on, and a player shows the picture before it until the next.
"""

from collections.abc import Callable, Iterator

from archive.documents.indonesian import number
from archive.evidence.clock_words import seconds_en, seconds_id
from archive.evidence.imported_words import listed
from archive.evidence.plan import PackagePlan, read_leaf
from archive.timespan import Timespan

TITLES = ("Jeda gambar:", "Pauses of the picture:")
EXPLAINED = (
    "Selama jeda, rekaman menampilkan gambar terakhir sebelum jeda. Gambar yang diam itu tidak berarti "
    "adegannya diam: apa yang terjadi selama jeda tidak terlihat.",
    "During a pause the footage shows the last picture before it. That this picture stands still does not "
    "mean that the scene did: what happened meanwhile is not shown.",
)  # fmt: skip
MOST_SAID = 100
"""So many pauses are listed in words. The leaves state all."""


def pauses(plan: PackagePlan) -> list[tuple[str, Timespan]]:
    """The pauses that the leaves of the originals state, by camera and time."""
    return sorted((item.ref.camera, span) for item in plan.originals for span in read_leaf(item).paused)


def said_id(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Each pause and a sentence about it, in Indonesian; of more than :data:`MOST_SAID` how many others."""
    found = pauses(plan)
    for camera, span in found[:MOST_SAID]:
        yield (
            _head(camera, span, moment),
            f"tidak ada gambar baru dari kamera selama {seconds_id(span.duration)} detik",
        )
    if (rest := len(found) - MOST_SAID) > 0:
        yield f"{number(rest)} jeda lain", "disebut catatan segmennya masing-masing (pauses)"


def said_en(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    found = pauses(plan)
    for camera, span in found[:MOST_SAID]:
        yield (
            _head(camera, span, moment),
            f"no new picture came from the camera for {seconds_en(span.duration)} s",
        )
    if (rest := len(found) - MOST_SAID) > 0:
        yield f"{rest:,} more", "in the record of each segment (pauses)"


def listed_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The lines of ``README.txt`` about pauses, in Indonesian; none where no leaf states any."""
    return listed(TITLES[0], said_id(plan, moment), EXPLAINED[0])


def listed_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`listed_id`, in English."""
    return listed(TITLES[1], said_en(plan, moment), EXPLAINED[1])


def _head(camera: str, span: Timespan, moment: Callable[[int], str]) -> str:
    return f"{camera}  {moment(span.start)} - {moment(span.end)}"
