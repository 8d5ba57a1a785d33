"""A first look at a camera: what it sends, and one still of it. For the command line, and for recorders."""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError, StoreFull
from archive.footage.derive import StillMaker
from archive.footage.source_url import Source
from archive.footage.sources import SourceRule
from archive.footage.trials import Sighting
from archive.ids import new_run_id
from archive.model.camera import Camera
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
from archive.timespan import Timespan
from recorder.binary import Binary, find_ffmpeg
from recorder.hearing import is_recorded
from recorder.trial import Trial, try_source
from recorder.trials import Seen

PATIENCE_S = 12.0
_WIDTH = 1280
_NOBODY = "trial"
"""The camera of a picture that belongs to none yet."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the camera sends; ``still`` is where the picture is, None if none could be made.

    ``sound`` is the codec of its sound; "" if it sends none, None if it does not tell. ``made_from`` is
    the codec of its pictures where they are encoded; "" where they are recorded as they are.
    """

    codec: str
    width: int
    height: int
    fps: float
    still: Path | None
    sound: str | None = None
    made_from: str = ""

    def to_json(self) -> JsonObject:
        """As ``saksi camera add --json`` prints it."""
        return {
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "fps": format(self.fps, ".2f"),
            "still": None if self.still is None else str(self.still),
            "sound": self.sound,
            "made_from": self.made_from,
        }

    def about_pictures(self) -> str:
        """A sentence about encoded pictures: Indonesian first, English second."""
        return (
            "Kamera mengirim gambar JPEG (MJPEG); perekam mengodekannya menjadi H.264, dan catatannya"
            " menyebut itu."
            " (It sends JPEG pictures (MJPEG); the recorder encodes them as H.264, and its record says so.)"
        )

    def about_sound(self) -> str:
        """What people are told about sound: Indonesian first, English second."""
        if self.sound is None:
            return "Tidak diketahui apakah kamera mengirim suara. (Whether it sends sound is not known.)"
        if not self.sound:
            return "Kamera tidak mengirim suara. (It sends no sound.)"
        if not is_recorded(self.sound):
            return (
                f"Kamera mengirim suara ({self.sound}), yang tidak dapat direkam."
                f" (It sends sound ({self.sound}), which cannot be recorded.)"
            )
        return (
            f"Kamera mengirim suara ({self.sound}); suara tidak direkam kecuali diizinkan."
            f" (It sends sound ({self.sound}); sound is not recorded unless that is allowed.)"
        )


def look_at(camera: Camera, source: Source, *, rule: SourceRule, clock: Clock, still: Path) -> FirstLook:
    """Record a few seconds of a camera outside the archive, and keep one picture of it in ``still``.

    The picture is readable by this account only. The recording is removed.

    Raises:
        Refused, Unavailable: as :func:`recorder.trial.try_source`.
        StoreFull: ``still_unwritable``: the picture cannot be written.
    """
    binary = find_ffmpeg()
    with tempfile.TemporaryDirectory(prefix="saksi-trial-") as name:
        folder = Path(name)
        trial = asyncio.run(
            try_source(source, rule=rule, binary=binary, clock=clock, folder=folder, patience=PATIENCE_S)
        )
        jpeg = _picture(camera.id, trial, clock, folder, StillMaker(binary.path))
        if jpeg is not None:
            _keep(jpeg, still)
    kept = still if jpeg is not None else None
    return FirstLook(trial.codec, trial.width, trial.height, trial.fps, kept, trial.sound, trial.made_from)


async def look_once(
    source: Source, *, rule: SourceRule, binary: Binary, clock: Clock, patience: float
) -> Seen:
    """The same for a recorder: what a source sends, and one still, without leaving anything behind.

    Raises:
        Refused, Malformed, Unavailable: as :func:`recorder.trial.try_source`.
    """
    with tempfile.TemporaryDirectory(prefix="saksi-trial-") as name:
        folder = Path(name)
        trial = await try_source(
            source, rule=rule, binary=binary, clock=clock, folder=folder, patience=patience
        )
        maker = StillMaker(binary.path)
        still = await asyncio.to_thread(_picture, _NOBODY, trial, clock, folder, maker)
    sighting = Sighting(
        codec=trial.codec,
        width=trial.width,
        height=trial.height,
        mfps=round(trial.fps * 1000),
        sound=trial.sound,
        made_from=trial.made_from,
    )
    return Seen(sighting, still)


def _picture(camera: str, trial: Trial, clock: Clock, folder: Path, maker: StillMaker) -> bytes | None:
    made, now = trial.segment, clock.now()
    ref = SegmentRef(
        camera=camera,
        run=new_run_id(now),
        seq=0,
        span=Timespan(now, now + max(1, made.media_duration * 100 // 9)),
        media_duration=max(1, made.media_duration),
        sha256=made.sha256,
        size=made.size,
        header_bytes=made.header_bytes,
        codec=made.header.codec,
        gop=made.header.gop,
    )
    store = FilesystemStore(folder / "store", clock)
    store.put(ref.key, Content.of_file(trial.path, sha256=made.sha256))
    try:
        return maker.keyframe(ref, store, now, width=_WIDTH).jpeg
    except ArchiveError:
        return None  # this machine cannot decode it; the camera's footage is recorded all the same


def _keep(jpeg: bytes, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(jpeg)
    except OSError as error:
        raise StoreFull(
            f"the picture cannot be written to {path.name}: {error.strerror}",
            code="still_unwritable",
            hint="Name another file with --still.",
        ) from error
