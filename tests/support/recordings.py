"""Recordings for tests: runs archived in a store, with the references that an index would keep."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from archive.footage.mp4.boxes import box
from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.header import SampleTable, SegmentHeader, write_header
from archive.footage.mp4.samples import SampleDefaults
from archive.footage.mp4.track import Track, write_init
from archive.footage.reader import GapSpan, Reading
from archive.model.segment import TIMESCALE, SegmentRef
from archive.ports import Content, ObjectStore
from archive.timespan import SECOND, SpanSet, Timespan

T0 = 1_795_500_000_123_457
"""When recordings begin: an odd microsecond on purpose."""

CAMERA = "cam-1"
RUN = "6b05180000000001"
OTHER_RUN = "6b05180000000002"


@dataclass(frozen=True, slots=True)
class Frame:
    """One recorded frame: its exact wall time in µs and its place in the run's order of presentation."""

    wall: Fraction
    number: int


class ListedSegments:
    """The one method of an index that clips need, over a list; ``asked`` counts its calls."""

    def __init__(self, refs: Sequence[SegmentRef]) -> None:
        self.refs = refs
        self.asked = 0

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Those that overlap the span."""
        self.asked += 1
        return iter([ref for ref in self.refs if ref.camera == camera and ref.span.overlaps(span)])


def archive_run(
    made: Sequence[tuple[Path, Finalised]],
    store: ObjectStore,
    *,
    camera: str = CAMERA,
    run: str = RUN,
    start: int = T0,
    ppm: int = 0,
) -> list[SegmentRef]:
    """Put the finalised segments of one run into the store; its clock is ``ppm`` parts per million fast."""
    refs = []
    at = Fraction(start)
    for number, (path, result) in enumerate(made):
        header = result.header
        if number + 1 < len(made):
            ticks = made[number + 1][1].header.first_pts - header.first_pts
        else:
            ticks = max(header.presentation_times) + header.samples.durations[-1] - header.first_pts
        end = at + Fraction(ticks * SECOND, TIMESCALE) * (1 + Fraction(ppm, 1_000_000))
        ref = SegmentRef(
            camera=camera,
            run=run,
            seq=number,
            span=Timespan(round(at), round(end)),
            media_duration=ticks,
            sha256=result.sha256,
            size=result.size,
            header_bytes=result.header_bytes,
            codec=header.codec,
            gop=header.gop,
            uncertainty_us=40_000,
        )
        stored = store.put(ref.key, Content.of_file(path, sha256=result.sha256))
        refs.append(_with_version(ref, stored.version))
        at = end
    return refs


def reading_of(
    refs: Sequence[SegmentRef], span: Timespan, *, causes: str = "unreachable", camera: str = CAMERA
) -> Reading:
    """The archive's answer about ``span`` if it holds only these segments."""
    segments = tuple(
        sorted(
            (ref for ref in refs if ref.span.overlaps(span)),
            key=lambda ref: (ref.span.start, ref.run, ref.seq),
        )
    )
    coverage = SpanSet(ref.span for ref in segments).within(span)
    gaps = tuple(GapSpan(gap, causes) for gap in coverage.gaps_within(span))
    return Reading(camera, span, segments, coverage, gaps, SpanSet())


def frames_of(
    refs: Sequence[SegmentRef], headers: Sequence[SegmentHeader], *, number: int = 0
) -> list[Frame]:
    """Every frame of one run in its order of presentation, numbered from ``number`` on, by the definition."""
    timed = [
        (pts, ref.span.start + Fraction((pts - header.first_pts) * ref.span.duration, ref.media_duration))
        for ref, header in zip(refs, headers, strict=True)
        for pts in header.presentation_times
    ]
    return [Frame(wall, number + index) for index, (_, wall) in enumerate(sorted(timed))]


def shown_in(frames: Sequence[Frame], span: Timespan) -> list[int]:
    """The numbers a clip of ``span`` must show."""
    return [frame.number for frame in frames if span.start <= frame.wall < span.end]


