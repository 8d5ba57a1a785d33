"""The sound of segments, as their recorders' leaves state it, and in words for people.

A leaf has a member ``sound``, or none for a segment without sound. What is registered of the camera today is
never asked: footage keeps what was recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import IntegrityError

SILENT = (
    "Rekaman ini tidak memuat suara: suara tidak direkam pada kamera ini.",
    "This footage has no sound: sound was not recorded on this camera.",
)
"""What is said of a camera whose footage has none, in Indonesian and English."""
_MEMBER = b'"sound":'
_CODECS: Mapping[str, str] = {"mp4a": "AAC", "opus": "Opus"}
"""Names of codecs, by the first part of the leaf's codec string."""
_SOURCES: Mapping[str, str] = {"pcm_alaw": "G.711 (A-law)", "pcm_mulaw": "G.711 (µ-law)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSound:
    """The sound of a segment: its codec string, channels and rate (Hz).

    ``made_from`` is the codec that the camera sent, where the recorder had to encode anew; "" for a copy.
    """

    codec: str
    channels: int
    rate: int
    made_from: str = ""

    def to_json(self) -> JsonObject:
        """As leaves and statements have it."""
        made = {"made_from": self.made_from} if self.made_from else {}
        return {"codec": self.codec, "channels": self.channels, "rate": self.rate} | made

    @property
    def indonesian(self) -> str:
        """Codec, channels and rate, and whether the recorder copied it, in Indonesian."""
        made = f"dibuat perekam dari {self._source}" if self.made_from else "disalin seperti dikirim kamera"
        return f"{self._name}, {self.channels} kanal, {f'{self.rate:,}'.replace(',', '.')} Hz, {made}"

    @property
    def english(self) -> str:
        """The same in English."""
        made = (
            f"made from {self._source} by the recorder" if self.made_from else "copied as the camera sent it"
        )
        channels = "1 channel" if self.channels == 1 else f"{self.channels} channels"
        return f"{self._name}, {channels}, {self.rate:,} Hz, {made}"

    @property
    def _name(self) -> str:
        return _CODECS.get(self.codec.partition(".")[0], self.codec)

    @property
    def _source(self) -> str:
        return _SOURCES.get(self.made_from, self.made_from)


def sound_of_leaf(leaf: bytes) -> HeardSound | None:
    """The sound of a segment by its leaf (canonical, no newline); None if it has none.

    Raises:
        IntegrityError: ``leaf_mismatch``: the leaf's ``sound`` cannot be read.
    """
    if _MEMBER not in leaf:  # as nearly all leaves
        return None
    found: Any = canonical.decode(leaf).get("sound")
    try:
        return None if found is None else HeardSound(**found)
    except TypeError as error:
        raise IntegrityError(f"the sound of a leaf is misnamed: {error}", code="leaf_mismatch") from error
