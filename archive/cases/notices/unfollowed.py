"""The notice that nobody brings custody and ledger into the index, so that lists and reports grow old.

After ten minutes they are refused (``index_incomplete``); the notice goes out before. A process that has just
begun cannot know whether a follower begins beside it: it must see for itself that no turn ends.
"""

from dataclasses import dataclass

from archive.cases.notices.notice import HEALTH_PAGE, Event, Notice
from archive.records.indexed.marks import LATE


@dataclass(slots=True)
class Unfollowed:
    """Looks at the follower's last turn again and again. Not thread-safe.

    One lapse is one notice, however long it lasts; its id follows from the last turn, so another worker finds
    the same.
    """

    _seen: int | None = None
    _since: int | None = None

    def look(self, turn: int | None, now: int, elapsed: int) -> tuple[Notice, ...]:
        """The notice, if any. ``turn`` is when the last turn began (µs); ``elapsed`` never steps."""
        if self._since is None or turn != self._seen:
            self._seen, self._since = turn, elapsed
        if elapsed - self._since < LATE:
            return ()
        notice = Notice(
            event=Event.INDEX_BEHIND,
            subject="follow",
            mark=str(turn or 0),
            at=now if turn is None else turn + LATE,
            urgent=True,
            link=HEALTH_PAGE,
        )
        return (notice,)
