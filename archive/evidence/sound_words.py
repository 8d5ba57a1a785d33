"""The sentences on sound for people: which camera's footage has it, of which kind, and who allowed that.

Indonesian and English; for the text in a package and for its sealing report.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import wrap

from archive.evidence import sounds
from archive.evidence.plan import PackagePlan
from archive.evidence.sounds import Stretch
from archive.footage.heard import SILENT, in_english, in_indonesian
from archive.model.segment import SoundStatement
from archive.model.sound_permission import SoundPermission

_WIDTH = 108

Moment = Callable[[int], str]
"""A time (µs) in words."""


def silent_cameras(plan: PackagePlan) -> list[str]:
    """The cameras with originals of which none has sound, in the order of the plan."""
    there = {item.ref.camera for item in plan.originals}
    heard = sounds.cameras_with_sound(plan)
    return [camera.id for camera in plan.cameras if camera.id in there and camera.id not in heard]


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The sentences of one language; ``of_sound`` names a kind of sound in it."""

    silent: str
    whole: str
    parts: str
    allowed: str
    unknown: str
    of_sound: Callable[[SoundStatement], str]


_INDONESIAN = _Sentences(
    silent=SILENT[0],
    whole="Seluruh rekaman kamera ini memuat suara:",
    parts="Hanya bagian berikut memuat suara; rekaman selebihnya tanpa suara:",
    allowed="Perekaman suara diizinkan oleh {by} sejak {since}, atas usul {proposer}, "
    "dengan alasan: {reason}",
    unknown="Siapa yang mengizinkannya tidak tercatat pada rentang ini.",
    of_sound=in_indonesian,
)
_ENGLISH = _Sentences(
    silent=SILENT[1],
    whole="All footage of this camera has sound:",
    parts="Only these parts have sound; the rest of the footage has none:",
    allowed="Recording of sound was allowed by {by} since {since}, as {proposer} proposed: {reason}",
    unknown="Who allowed it is not on record for this span.",
    of_sound=in_english,
)


def said_id(plan: PackagePlan, moment: Moment) -> Iterator[tuple[str, str]]:
    """Cameras and a sentence about them in Indonesian: all those without sound, then each of the others."""
    return _said(plan, moment, _INDONESIAN)


def said_en(plan: PackagePlan, moment: Moment) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    return _said(plan, moment, _ENGLISH)


def _said(plan: PackagePlan, moment: Moment, words: _Sentences) -> Iterator[tuple[str, str]]:
    if silent := silent_cameras(plan):
        yield ", ".join(silent), words.silent
    for camera, is_all, found in _with_sound(plan):
        yield camera, words.whole if is_all else words.parts
        for one in found:
            yield camera, f"{moment(one.span.start)} - {moment(one.span.end)}: {words.of_sound(one.sound)}."
        permissions = _permissions(plan, camera)
        for given in permissions:
            said = words.allowed.format(
                by=given.allowed_by,
                since=moment(given.since),
                proposer=given.proposed_by,
                reason=given.reason,
            )
            yield camera, said
        if not permissions:
            yield camera, words.unknown


def listed(said: Iterator[tuple[str, str]]) -> list[str]:
    """The sentences as lines of plain text, each camera named once."""
    lines: list[str] = []
    last = ""
    for camera, sentence in said:
        if camera != last:
            lines += wrap(camera, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
            last = camera
        lines += wrap(
            sentence, _WIDTH, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
        )
    return lines


def _with_sound(plan: PackagePlan) -> Iterator[tuple[str, bool, list[Stretch]]]:
    """Each camera with sound, whether all of its originals have it, and its stretches."""
    found = sounds.stretches(plan)
    without = {item.ref.camera for item in plan.originals if sounds.sound_of(item) is None}
    for camera in plan.cameras:
        mine = [one for one in found if one.camera == camera.id]
        if mine:
            yield camera.id, camera.id not in without, mine


def _permissions(plan: PackagePlan, camera: str) -> list[SoundPermission]:
    """Every permission that was in force during the span, oldest first."""
    found = (one.sound.permission for one in sounds.registrations(plan, camera))
    return list(dict.fromkeys(one for one in found if one is not None))
