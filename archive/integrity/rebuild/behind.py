"""Whether an index lacks custody objects or ledger entries that have been in the archive for some time."""

from collections.abc import Sequence

from archive import keys
from archive.integrity.rebuild.listing import Stream, custody_hours, ledger_streams
from archive.ports import ObjectStore, RecordIndex
from archive.records.indexed import marks
from archive.timespan import HOUR

_SLACK = 3 * HOUR
_ENOUGH = 5


def records_behind(records: ObjectStore, index: RecordIndex, now: int, age: int) -> Sequence[str]:
    """Some hours of custody and ledger streams that an index lacks though they were stored ``age`` µs ago.

    If a follower completed a turn within ``age``, nothing is listed: it found that nothing is missing. Else
    custody is listed from three hours before its last turn on, and the whole ledger.

    Raises:
        Unavailable, Refused: as the store or the index.
    """
    if marks.is_followed(index, now, age):
        return ()
    followed = marks.followed_at(index)
    if followed is not None and followed > now + marks.SKEW:
        followed = None  # the follower's clock was wrong, and nothing follows from that time
    behind: list[str] = []
    known: dict[str, dict[str, int]] = {}
    for hour in custody_hours(records, None if followed is None else min(followed, now) - _SLACK):
        stored = sum(now - one.stored_at >= age for one in hour.objects)
        if hour.start is None or not stored:
            continue
        name = marks.day_name(hour.start)
        if name not in known:
            known = {name: dict(index.record_marks(name))}
        if stored > known[name].get(marks.hour_key(hour.start), 0):
            behind.append(f"custody/{keys.hour_folder(hour.start)}")
            if len(behind) == _ENOUGH:
                return behind
    known = {}
    for stream in ledger_streams(records):
        if not isinstance(stream, Stream):
            continue
        stored = max((one for one, it in stream.entries.items() if now - it.stored_at >= age), default=0)
        name = marks.streams_name(stream.kind, stream.id)
        if name not in known:
            known[name] = dict(index.record_marks(name))
        if stored > known[name].get(stream.id, 0):
            behind.append(f"ledger/{stream.kind}/{stream.id}")
            if len(behind) == _ENOUGH:
                return behind
    return behind
