"""The sound of segments in words for people; what is registered of the camera today is never asked."""

from collections.abc import Mapping

from archive.documents.indonesian import number
from archive.footage.mp4.sound import Sound
from archive.model import leaf as leaves
from archive.model.segment import MADE_FROM, Segment, SoundStatement

SILENT = (
    "Rekaman ini tidak memuat suara: suara tidak direkam pada kamera ini.",
    "This footage has no sound: sound was not recorded on this camera.",
)
"""What is said of a camera whose footage has none, in Indonesian and English."""
_MEMBER = b'"sound":'
_CODECS: Mapping[str, str] = {"mp4a": "AAC", "opus": "Opus"}
"""Names of codecs, by the first part of the leaf's codec string."""
_SOURCES: Mapping[str, str] = {
    "pcm_alaw": "G.711 (A-law)",
    "pcm_mulaw": "G.711 (µ-law)",
    "pcm_s16be": "PCM",
    "adpcm_g726": "G.726",
}


def statement_of(sound: Sound | None, *, sent: str) -> SoundStatement | None:
    """A leaf's statement about its segment's sound; ``sent`` is FFmpeg's name of the camera's codec."""
    if sound is None:
        return None
    return SoundStatement(
        codec=sound.codec_string,
        channels=sound.channels,
        rate=sound.timescale,
        made_from=sent if sent in MADE_FROM else "",
    )


def sound_of_leaf(line: bytes) -> SoundStatement | None:
    """The sound of a segment by its recorder's leaf; None if it has none. Raises Malformed ``bad_leaf``."""
    if _MEMBER not in line:  # as nearly all leaves
        return None
    found = leaves.decode(line)
    return found.sound if isinstance(found, Segment) else None


def in_indonesian(sound: SoundStatement) -> str:
    """Codec, channels and rate, and whether the recorder copied it."""
    made = f"dibuat perekam dari {_source(sound)}" if sound.made_from else "disalin seperti dikirim kamera"
    return f"{_name(sound)}, {sound.channels} kanal, {number(sound.rate)} Hz, {made}"


def in_english(sound: SoundStatement) -> str:
    """As :func:`in_indonesian`."""
    made = (
        f"made from {_source(sound)} by the recorder" if sound.made_from else "copied as the camera sent it"
    )
    channels = "1 channel" if sound.channels == 1 else f"{sound.channels} channels"
    return f"{_name(sound)}, {channels}, {sound.rate:,} Hz, {made}"


def _name(sound: SoundStatement) -> str:
    return _CODECS.get(sound.codec.partition(".")[0], sound.codec)


def _source(sound: SoundStatement) -> str:
    return _SOURCES.get(sound.made_from, sound.made_from)
