"""Signed video: what a camera signs and its signatures go through recording, clip and package bit for bit.

A signature (ONVIF Media Signing, and what came before it) is SEI with user data that covers the hashes of
NAL units. It holds if no unit between camera and court is changed, dropped or moved. The signatures here have
that form and sign nothing; every unit is compared as it is.

A clip leaves out the leading pictures after its first sync, where there are such; its originals have them.
"""

import random
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.nal import NalKind, nal_kind, nal_units
from archive.footage.source_url import parse_source
from archive.model.segment import Codec
from archive.timespan import SECOND
from recorder.binary import Binary
from recorder.command import record_command
from tests.support.numbered import FFMPEGS, READING_FFMPEG, finalised_run
from tests.support.real_packages import real_world
from tests.support.scripted_camera import AccessUnit, Script, scripted_camera
from tests.support.scripts import material, script, stamped, steady

SECONDS = 9
ONVIF = uuid.UUID("005bc93f-2d71-5e95-ada4-796f90877a6f")
OLDER = uuid.UUID("5369676e-6564-2056-6964-656f2e2e2e30")
LONG = 3_000
"""More than a packet holds."""


def sei(codec: Codec, kind: uuid.UUID, content: bytes, *, suffix: bool = False) -> bytes:
    """One SEI unit with unregistered user data."""
    payload = kind.bytes + content
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    body, zeros = bytearray(), 0
    for byte in b"\x05" + size + payload + b"\x80":
        if zeros >= 2 and byte <= 3:
            body.append(3)  # no start code inside a unit
            zeros = 0
        body.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    head = b"\x06" if codec == "h264" else bytes([(40 if suffix else 39) << 1, 1])
    return head + bytes(body)


def signed(source: Sequence[AccessUnit], codec: Codec) -> list[AccessUnit]:
    """Each picture with user data of its own; at a sync a long signature, and one of the older form."""
    chance = random.Random(11)  # noqa: S311 - no secret
    found = []
    for unit in source:
        first = next(at for at, nal in enumerate(unit.units) if nal_kind(codec, nal[0]) is NalKind.SLICE)
        added = [sei(codec, OLDER, unit.frame.to_bytes(8, "big") + b"\x00\x00\x00\x01\x00\x00\x03\x00")]
        if unit.is_sync:
            added.append(sei(codec, ONVIF, chance.randbytes(LONG)))
            added.append(sei(codec, ONVIF, bytes(300)))
        after = (sei(codec, ONVIF, chance.randbytes(40), suffix=True),) if codec == "hevc" else ()
        found.append(replace(unit, units=(*unit.units[:first], *added, *unit.units[first:], *after)))
    return found


def kept(codec: Codec, unit: bytes) -> bool:
    """Containers repeat and move parameter sets and delimiters; everything else stays."""
    return nal_kind(codec, unit[0]) not in (NalKind.PARAMETER_SET, NalKind.DELIMITER)


def units_of(codec: Codec, path: Path) -> list[bytes]:
    """The units of a file in decode order, unpacked by FFmpeg; hidden pictures are among them."""
    content = subprocess.run(
        [READING_FFMPEG, "-loglevel", "error", "-ignore_editlist", "1", "-i", path,
         "-map", "0:v", "-c", "copy", "-f", "data", "pipe:1"],
        capture_output=True, check=True, timeout=300,
    ).stdout  # fmt: skip
    found = [content[nal.start : nal.end] for nal in nal_units(content, 0, len(content), 4)]
    return [unit for unit in found if kept(codec, unit)]


def recorded(made: Script, ffmpeg: str, folder: Path) -> list[tuple[Path, Finalised]]:
    """What the recorder's own command makes of the camera, finalised."""
    (folder / "raw").mkdir()
    with scripted_camera(made) as camera:
        command = record_command(
            Binary(Path(ffmpeg), "", 5), parse_source(camera.url), folder / "raw",
            segment_seconds=2, timeout_us=20_000_000,
        )  # fmt: skip
        subprocess.run(command.argv, input=command.stdin, stdout=subprocess.DEVNULL, timeout=300, check=False)
    return finalised_run(sorted((folder / "raw").glob("*.mp4")), folder / "finalised")


def is_stretch_of(found: list[bytes], whole: list[bytes]) -> bool:
    return bool(found) and any(
        whole[at : at + len(found)] == found for at in range(len(whole)) if whole[at] == found[0]
    )


@pytest.mark.parametrize("ffmpeg", FFMPEGS)
@pytest.mark.parametrize(("variant", "codec"), [("h264-nob", "h264"), ("hevc-closed", "hevc")])
def test_signatures_survive_recording_clip_and_package(
    variant: str, codec: Codec, ffmpeg: str, tmp_path: Path
) -> None:
    source = signed(material(variant, SECONDS, 15, tmp_path).units, codec)
    sent = [unit for picture in source for unit in picture.units if kept(codec, unit)]
    plan = script(source, codec=codec, captured=steady(15), stamp=stamped(steady(15)), then="close")
    made = recorded(plan, FFMPEGS[ffmpeg], tmp_path)
    assert len(made) >= 3
    archived = [unit for path, _ in made for unit in units_of(codec, path)]
    assert archived == sent[: len(archived)]
    assert len(archived) > 0.8 * len(sent)
    world = real_world(variant, tmp_path, begin=2 * SECOND + 7, end=5 * SECOND, made=made)
    package = world.unpacked(tmp_path / "case")
    originals = sorted(package.glob("data/original/**/*.mp4"))
    clips = sorted(package.glob("data/derivative/*.mp4"))
    assert originals
    assert clips
    for path in originals:
        assert is_stretch_of(units_of(codec, path), sent), path.name
    for path in clips:
        found, rest = units_of(codec, path), iter(sent)
        assert all(unit in rest for unit in found), "each unit is the camera's, in the camera's order"
        leaves_out = variant == "hevc-closed"
        assert is_stretch_of(found, sent) is not leaves_out
