"""Footage that looks like a street's, in a furnished city: two minutes of four cameras, one of them cut off.

It begins at :data:`BEGINS`, when the cameras have their names and directions; nothing else is recorded then.
"""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.footage.reader import recorded_leaf
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause
from archive.model.segment import SegmentRef
from archive.ports import Content, IndexEntry
from archive.records import journal
from archive.timespan import MINUTE, SECOND, Timespan
from tests.support.api_site import CAMERA, EMPTY_CAMERA, PLACE, T0, archive_run
from tests.support.furnished import BESIDE, Furnished
from tests.support.street import Scene, footage_of

BEGINS = T0 + 35 * MINUTE
SECONDS = 120
SEGMENT = 10 * SECOND
CUT = Timespan(BEGINS + 50 * SECOND, BEGINS + 80 * SECOND)
"""When the first camera could not be reached."""

SCENES: Mapping[str, Scene] = {
    CAMERA: Scene("Losari selatan", 1, slant=-40, sea=True),
    BESIDE: Scene("Losari utara", 5, slant=34, sea=True, sky=(178, 188, 196)),
    "haji-bau-30": Scene("Jl. Haji Bau", 2, stalls=True),
    EMPTY_CAMERA: Scene("Penghibur, simpang", 4, slant=64, dome=True),
}
"""Each camera with what it shows."""


def film(city: Furnished, folder: Path) -> None:
    """Archive, index and journal the footage, as a recorder and ingest do."""
    refs: list[SegmentRef] = []
    for number, (camera, scene) in enumerate(SCENES.items()):
        made = footage_of(scene, BEGINS, SECONDS, folder)
        parts = {BEGINS: made}
        if camera == CAMERA:
            first, second = (CUT.start - BEGINS) // SEGMENT, (CUT.end - BEGINS) // SEGMENT
            parts = {BEGINS: made[:first], CUT.end: made[second:]}
        for start, part in parts.items():
            run = f"6b05180000003{number}{int(start != BEGINS)}0"
            refs += archive_run(city.site.services, part, run=run, start=start, camera=camera)
    gap = Gap(
        camera=CAMERA, recorder="rec-1", gap="6a15000000000033", span=CUT, cause=GapCause.UNREACHABLE,
        ingested_at=CUT.end,
    )  # fmt: skip
    city.site.services.index.add([IndexEntry(leaf=gap, place=PLACE)])
    _journal(city, refs, gap)


def _journal(city: Furnished, refs: list[SegmentRef], gap: Gap) -> None:
    """The recorder's second batch, which follows the one that the city has."""
    site = city.site.evidence.site
    (first,) = site.stores.records.list("journal/")
    lines = [*(leaves.decode(recorded_leaf(site.stores.footage, ref)) for ref in refs), gap]
    prev = journal.digest_of(site.stores.records.get(first.key))
    now = site.clock.now()
    key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    data = journal.encode(lines, recorder="rec-1", batch=2, prev=prev, at=now, key=key)
    site.stores.records.put(keys.journal_key("rec-1", 2, now), Content.of_bytes(data))
    site.index.advance_cursor("rec-1", 2)
