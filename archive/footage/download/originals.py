"""The untouched segments of a span as one ZIP: ``container=original``.

A clip shows exactly its span, in one stream. This is the opposite: every segment that overlaps the span, of
every run, byte for byte as it was recorded, with its leaf and hash. So it holds footage outside the span, up
to the edges of the segments, and says how much. ``docs/design/clips.md`` has the layout.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import tzinfo
from textwrap import wrap

from archive import canonical
from archive.attended import each
from archive.canonical import JsonObject, sha256_hex
from archive.errors import IntegrityError, NotFound
from archive.footage.choice import RunSpan
from archive.footage.clip.exact import all_gaps, check_length, no_footage, others_json
from archive.footage.download.checked import Checksums, SegmentPart
from archive.footage.download.naming import DownloadName, time_text
from archive.footage.download.texts import (
    gaps_in_english,
    gaps_in_indonesian,
    joined,
    seconds,
    steady_gaps,
    sums,
)
from archive.footage.encoded import ENCODED, pictures_of_leaf
from archive.footage.heard import SILENT, in_english, in_indonesian, sound_of_leaf
from archive.footage.reader import GapSpan, Reading, leaf_of
from archive.model.camera import Camera
from archive.model.leaf import sound_json
from archive.model.segment import SegmentRef, SoundStatement
from archive.ports import ObjectStore
from archive.prefetch import in_order
from archive.timespan import Timespan
from archive.zips import Bytes, Part, VirtualZip

LAYOUT = "saksi-originals/2"
"""Names the layout. Any change to the bytes of an answer must change it."""

_AHEAD = 16
_WIDTH = 100
_HINT = "Run saksi archive check: the index or the object was changed."


@dataclass(frozen=True, slots=True)
class Originals:
    """The ZIP, and what it holds. Safe to share between threads.

    ``whole`` is from the start of the first segment to the end of the last. The two times (µs) are footage
    outside the span: segments are not cut. ``gaps`` are all of the span at the moment of the request.
    """

    camera: str
    asked: Timespan
    whole: Timespan
    segments: tuple[SegmentRef, ...]
    gaps: tuple[GapSpan, ...]
    others: tuple[RunSpan, ...]
    zip: VirtualZip

    @property
    def touched(self) -> Timespan:
        """The span and all footage outside it that leaves: what the custody record must name."""
        return Timespan(min(self.asked.start, self.whole.start), max(self.asked.end, self.whole.end))

    @property
    def before_us(self) -> int:
        """Footage before the span."""
        return max(0, self.asked.start - self.whole.start)

    @property
    def after_us(self) -> int:
        """Footage after the span."""
        return max(0, self.whole.end - self.asked.end)

    def describe(self) -> JsonObject:
        """What the ZIP holds, as the command line prints it."""
        return {
            "asked": self.asked.to_json(),
            "segments_span": self.whole.to_json(),
            "outside_before_us": self.before_us,
            "outside_after_us": self.after_us,
            "segments": len(self.segments),
            "bytes": self.zip.size,
            "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in self.gaps],
            "others": others_json(self.others),
        }


def originals_in(reading: Reading, before: Iterable[SegmentRef]) -> tuple[SegmentRef, ...]:
    """The segments of all runs of a reading, and those ``before`` to whose frames the first ones refer."""
    found = dict.fromkeys((*before, *reading.segments))
    return tuple(sorted(found, key=lambda ref: (ref.span.start, ref.run, ref.seq)))


def plan_originals(
    reading: Reading,
    segments: Sequence[SegmentRef],
    footage: ObjectStore,
    *,
    camera: Camera,
    name: DownloadName,
    zone: tzinfo,
    known: Checksums,
    pool: Executor | None = None,
) -> Originals:
    """Lay out the ZIP of a reading; ``segments`` is the result of :func:`originals_in`.

    Asks the store about each segment, so that one that is missing or has another size is refused before the
    first byte. Their contents are read only when they are sent. ``camera`` is as it was registered then.

    Raises:
        Malformed: ``clip_too_short``, ``clip_too_long``.
        NoFootage: ``no_footage``, with the gaps.
        IntegrityError: ``segment_missing``, ``segment_mismatch``, ``leaf_missing``, ``leaf_differs``.
        Unavailable: the store does not answer.
    """
    check_length(reading.span)
    if not segments:
        raise no_footage(reading)
    whole = Timespan(min(ref.span.start for ref in segments), max(ref.span.end for ref in segments))
    leaves = list(in_order(lambda ref: _leaf(ref, footage), each(segments), pool, ahead=_AHEAD))
    sounds = [sound_of_leaf(leaf) for leaf in leaves]
    encoded = [pictures_of_leaf(leaf) for leaf in leaves]
    plan = Originals(
        camera=reading.camera,
        asked=reading.span,
        whole=whole,
        segments=tuple(segments),
        gaps=all_gaps(reading),
        others=reading.others,
        zip=VirtualZip((), layout=LAYOUT),
    )
    folder = f"{name.ascii}/"
    texts = {
        "README.txt": _readme(plan, camera, zone, sounds, encoded),
        "index.json": canonical.encode(_index(plan, camera, sounds, encoded)) + b"\n",
        "leaves.jsonl": b"".join(leaf + b"\n" for leaf in leaves),
    }
    hashes = [(sha256_hex(data), path) for path, data in texts.items()]
    hashes += [(ref.sha256, _path(ref)) for ref in segments]
    texts["SHA256SUMS"] = sums(hashes)
    parts: list[Part] = [
        *(Bytes(folder + path, data) for path, data in texts.items()),
        *(SegmentPart(folder + _path(ref), ref, footage, known) for ref in segments),
    ]
    return replace(plan, zip=VirtualZip(parts, layout=LAYOUT))


def _path(ref: SegmentRef) -> str:
    return f"original/{ref.key.rpartition('/')[2]}"


def _leaf(ref: SegmentRef, footage: ObjectStore) -> bytes:
    try:
        head = footage.head(ref.key, version=ref.version or None)
    except NotFound as error:
        raise IntegrityError(
            f"{ref.key} is in the index and not in the store", code="segment_missing", hint=_HINT
        ) from error
    if head.size != ref.size:
        raise IntegrityError(
            f"{ref.key} has {head.size} bytes; the index says {ref.size}", code="segment_mismatch", hint=_HINT
        )
    return leaf_of(head, ref)


_Sounds = Sequence[SoundStatement | None]
"""The sound of each segment of a plan, None for one without."""


def _index(plan: Originals, camera: Camera, sounds: _Sounds, encoded: Sequence[str]) -> JsonObject:
    return {
        "v": 1,
        "container": "original",
        "camera": {"id": camera.id, "name": camera.name, "kecamatan": camera.place.kecamatan},
        "asked": plan.asked.to_json(),
        "segments_span": plan.whole.to_json(),
        "outside_before_us": plan.before_us,
        "outside_after_us": plan.after_us,
        "segments": [
            ref.span.to_json()
            | {
                "path": _path(ref),
                "object": ref.key,
                "run": ref.run,
                "seq": ref.seq,
                "sha256": ref.sha256,
                "bytes": ref.size,
                "uncertainty_us": ref.uncertainty_us,
            }
            | ({} if sound is None else {"sound": sound_json(sound)})
            | ({"made_from": made_from} if made_from else {})
            for ref, sound, made_from in zip(plan.segments, sounds, encoded, strict=True)
        ],
        "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in steady_gaps(plan.gaps)],
        "others": others_json(plan.others),
    }


def _said(sounds: _Sounds) -> tuple[list[str], list[str]]:
    """What is said of the segments' sound, in Indonesian and in English."""
    kinds = list(dict.fromkeys(one for one in sounds if one is not None))
    if not kinds:
        return [SILENT[0]], [SILENT[1]]
    count = sum(one is not None for one in sounds)
    return (
        [
            f"Suara: {count} dari {len(sounds)} segmen memuat suara; index.json menyebutnya (sound).",
            *(f"  {in_indonesian(one)}" for one in kinds),
        ],
        [
            f"Sound: {count} of {len(sounds)} segments have sound; index.json says which (sound).",
            *(f"  {in_english(one)}" for one in kinds),
        ],
    )


