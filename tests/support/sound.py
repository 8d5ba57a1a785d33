"""What must hold of every archive a recorder leaves behind."""

from archive.footage.reader import Reading, read
from archive.integrity.check import Checker, Depth
from archive.model.segment import SegmentRef
from archive.timespan import HOUR, SpanSet, Timespan
from ops.wiring import Site


def reading_of(site: Site, camera: str) -> Reading:
    """The reading of a camera since its registration."""
    found = site.registry.camera(camera)
    now = site.clock.now()
    span = Timespan(found.registered_at, now)
    return read(site.index, camera, span, registered_at=found.registered_at, now=now)


def segments_of(site: Site, camera: str) -> list[SegmentRef]:
    """Every indexed segment of a camera, in order."""
    now = site.clock.now()
    return list(site.index.segments(camera, Timespan(now - 24 * HOUR, now + HOUR)))


def causes(site: Site, camera: str) -> list[str]:
    """The causes of a camera's gaps, in order."""
    return [gap.cause for gap in reading_of(site, camera).gaps]


def assert_sound(site: Site, *cameras: str) -> None:
    """I1, I2 and I9 hold (``archive check``), each instant has one explanation (I6), nothing exists twice."""
    report = Checker(site.stores, site.index, site.clock, depth=Depth.BYTES).run()
    assert report.breaches == []
    stored = [one.key for one in site.stores.footage.versions("segments/")]
    indexed = [one.key for camera in site.registry.cameras() for one in segments_of(site, camera.id)]
    assert stored == sorted(indexed), "each segment is stored once and indexed once"
    for camera in cameras:
        known = reading_of(site, camera)
        assert [gap for gap in known.gaps if gap.cause == "unknown"] == [], camera
        whole = known.coverage | SpanSet(gap.span for gap in known.gaps) | known.pending
        assert not whole.gaps_within(known.span)
