"""What to list so that every stream of a ledger kind that can have grown is met.

Requests, packages and holds come to an end, and an archive of some years has tens of thousands of entries
that nothing can be added to. A look asks for the names of the streams and lists those that were not at their
end when they were last read, as long as that is less work than to list every entry of the kind.
"""

from collections.abc import Callable, Collection

from archive import keys
from archive.errors import Malformed
from archive.ids import check_name
from archive.ports import ObjectStore
from archive.records.ledger.streams import Entry

_WORTH = 25
"""A listing of one stream costs about as much as that of so many entries in a row (MinIO: 2 ms, 0.08 ms)."""
_WHOLE_EVERY = 500
"""At the first look and every so many everything is listed, whatever is thought to be at its end."""


class Ends:
    """The streams of one kind that are at their end, as far as they were read. Not thread-safe.

    ``ends`` are the values of ``status`` that nothing may follow.
    """

    def __init__(self, records: ObjectStore, kind: str, ends: Collection[str]) -> None:
        self._records = records
        self._folder = keys.ledger_prefix(kind)
        self._ends = ends
        self._versions: dict[str, int] = {}
        self._ended: dict[str, Entry] = {}
        self._looks = 0

    def note(self, newest: Entry) -> None:
        """Take the newest entry of a stream, which was just read."""
        self._versions[newest.id] = newest.version
        status = newest.state.get("status")
        if isinstance(status, str) and status in self._ends:
            self._ended[newest.id] = newest
        else:
            self._ended.pop(newest.id, None)

    def prefixes(self, wanted: Callable[[Entry], bool] = lambda _newest: False) -> list[str]:
        """What to list: all streams that are not at their end, and those at their end that are ``wanted``.

        Raises:
            Unavailable, Refused: the store does not answer, or not us.
        """
        past = {f"{self._folder}{name}/" for name, newest in self._ended.items() if not wanted(newest)}
        is_due = self._looks % _WHOLE_EVERY == 0
        if is_due or not past or not self._is_less_work(len(self._versions) - len(past)):
            return [self._folder]
        found = [one for one in self._records.common_prefixes(self._folder) if one not in past]
        if self._is_less_work(len(found)) and all(map(self._is_stream, found)):
            return found
        return [self._folder]  # a name that no stream of ours has is for whoever lists everything to judge

    def looked(self) -> None:
        """Count a look that came through."""
        self._looks += 1

    def _is_less_work(self, streams: int) -> bool:
        """Whether to list the names, and so many streams one by one, is less than to list every entry."""
        return streams * _WORTH + len(self._versions) <= sum(self._versions.values())

    def _is_stream(self, prefix: str) -> bool:
        try:
            check_name("stream", prefix[len(self._folder) : -1])
        except Malformed:
            return False
        return True
