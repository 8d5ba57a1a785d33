"""The README of a ZIP with clips of many cameras."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import NamedTuple

from archive.footage.download.naming import time_text
from archive.footage.download.texts import gaps_in_english, gaps_in_indonesian, joined
from archive.footage.heard import SILENT
from archive.footage.reader import GapSpan
from archive.model.camera import Camera
from archive.timespan import Timespan


class CameraLines(NamedTuple):
    """A camera, the paths of its clips, its gaps, footage that no clip shows, and the clips with sound."""

    camera: Camera
    paths: Sequence[str]
    gaps: Sequence[GapSpan]
    left_out: Sequence[Timespan]
    with_sound: Sequence[str]


def readme(asked: Timespan, cameras: Sequence[CameraLines], zone: tzinfo) -> bytes:
    """The text, in Indonesian and then in English; it names every camera that was requested."""
    when = time_text(asked, zone)
    filled = sum(1 for one in cameras if one.paths)
    return joined(
        [
            "KLIP BEBERAPA KAMERA",
            "",
            f"Waktu yang diminta: {when}",
            f"Kamera yang diminta: {len(cameras)}; dengan rekaman: {filled}",
            "Klip dipotong dari rekaman tanpa pengodean ulang. Kamera lama mengirim gambar JPEG (MJPEG);",
            "perekam mengodekannya menjadi H.264 saat merekam. Unduhan segmen asli (container=original)",
            "menyebut segmen yang demikian (made_from).",
            "Ini unduhan, bukan paket bukti: tidak ada segel di dalamnya.",
            "",
            *(line for one in cameras for line in _indonesian(one, zone)),
            "Memeriksa: buka folder ini, lalu jalankan  sha256sum -c SHA256SUMS",
            "index.json memuat isi berkas ini untuk program; waktu di sana dalam UTC.",
            "",
            "----",
            "",
            "CLIPS OF SEVERAL CAMERAS",
            "",
            f"Requested time: {when}",
            f"Requested cameras: {len(cameras)}; with footage: {filled}",
            "The clips are cut from the recordings, and nothing is encoded anew. Some old cameras send JPEG",
            "pictures (MJPEG), which the recorder encoded as H.264 while it recorded: a download of original",
            "segments (container=original) says which they are (made_from).",
            "This is a download, not an evidence package: it has no seal.",
            "",
            *(line for one in cameras for line in _english(one, zone)),
            "To check: open this folder and run  sha256sum -c SHA256SUMS",
            "index.json describes the contents for programs; its times are in UTC.",
        ]
    )


def _indonesian(one: CameraLines, zone: tzinfo) -> Iterator[str]:
    yield f"{one.camera.id}, {one.camera.name}"
    yield from (f"  {path}{' (dengan suara)' if path in one.with_sound else ''}" for path in one.paths)
    if not one.paths:
        yield "  TIDAK ADA REKAMAN"
    elif not one.with_sound:
        yield f"  {SILENT[0]}"
    yield "  Celah:"
    yield from (f"  {line}" for line in gaps_in_indonesian(one.gaps, zone))
    for span in one.left_out:
        yield f"  {time_text(span, zone)}: ada rekaman kurang dari 1 detik yang tidak dimuat"
    yield ""


def _english(one: CameraLines, zone: tzinfo) -> Iterator[str]:
    yield f"{one.camera.id}, {one.camera.name}"
    yield from (f"  {path}{' (with sound)' if path in one.with_sound else ''}" for path in one.paths)
    if not one.paths:
        yield "  NO FOOTAGE"
    elif not one.with_sound:
        yield f"  {SILENT[1]}"
    yield "  Gaps:"
    yield from (f"  {line}" for line in gaps_in_english(one.gaps, zone))
    for span in one.left_out:
        yield f"  {time_text(span, zone)}: there is footage of less than 1 s that is left out"
    yield ""
