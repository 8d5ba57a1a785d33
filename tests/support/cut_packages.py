"""Packages over made runs of any shape, and the verifier's opinion of their clips alone.

``cut_world`` seals what the archive makes of the runs. ``checked`` runs the steps up to *derivation* over
parts in memory, which takes a few milliseconds, and needs no ``openssl``.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from archive.evidence.plan import ClipPlan, GapStatement, Original
from archive.evidence.verifier import statement
from archive.evidence.verifier.container import Container, FolderContainer, Unreadable
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.stream import read_payload
from archive.footage.clip.exact import plan_clip
from archive.footage.mp4.header import SegmentHeader, write_header
from archive.footage.mp4.samples import SampleTable
from archive.footage.mp4.track import Track
from archive.model.segment import Codec, SegmentRef
from archive.ports import Content, ObjectStore
from archive.timespan import DAY, SpanSet, Timespan
from tests.support.packages import World, a_log, make_world
from tests.support.real_packages import segment_of
from tests.support.recordings import made_track, reading_of

Parts = dict[str, bytes]


@dataclass(frozen=True)
class Recorded:
    """Segments of one run, and the track they are recorded with."""

    segments: Sequence[tuple[SegmentRef, SegmentHeader]]
    track: Track
    codec: Codec = "h264"


class InMemory(Container):
    """A package in memory."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        super().__init__()
        self.sizes = {path: len(data) for path, data in parts.items()}
        self._parts = parts

    def chunks(self, path: str) -> Generator[bytes, None, None]:
        if path not in self._parts:
            raise Unreadable("it is missing")
        yield self._parts[path]


def track(entry: bytes | None = None, *, width: int = 320) -> Track:
    """A made track; the width is the one that players show it with."""
    made = made_track(entry)
    shape = made.shape[:-8] + (width << 16).to_bytes(4) + made.shape[-4:]
    return replace(made, codec="hevc" if made.sample_entry[4:5] == b"h" else "h264", shape=shape)


def store(recorded: Recorded, footage: ObjectStore, random: Random) -> list[SegmentRef]:
    """Store the segments, each sample one NAL unit of random bytes with the size that its header states."""
    refs = []
    sync, other = (b"\x65", b"\x41") if recorded.codec == "h264" else (b"\x26\1", b"\x02\1")
    for ref, header in recorded.segments:
        kinds = [sync if is_sync else other for is_sync in header.samples.sync]
        samples = [
            (size - 4).to_bytes(4) + kind + random.randbytes(size - 4 - len(kind))
            for size, kind in zip(header.samples.sizes, kinds, strict=True)
        ]
        head = write_header(recorded.track, header.tfdt, header.samples, header.sound)
        heard = b"" if header.sound is None else random.randbytes(sum(header.sound.sizes))
        content = Content.of_bytes(head + b"".join(samples) + heard)
        made = replace(
            ref,
            uncertainty_us=40_000,
            sha256=content.sha256,
            size=content.size,
            header_bytes=len(head),
            codec=recorded.codec,
        )
        refs.append(replace(made, version=footage.put(made.key, content).version))
    return refs


def small(header: SegmentHeader, size: int = 12) -> SegmentHeader:
    """The same segment with samples of a few bytes, no two alike in a row."""
    table = header.samples
    sizes = type(table.sizes)("I", [size + index % 3 for index in range(len(table.sizes))])
    return replace(header, samples=SampleTable(table.durations, sizes, table.offsets, table.sync))


def cut_world(folder: Path, recorded: Sequence[Recorded], span: Timespan) -> World:
    """A package of one camera with the exact clip of ``span``, and the originals that the clip needs."""
    world = make_world(folder, segments=1)
    random = Random("cut")  # noqa: S311 - the same bytes each time
    refs = [ref for one in recorded for ref in store(one, world.footage, random)]
    frames = {ref.key: 0 for ref in refs}
    for ref, (_, header) in zip(refs, [one for run in recorded for one in run.segments], strict=True):
        frames[ref.key] = len(header.samples)
    reading = reading_of(refs, span)
    first = reading.segments[0]
    earlier = next((ref for ref in refs if (ref.run, ref.seq) == (first.run, first.seq - 1)), None)
    earlier = earlier if first.gop == "open" else None
    wanted = [*([earlier] if earlier else []), *reading.segments]
    log = a_log(
        folder / "cut-log",
        world.keys,
        world.clock,
        [segment_of(ref, frames[ref.key]) for ref in wanted],
        at=span.start // DAY * DAY + DAY // 2,
    )
    clip = plan_clip(reading, world.footage, earlier=(earlier,) if earlier else ())
    plan = replace(
        world.plan,
        span=span,
        originals=tuple(
            Original(ref=ref, leaf=proof.leaf, proof=proof)
            for ref, proof in zip(wanted, log.proofs, strict=True)
        ),
        clips=(
            ClipPlan(
                camera=first.camera,
                description=clip.outline(),
                size=clip.size,
                stream=lambda: clip.stream(),
            ),
        ),
        gaps=tuple(
            GapStatement(camera=first.camera, span=gap, cause="unreachable")
            for gap in SpanSet(ref.span for ref in refs).gaps_within(span)
        ),
        journals=(log.journal,),
    )
    return replace(world, plan=plan)


def parts_of(world: World, into: Path) -> Parts:
    """The sealed payload of a world."""
    folder = FolderContainer(str(world.unpacked(into)))
    return {path: folder.small(path) for path in folder.sizes if path.startswith("data/")}


def checked(parts: Parts) -> Notebook:
    """The steps up to *derivation*, over a manifest of exactly these parts."""
    notebook = Notebook(InMemory(parts), lambda done, total: None)
    notebook.manifest = {path: sha256(data).hexdigest() for path, data in parts.items()}
    statement.read(notebook)
    statement.check(notebook, read_payload(notebook))
    return notebook


def followed(parts: Parts, statement: dict[str, Any], clip: str) -> set[str]:
    """The codes about one clip's header and description alone, over its parts and a parsed statement."""
    notebook = Notebook(InMemory(parts), lambda done, total: None)
    notebook.manifest = dict.fromkeys(parts, "")
    notebook.statement = statement
    clips = read_payload(notebook)
    if clip in clips.broken:
        return {clips.broken[clip].code}
    return {code for code, _ in clips.rebuilding.clips[clip].problems(notebook.container)}


def codes(notebook: Notebook) -> set[str]:
    """The codes of its findings."""
    return {finding.code for finding in notebook.findings}
