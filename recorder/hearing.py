"""What sound a camera sends, and whether it is recorded. Asked only for cameras that may record sound.

An RTSP camera says it in its description, which costs one short exchange. Any other source is asked with
FFmpeg: it copies one packet of sound and prints its codec. MP4 carries AAC and Opus, which are copied; some
codecs of telephones are turned into AAC by FFmpeg, and the leaf says so. Sound of any other codec is not
recorded.

FFmpeg begins no file before its encoder has heard something. So a camera that announces G.711 and sends none
would give no picture: the capture is begun again without sound, and sound is not tried again for an hour.
"""

import asyncio
import re
from dataclasses import dataclass

from archive.clock import Clock
from archive.errors import Unavailable
from archive.model.segment import MADE_FROM
from archive.timespan import HOUR
from recorder.archiver import Log
from recorder.binary import Binary
from recorder.command import look_command
from recorder.probe import describe
from recorder.process import start_capture
from recorder.sources import Source, SourceKind

COPIED = ("aac", "opus")
_PATIENCE = 8.0
_GRACE = 1.0
_MUTE = HOUR
_NAMES = {
    "mpeg4-generic": "aac",
    "mp4a-latm": "aac",
    "opus": "opus",
    "pcma": "pcm_alaw",
    "pcmu": "pcm_mulaw",
    "l16": "pcm_s16be",
}
_STATIC = {"0": "pcmu", "8": "pcma", "9": "g722", "10": "l16", "11": "l16", "14": "mpa"}
"""Payload types that need no ``rtpmap`` (RFC 3551)."""
_RTPMAP = re.compile(r"a=rtpmap:(\d+)\s+([A-Za-z0-9.-]+)/")
_CODEC_ID = b"#codec_id 0: "
_PLAIN = re.compile(r"[a-z0-9_.-]{1,40}\Z")


def is_recorded(codec: str) -> bool:
    """Whether sound of this codec is recorded: copied, or turned into AAC."""
    return codec in COPIED or codec in MADE_FROM


def sound_of(description: str) -> str:
    """The codec of the first sound in a session description (RFC 8866), as FFmpeg names it; "" for none.

    One that is not known here keeps the name that the description gives it.
    """
    lines = description.replace("\r\n", "\n").split("\n")
    at = next((index for index, line in enumerate(lines) if line.startswith("m=audio ")), None)
    if at is None:
        return ""
    words = lines[at].split()
    payload = words[3] if len(words) > 3 else ""
    name = _STATIC.get(payload, "")
    for line in lines[at + 1 :]:
        if line.startswith("m="):
            break
        told = _RTPMAP.match(line)
        if told is not None and told[1] == payload:
            name = told[2].lower()
    if name.startswith(("g726-", "aal2-g726-")):
        return "adpcm_g726"
    found = _NAMES.get(name, name)
    return found if _PLAIN.match(found) else "unknown"


async def ask(source: Source, *, binary: Binary, clock: Clock, timeout: float) -> str | None:
    """The codec of the source's sound; "" if it sends none, None if it does not tell.

    Raises:
        Unavailable: ``capture_not_started``.
    """
    if source.kind is SourceKind.PATTERN:
        return ""
    if source.kind is SourceKind.RTSP:
        description = await describe(source, timeout=timeout)
        return None if description is None else sound_of(description)
    command = look_command(binary, source, timeout_us=round(timeout * 1_000_000))
    capture = await start_capture(command, clock=clock, redact=source.redact)
    try:
        async with asyncio.timeout(_PATIENCE):
            async for line in capture.lines():
                if line.startswith(_CODEC_ID):
                    name = line.removeprefix(_CODEC_ID).decode("latin-1").strip()
                    return name if _PLAIN.match(name) else "unknown"
    except TimeoutError:
        return ""
    finally:
        await capture.end(_GRACE)
    return ""


@dataclass(slots=True)
class Hearing:
    """What one camera's sound is, from one connection to the next."""

    binary: Binary
    clock: Clock
    log: Log
    timeout: float
    _url: str = ""
    _known: str = ""
    _mute_until: int | None = None

    async def sound(self, camera: str, source: Source) -> str:
        """The codec to record, or "" for none. Pictures never wait long for the answer, nor fail with it."""
        if source.url != self._url:
            self._url, self._known, self._mute_until = source.url, "", None
        if not self._known or source.kind is SourceKind.RTSP:
            try:
                told = await ask(source, binary=self.binary, clock=self.clock, timeout=self.timeout)
            except Unavailable:
                told = None
            if told is None and not self._known:
                self.log.warning("sound_not_known", camera=camera, codec="")
            if told is not None and told != self._known:
                self._known = told
                if told and not is_recorded(told):
                    self.log.warning("sound_not_recorded", camera=camera, codec=told)
        if self._mute_until is not None and self.clock.monotonic() < self._mute_until:
            return ""
        return self._known if is_recorded(self._known) else ""

    def was_mute(self, camera: str) -> None:
        """The camera announced sound and sent none: for a while it is recorded without."""
        self._mute_until = self.clock.monotonic() + _MUTE
        self.log.warning("sound_announced_and_not_sent", camera=camera, codec=self._known)
