"""What a download says about itself to people: Indonesian first, then English."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo

from archive.documents.words import CAUSES, word
from archive.footage.clip.exact import PENDING
from archive.footage.download.naming import time_text
from archive.footage.reader import NOT_YET, GapSpan
from archive.timespan import SECOND, Timespan

_NOT_THERE = {PENDING, NOT_YET}


def steady_gaps(gaps: Iterable[GapSpan]) -> tuple[GapSpan, ...]:
    """The gaps, with all that may still arrive as one of cause ``pending``.

    Where the future begins changes with each second; the bytes of a download must not.
    """
    found: list[GapSpan] = []
    for gap in gaps:
        cause = PENDING if gap.cause in _NOT_THERE else gap.cause
        last = found[-1] if found else None
        if last is not None and last.cause == cause and last.span.end == gap.span.start:
            found[-1] = GapSpan(Timespan(last.span.start, gap.span.end), cause)
        else:
            found.append(GapSpan(gap.span, cause))
    return tuple(found)


def gaps_in_indonesian(gaps: Sequence[GapSpan], zone: tzinfo) -> Iterator[str]:
    """One line for each gap, or one that says that there is none."""
    if not gaps:
        yield "  (tidak ada celah)"
    for gap in gaps:
        cause = "belum masuk arsip, atau belum terjadi" if gap.cause == PENDING else word(CAUSES, gap.cause)
        yield f"  {time_text(gap.span, zone)}: {cause} ({gap.cause})"


def gaps_in_english(gaps: Sequence[GapSpan], zone: tzinfo) -> Iterator[str]:
    """One line for each gap, or one that says that there is none."""
    if not gaps:
        yield "  (no gap)"
    for gap in gaps:
        cause = "not in the archive yet, or in the future" if gap.cause == PENDING else "no footage"
        yield f"  {time_text(gap.span, zone)}: {cause} ({gap.cause})"


def seconds(us: int) -> str:
    """``3.467``: seconds to the millisecond, rounded up, since footage outside is never understated."""
    milliseconds = -(-us * 1000 // SECOND)
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def joined(lines: Iterable[str]) -> bytes:
    """A text file."""
    return ("\n".join(lines) + "\n").encode("utf-8")


def sums(hashes: Iterable[tuple[str, str]]) -> bytes:
    """``SHA256SUMS``, as ``sha256sum -c`` reads it, from pairs of hash and path."""
    return "".join(f"{sha256}  {path}\n" for sha256, path in hashes).encode("ascii")