def _said_of_pictures(encoded: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is said of pictures that the recorder encoded; nothing where there are none."""
    count = sum(one != "" for one in encoded)
    if not count:
        return [], []
    return (
        [f"Gambar: {count} dari {len(encoded)} segmen dikodekan perekam; lihat index.json (made_from)."]
        + [f"  {line}" for line in wrap(ENCODED[0], _WIDTH)],
        [f"Pictures: {count} of {len(encoded)} segments were encoded; index.json says which (made_from)."]
        + [f"  {line}" for line in wrap(ENCODED[1], _WIDTH)],
    )


def _readme(plan: Originals, camera: Camera, zone: tzinfo, sounds: _Sounds, encoded: Sequence[str]) -> bytes:
    of_pictures, of_sound = _said_of_pictures(encoded), _said(sounds)
    indonesian, english = of_pictures[0] + of_sound[0], of_pictures[1] + of_sound[1]
    gaps = steady_gaps(plan.gaps)
    asked, whole = time_text(plan.asked, zone), time_text(plan.whole, zone)
    before, after = seconds(plan.before_us), seconds(plan.after_us)
    count = len(plan.segments)
    return joined(
        [
            "REKAMAN ASLI (SEGMEN UTUH)",
            "",
            f"Kamera: {camera.id}, {camera.name}",
            f"Waktu yang diminta: {asked}",
            f"Waktu semua segmen: {whole}",
            "",
            f"Folder original/ berisi {count} segmen MP4 persis seperti direkam: tidak ada byte yang diubah.",
            "Segmen tidak dipotong. Karena itu berkas ini juga memuat rekaman di luar waktu yang diminta:",
            f"paling lama {before} detik sebelumnya dan {after} detik sesudahnya.",
            *indonesian,
            "Ini unduhan, bukan paket bukti: tidak ada segel, tanda tangan, atau penanda waktu di dalamnya.",
            "",
            "Celah di dalam waktu yang diminta:",
            *gaps_in_indonesian(gaps, zone),
            "",
            "Memeriksa: buka folder ini, lalu jalankan  sha256sum -c SHA256SUMS",
            "leaves.jsonl memuat catatan perekam untuk setiap segmen, satu baris JSON per segmen.",
            "index.json memuat isi berkas ini untuk program; waktu di sana dalam UTC.",
            "",
            "----",
            "",
            "ORIGINAL FOOTAGE (WHOLE SEGMENTS)",
            "",
            f"Camera: {camera.id}, {camera.name}",
            f"Requested time: {asked}",
            f"Time of all segments: {whole}",
            "",
            f"The folder original/ has {count} MP4 segments exactly as recorded: no byte is changed.",
            "Segments are not cut. So there is also footage outside the requested time:",
            f"at most {before} s before it and {after} s after it.",
            *english,
            "This is a download, not an evidence package: it has no seal, signature or time stamp.",
            "",
            "Gaps inside the requested time:",
            *gaps_in_english(gaps, zone),
            "",
            "To check: open this folder and run  sha256sum -c SHA256SUMS",
            "leaves.jsonl has the recorder's record of each segment, one line of JSON each.",
            "index.json describes the contents for programs; its times are in UTC.",
        ]
    )
