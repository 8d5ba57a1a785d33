"""What a device says that it keeps itself (ONVIF recording search), and which recording is the camera's."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from archive.errors import Malformed
from archive.footage.source_url import with_account
from archive.model.connection import Connection
from archive.timespan import HOUR, MINUTE, Timespan, parse_instant
from recorder.devices import KeptRecording
from recorder.sources import Source, SourceKind, parse_source

_MOST = 256
_LOOKS = 10
_LONGEST_TEXT = 100
_ZONES = 14 * HOUR
"""No zone is farther from UTC."""
_AHEAD = 5 * MINUTE


class SearchClient(Protocol):
    """The part of an ONVIF client that a search needs."""

    async def find_recordings(self) -> str:
        """Begin a search; returns its token."""
        ...

    async def get_recording_search_results(
        self, *, search_token: str, max_results: int | None = None, wait_time: str = "PT5S"
    ) -> dict[str, Any]:
        """What was found since the last call, and whether that is all."""
        ...


async def kept_recordings(client: SearchClient) -> AsyncIterator[KeptRecording]:
    """Every recording that a device keeps. Raises what the client raises."""
    token = await client.find_recordings()
    for _ in range(_LOOKS):
        found = await client.get_recording_search_results(
            search_token=token, max_results=_MOST, wait_time="PT2S"
        )
        for told in found["results"][:_MOST]:
            if isinstance(told, dict) and told.get("RecordingToken"):
                yield _recording(told)
        if str(found["state"]).lower() == "completed":
            return


def recording_of(
    recordings: Sequence[KeptRecording], *, wanted: str, host: str, device: str
) -> KeptRecording:
    """The recording with the camera's pictures: the ``wanted`` one, the only one, or the one of its address.

    ``host`` is the camera's address, ``device`` that of who was asked.

    Raises:
        Malformed: ``recording_unknown``; ``no_recording``: it keeps nothing; ``recording_not_clear``: several
            may be meant.
    """
    named = ", ".join(one.token for one in recordings[:20])
    if wanted:
        for one in recordings:
            if one.token == wanted:
                return one
        raise Malformed(
            f"the device at {device} has no recording {wanted[:50]!r}", code="recording_unknown",
            hint=f"It has: {named}.",
        )  # fmt: skip
    if not recordings:
        raise Malformed(
            f"the camera at {device} keeps no recordings of its own", code="no_recording",
            hint="Put a memory card into it and switch recording on, on its own page.",
        )  # fmt: skip
    own = [one for one in recordings if host and _host_of(one.address) == host]
    named_of_others = host != device and any(
        _host_of(one.address) not in (None, device) for one in recordings
    )
    found = own if host != device and (own or named_of_others) else recordings
    if len(found) != 1:
        raise Malformed(
            f"the device at {device} keeps {len(recordings)} recordings, and nothing says which is meant",
            code="recording_not_clear", hint=f"Name it with --recording. It has: {named}.",
        )  # fmt: skip
    return found[0]


def replay_of(url: str, camera: Source, device: str) -> Source:
    """Where a recording is replayed, by what the device says, with the camera's account.

    How the connection is proven is what was registered, never what the device says: its answer may come from
    somebody on the way. ``device`` is the host that was asked.

    Raises:
        Malformed: ``replay_refused``: it is no RTSP, or unencrypted though the camera was registered as
            encrypted; ``bad_source``: it cannot be read.
    """
    source = parse_source(url.partition("#")[0])
    if source.kind is not SourceKind.RTSP:
        raise Malformed(
            f"the camera at {device} replays in a way that is not read", code="replay_refused",
            hint="Only RTSP is. Copy the recording to a file and use saksi import.",
        )  # fmt: skip
    if camera.uses_tls and not source.uses_tls:
        raise Malformed(
            f"the camera at {device} replays unencrypted, and it was registered as encrypted",
            code="replay_refused",
            hint="Switch RTSP without TLS off, on its own page. Or copy the recording and use saksi import.",
        )
    if camera.user:
        source = parse_source(with_account(source.url, camera.user, camera.password))
    is_proven_alike = source.uses_tls and camera.uses_tls and device == camera.host
    certificate = camera.connection.certificate if is_proven_alike else ""
    return replace(source, connection=Connection(certificate=certificate))


def may_have(recording: KeptRecording, span: Timespan) -> bool:
    """Whether a device that keeps this may have something of ``span`` (its own clock).

    Some devices say the times of a search in local time and call it UTC. What is near is left to the replay.
    """
    too_early = recording.earliest is not None and span.end <= recording.earliest - _ZONES
    too_late = recording.latest is not None and span.start >= recording.latest + _ZONES
    return not too_early and not too_late


def check_times(recording: KeptRecording, now: int, host: str) -> None:
    """Refuse a recording that goes on beyond the device's own clock (``now``): its dates cannot be right.

    Raises:
        Malformed: ``replay_times_doubtful``.
    """
    if recording.latest is not None and recording.latest > now + _AHEAD:
        ahead = (recording.latest - now) // MINUTE
        raise _doubtful(
            f"the camera at {host} says that its recording goes on {ahead} minutes into the future"
        )


def check_absence(recording: KeptRecording, host: str) -> None:
    """That a device sent nothing means that it has nothing, only if its times are clear.

    Raises:
        Malformed: ``replay_times_doubtful``.
    """
    if recording.is_unclear:
        raise _doubtful(
            f"the camera at {host} sends nothing of that time, and says the times of its recording without a"
            " zone: it may have it under another time"
        )


def other_times(host: str, apart: int) -> Malformed:
    """The error for a replay of which nothing is of the time that was asked for; ``apart`` in µs."""
    return _doubtful(
        f"the camera at {host} sends pictures of another time than it was asked for, {apart // MINUTE}"
        " minutes away: it may have those of that time under another one"
    )


def _doubtful(why: str) -> Malformed:
    return Malformed(
        why,
        code="replay_times_doubtful",
        hint="Check the clock and the zone of the camera on its own page, or update its firmware. Or copy the"
        " recording to a file and use saksi import.",
    )


def _recording(told: Mapping[str, Any]) -> KeptRecording:
    source = told.get("Source")
    source = source if isinstance(source, dict) else {}
    told_times = [told.get(name) for name in ("EarliestRecording", "LatestRecording")]
    earliest, latest = map(_instant, told_times)
    return KeptRecording(
        token=_text(told["RecordingToken"]),
        name=_text(source.get("Name", "")),
        source=_text(source.get("SourceId", "")),
        address=_text(source.get("Address", "")),
        earliest=earliest,
        latest=latest,
        is_unclear=any(one and _instant(one) is None for one in told_times),
    )


def _host_of(address: str) -> str | None:
    """The host in what a device says of an input; None if it says no address."""
    try:
        return urlsplit(f"//{address.rpartition('//')[2]}").hostname
    except ValueError:
        return None


def _instant(told: object) -> int | None:
    try:
        return parse_instant(told) if isinstance(told, str) else None
    except Malformed:
        return None


def _text(told: object) -> str:
    text = told if isinstance(told, str) else ""
    return "".join(one if one.isprintable() else "?" for one in text[:_LONGEST_TEXT])