def made_header(
    tfdt: int,
    durations: Sequence[int],
    sizes: Sequence[int],
    offsets: Sequence[int],
    sync: Sequence[int],
    *,
    entry: bytes | None = None,
) -> SegmentHeader:
    """An invented header of an H.264 track of 320 × 192."""
    track = made_track(entry)
    init = write_init(track)
    samples = SampleTable(array("I", durations), array("I", sizes), array("i", offsets), bytes(sync))
    return SegmentHeader(
        codec=track.codec,
        sample_entry=track.sample_entry,
        width=track.width,
        height=track.height,
        timescale=TIMESCALE,
        nal_length_size=4,
        tfdt=tfdt,
        samples=samples,
        init=init,
        header_bytes=len(init) + 100,
    )


def made_track(entry: bytes | None = None) -> Track:
    """An H.264 track of 320 × 192 with a sample entry that nothing can decode."""
    avc1 = box(
        b"avc1",
        bytes(6) + b"\0\1" + bytes(16) + (320).to_bytes(2) + (192).to_bytes(2) + bytes(50),
        box(b"avcC", b"\1\x42\0\x1e\xff\xe0\0"),
    )
    # the end of tkhd: unity matrix, then width and height in 16.16
    matrix = b"".join(one.to_bytes(4) for one in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    return Track(
        track_id=1,
        codec="h264",
        sample_entry=avc1 if entry is None else entry,
        width=320,
        height=192,
        timescale=TIMESCALE,
        nal_length_size=4,
        shape=matrix + (320 << 16).to_bytes(4) + (192 << 16).to_bytes(4),
        defaults=SampleDefaults(0, 0, 0),
    )


def made_ref(
    header: SegmentHeader, span: Timespan, ticks: int, *, seq: int = 0, run: str = RUN, camera: str = CAMERA
) -> SegmentRef:
    """The reference of an invented header."""
    return SegmentRef(
        camera=camera,
        run=run,
        seq=seq,
        span=span,
        media_duration=ticks,
        sha256=sha256(f"{run}/{seq}".encode()).hexdigest(),
        size=header.header_bytes + sum(header.samples.sizes),
        header_bytes=header.header_bytes,
        codec=header.codec,
        gop=header.gop,
    )


def hevc_entry(*kinds: int) -> bytes:
    """A ``hev1`` sample entry whose ``hvcC`` holds one made-up NAL unit of each kind."""
    arrays = b"".join(bytes([kind]) + b"\0\1" + b"\0\4" + bytes([kind << 1, 1, 0xAA, 0xBB]) for kind in kinds)
    hvcc = box(b"hvcC", b"\1" + bytes(20) + b"\3" + bytes([len(kinds)]) + arrays)
    return box(b"hev1", bytes(78), hvcc)


def _with_version(ref: SegmentRef, version: str) -> SegmentRef:
    return replace(ref, version=version)


def store_made(
    store: ObjectStore,
    *,
    seconds: int = 10,
    segments: int = 3,
    start: int = T0,
    run: str = RUN,
    fps: int = 15,
    frame_bytes: int = 400,
    camera: str = CAMERA,
    kind: int = 0x65,
) -> list[SegmentRef]:
    """Store a run of segments nothing can decode: GOPs of one second, frames in presentation order.

    Each sample is one NAL unit, its header ``kind`` (IDR) at syncs, then its number in the run in 4 bytes.
    """
    interval, count = TIMESCALE // fps, seconds * fps
    samples = SampleTable(
        array("I", [interval] * count),
        array("I", [frame_bytes + index % 7 for index in range(count)]),
        array("i", [0] * count),
        bytes(int(index % fps == 0) for index in range(count)),
    )
    refs = []
    for seq in range(segments):
        head = write_header(made_track(), seq * count * interval, samples)
        payload = b"".join(
            _slice(seq * count + index, size, kind if samples.sync[index] else 0x41)
            for index, size in enumerate(samples.sizes)
        )
        content = Content.of_bytes(head + payload)
        begin = start + seq * seconds * SECOND
        ref = SegmentRef(
            camera=camera,
            run=run,
            seq=seq,
            span=Timespan(begin, begin + seconds * SECOND),
            media_duration=count * interval,
            sha256=content.sha256,
            size=content.size,
            header_bytes=len(head),
            codec="h264",
            gop="closed",
            uncertainty_us=40_000,
        )
        refs.append(_with_version(ref, store.put(ref.key, content).version))
    return refs


def _slice(number: int, size: int, kind: int) -> bytes:
    return (size - 4).to_bytes(4) + bytes([kind]) + number.to_bytes(4) + bytes(size - 9)
