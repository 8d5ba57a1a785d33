"""Headers that describe the footage in an answer."""

from collections.abc import Sequence
from urllib.parse import quote

from archive.footage.choice import RunSpan
from archive.footage.clip.exact import Clip
from archive.footage.download.naming import DownloadName
from archive.footage.download.originals import Originals
from archive.footage.reader import GapSpan
from archive.timespan import Timespan, format_instant

MAX_GAPS = 32
"""Gaps named in a header at most; the clip's description names all of them."""


def clip_headers(clip: Clip, *, described_at: str) -> dict[str, str]:
    """The spans, the hidden footage and the gaps of a clip."""
    return {
        "Saksi-Asked": interval(clip.asked),
        "Saksi-Actual": interval(clip.actual),
        "Saksi-Hidden-Preroll-Us": str(clip.hidden_preroll_us),
        "Saksi-Hidden-Tail-Us": str(clip.hidden_tail_us),
        "Saksi-Frames": str(clip.frames),
        "Saksi-Hidden-Frames": str(clip.hidden_frames),
        **sound_headers(clip),
        **gap_headers(clip.gaps),
        **other_headers(clip.others),
        "Link": f'<{described_at}>; rel="describedby"; type="application/json"',
    }


def sound_headers(clip: Clip) -> dict[str, str]:
    """The codec of a clip's sound, and how much of it is not heard; nothing without sound."""
    if clip.sound is None:
        return {}
    return {"Saksi-Sound": clip.sound, "Saksi-Hidden-Sound-Us": str(clip.hidden_sound_us)}


def originals_headers(originals: Originals, *, described_at: str) -> dict[str, str]:
    """The spans, the footage outside the span and the gaps of a ZIP of whole segments."""
    return {
        "Saksi-Asked": interval(originals.asked),
        "Saksi-Actual": interval(originals.whole),
        "Saksi-Segments": str(len(originals.segments)),
        "Saksi-Outside-Before-Us": str(originals.before_us),
        "Saksi-Outside-After-Us": str(originals.after_us),
        **gap_headers(originals.gaps),
        **other_headers(originals.others),
        "Link": f'<{described_at}>; rel="describedby"; type="application/json"',
    }


def gap_headers(gaps: Sequence[GapSpan]) -> dict[str, str]:
    """``Saksi-Gap-Count``, and ``Saksi-Gaps`` if there are any.

    The latter is a structured list (RFC 9651), such as ``stalled;from="…";to="…"``, of the first
    :data:`MAX_GAPS` gaps.
    """
    counted = {"Saksi-Gap-Count": str(len(gaps))}
    if not gaps:
        return counted
    return {**counted, "Saksi-Gaps": ", ".join(_item(gap) for gap in gaps[:MAX_GAPS])}


def other_headers(others: Sequence[RunSpan]) -> dict[str, str]:
    """``Saksi-Other-Runs`` if other runs have footage where one is shown.

    A structured list like ``Saksi-Gaps``, such as ``run;id="…";from="…";to="…"``, of the first
    :data:`MAX_GAPS`.
    """
    if not others:
        return {}
    items = (
        f'run;id="{one.run}";from="{format_instant(one.span.start)}";to="{format_instant(one.span.end)}"'
        for one in others[:MAX_GAPS]
    )
    return {"Saksi-Other-Runs": ", ".join(items)}


def attachment(name: str) -> str:
    """A Content-Disposition (RFC 6266) for an ASCII name without quotes or backslashes."""
    return f'attachment; filename="{name}"'


def named(name: DownloadName, ending: str) -> str:
    """A Content-Disposition with the Unicode name in ``filename*`` (RFC 8187) where it differs."""
    plain = attachment(name.ascii + ending)
    if name.text == name.ascii:
        return plain
    return f"{plain}; filename*=UTF-8''{quote(name.text + ending, safe='')}"


def interval(span: Timespan) -> str:
    """``start/end`` (ISO 8601), half-open."""
    return f"{format_instant(span.start)}/{format_instant(span.end)}"


def _item(gap: GapSpan) -> str:
    return f'{gap.cause};from="{format_instant(gap.span.start)}";to="{format_instant(gap.span.end)}"'
