"""The README of a ZIP with clips of many cameras."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from archive.footage.download.naming import time_text
from archive.footage.download.texts import gaps_in_english, gaps_in_indonesian, joined
from archive.footage.reader import GapSpan
from archive.model.camera import Camera
from archive.timespan import Timespan

CameraLines = tuple[Camera, Sequence[str], Sequence[GapSpan], Sequence[Timespan]]
"""A camera, the paths of its clips, its gaps, and footage that no clip shows."""


def readme(asked: Timespan, cameras: Sequence[CameraLines], zone: tzinfo) -> bytes:
    """The text, in Indonesian and then in English; it names every camera that was requested."""
    when = time_text(asked, zone)
    filled = sum(1 for _, paths, _, _ in cameras if paths)
    return joined(
        [
            "KLIP BEBERAPA KAMERA",
            "",
            f"Waktu yang diminta: {when}",
            f"Kamera yang diminta: {len(cameras)}; dengan rekaman: {filled}",
            "Gambar tidak dikodekan ulang. Ini unduhan, bukan paket bukti: tidak ada segel di dalamnya.",
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
            "Nothing is re-encoded. This is a download, not an evidence package: it has no seal.",
            "",
            *(line for one in cameras for line in _english(one, zone)),
            "To check: open this folder and run  sha256sum -c SHA256SUMS",
            "index.json describes the contents for programs; its times are in UTC.",
        ]
    )


def _indonesian(one: CameraLines, zone: tzinfo) -> Iterator[str]:
    camera, paths, gaps, left_out = one
    yield f"{camera.id}, {camera.name}"
    yield from (f"  {path}" for path in paths)
    if not paths:
        yield "  TIDAK ADA REKAMAN"
    yield "  Celah:"
    yield from (f"  {line}" for line in gaps_in_indonesian(gaps, zone))
    for span in left_out:
        yield f"  {time_text(span, zone)}: ada rekaman kurang dari 1 detik yang tidak dimuat"
    yield ""


def _english(one: CameraLines, zone: tzinfo) -> Iterator[str]:
    camera, paths, gaps, left_out = one
    yield f"{camera.id}, {camera.name}"
    yield from (f"  {path}" for path in paths)
    if not paths:
        yield "  NO FOOTAGE"
    yield "  Gaps:"
    yield from (f"  {line}" for line in gaps_in_english(gaps, zone))
    for span in left_out:
        yield f"  {time_text(span, zone)}: there is footage of less than 1 s that is left out"
    yield ""
