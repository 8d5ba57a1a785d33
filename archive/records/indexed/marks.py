"""How far the index follows the archive, as numbers that it keeps (:class:`archive.ports.RecordIndex`).

========================  ============  =================================================================
name                      key           number
========================  ============  =================================================================
``custody-<YYYY-MM-DD>``  ``<HH>``      custody objects of that hour's folder that are wholly in the index
``ledger-<kind>-<x>``     stream        versions of the stream, from 1, that are wholly in the index
``forgotten-<date>``      ``<HH>``      custody objects of that hour that were disposed of, and left the index
``follower``              ``custody``   when the last look at all recent custody began that missed nothing
``follower``              ``ledger``    the same for the whole ledger
========================  ============  =================================================================

A chain of custody belongs to one process, and a city starts thousands of them, so there is no number for each
writer: hours are counted. A count proves that nothing is missing as long as no object vanishes, and records
are locked; where the count of the folder differs, in either direction, the hour is read again. Streams of the
ledger are numbered without holes. They are spread over 16 names by ``x``, the first hex digit of the SHA-256
of the stream's id, so that one name has some thousands of them at most.
"""

from collections.abc import Mapping

from archive import keys
from archive.canonical import sha256_hex
from archive.ports import RecordIndex
from archive.timespan import MINUTE, format_instant

SKEW = MINUTE
"""How far the clocks of two machines may differ (µs)."""
LATE = 5 * MINUTE
"""How old the follower's last turn may be (µs) before people are told; the daily turn lists everything."""
FOLLOWER, CUSTODY, LEDGER = "follower", "custody", "ledger"


def day_name(hour: int) -> str:
    """The name of the numbers of a day's hours."""
    return f"{CUSTODY}-{format_instant(hour)[:10]}"


def forgotten_name(hour: int) -> str:
    """The name of the numbers of a day's hours that have left the index."""
    return f"forgotten-{format_instant(hour)[:10]}"


def hour_key(hour: int) -> str:
    """The key of an hour in its day."""
    return keys.hour_folder(hour)[-2:]


def streams_name(kind: str, entity: str) -> str:
    """The name of the numbers of some streams of a kind, this one among them."""
    return f"{LEDGER}-{kind}-{sha256_hex(entity.encode('utf-8', 'surrogatepass'))[0]}"


def followed_at(index: RecordIndex) -> int | None:
    """Until when (µs) the index has what was stored: the beginning of the follower's last complete turn.

    None if no follower has completed a turn. Objects that were filed under an hour long past are found by
    the daily look at everything.
    """
    return followed_in(index.record_marks(FOLLOWER))


def followed_in(numbers: Mapping[str, int]) -> int | None:
    """The same, from the numbers that are kept under :data:`FOLLOWER`."""
    if CUSTODY not in numbers or LEDGER not in numbers:
        return None
    return min(numbers[CUSTODY], numbers[LEDGER])


def is_followed(index: RecordIndex, now: int, age: int) -> bool:
    """Whether the index has all that was stored ``age`` µs ago.

    A turn in the future was taken by a clock that was wrong: nothing follows from it.
    """
    return _is_within(followed_at(index), now, age)


def turn_at(index: RecordIndex) -> int | None:
    """When the last complete turn of a follower began (µs); None if there was none.

    It is later than :func:`followed_at` while the look at a large ledger rests.
    """
    return index.record_marks(FOLLOWER).get(CUSTODY)


def is_attended(index: RecordIndex, now: int, age: int) -> bool:
    """Whether a follower took a turn that began less than ``age`` µs ago; none in the future counts."""
    return _is_within(turn_at(index), now, age)


def _is_within(at: int | None, now: int, age: int) -> bool:
    return at is not None and now - age < at <= now + SKEW
