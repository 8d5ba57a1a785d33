"""What a package says in words of pictures that the recorder encoded: those of cameras that send JPEG.

The leaf of each such segment states it (``made_from``).
"""

from collections.abc import Callable, Iterator

from archive.evidence.imported_words import listed
from archive.evidence.plan import PackagePlan
from archive.footage.encoded import ENCODED, pictures_of_leaf
from archive.timespan import Timespan

TITLES = ("Gambar yang dikodekan perekam:", "Pictures encoded by the recorder:")
EXPLAINED = ENCODED


def stretches(plan: PackagePlan) -> list[tuple[str, Timespan]]:
    """The stretches whose pictures were encoded, by camera and time; originals that touch are one."""
    found: list[tuple[str, Timespan]] = []
    encoded = (item.ref for item in plan.originals if pictures_of_leaf(item.leaf))
    for camera, span in sorted((ref.camera, ref.span) for ref in encoded):
        if found and found[-1][0] == camera and span.start <= found[-1][1].end:
            before = found.pop()[1]
            span = Timespan(before.start, max(before.end, span.end))
        found.append((camera, span))
    return found


def said_id(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Each stretch and a sentence about it, in Indonesian."""
    for camera, span in stretches(plan):
        yield _head(camera, span, moment), "gambar JPEG dari kamera, dikodekan perekam menjadi H.264"


def said_en(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    for camera, span in stretches(plan):
        yield _head(camera, span, moment), "JPEG pictures of the camera, encoded as H.264 by the recorder"


def listed_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The lines of ``README.txt`` about such pictures, in Indonesian; none where there are none."""
    return listed(TITLES[0], said_id(plan, moment), EXPLAINED[0])


def listed_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`listed_id`, in English."""
    return listed(TITLES[1], said_en(plan, moment), EXPLAINED[1])


def _head(camera: str, span: Timespan, moment: Callable[[int], str]) -> str:
    return f"{camera}  {moment(span.start)} - {moment(span.end)}"
