"""Whether an index is whole.

An empty index answers "no footage, no gaps", which looks like an answer. So an index keeps a mark that it is
whole. The mark is set at the end of a rebuild, and while nothing was ever recorded in the archive. An index
that was deleted, emptied or made by a version with other fields has no mark. An index is not whole either
while it lacks a journal batch that has been in the archive for :data:`GRACE`; batches that do not verify do
not count, because no index takes them.

Questions about people's acts (:meth:`search.whole.WholeIndex.find_records`) are asked of what was written
down: an index is not whole for them while it lacks a custody object or a ledger entry that has been in the
archive for :data:`GRACE` (:mod:`search.followed`).

An old copy that is put back has its mark, and what it lacks may be too old for a look at the last hours. So
an index also keeps when it was last compared and lacked nothing, and batches are listed from then on.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound, Refused, StoreFull, Unavailable
from archive.footage.cameras import KIND as CAMERA
from archive.footage.stored_cameras import stored_cameras
from archive.integrity.rebuild.sync import batches_behind
from archive.ports import Stores
from archive.records import journal
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import Ledger
from archive.timespan import MINUTE, SECOND
from search.followed import FollowedIndex
from search.index import Index

GRACE = 10 * MINUTE
MARK_EVERY = 2 * SECOND
JOURNALS_EVERY, BEHIND_EVERY = MINUTE, 10 * SECOND
"""How long (µs) an answer is reused: about the mark; about the journals, if all is there and if not."""
_REST = 9
"""A look at the journals rests for this many times as long as it took."""


class Wholeness:
    """The verdict about one index. Thread-safe; cheap to ask, since answers are reused for seconds.

    ``patience`` is how many seconds a question waits for the first comparison with the journals.
    """

    def __init__(
        self, index: Index, stores: Stores, ledger: Ledger, clock: Clock, *, patience: float = 5.0
    ) -> None:
        self._patience = patience
        self._index = index
        self._stores = stores
        self._ledger = ledger
        self._clock = clock
        self._followed = FollowedIndex(index, stores.records, clock, age=GRACE, patience=patience)
        self._guard = threading.Lock()
        self._listing = threading.Lock()
        self._looks = ThreadPoolExecutor(1, "whole")
        self._looking: Future[None] | None = None
        self._mark_due = self._journals_due = 0
        self._is_marked = self._is_compared = False
        self._behind: Sequence[str] = ()

    def found(self) -> bool:
        """Whether the index has its mark; it gets it here if the archive has never recorded anything.

        Call it before anything is recorded: later it is too late. Raises as the index.
        """
        if self._index.is_whole():
            return True
        try:
            is_new = self._nothing_recorded()
        except (Unavailable, Refused):
            return False  # unknown, as long as the store does not answer
        if is_new:
            self._index.mark_whole()
        return is_new

    def written(self) -> None:
        """A document was written: perhaps the first one of a new archive. Raises as :meth:`found`."""
        if not self._is_marked:
            self._is_marked = self.found()

    def require_records(self) -> None:
        """Let a question about custody events and ledger entries through. Raises as :meth:`require`."""
        self._require_mark()
        if missing := self._followed.missing():
            raise _incomplete(f"it lacks {', '.join(missing)}", hint=_FOLLOW)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Let a question through that is asked in this block; its answer counts only if the block ends.

        A look at the mark that is due takes as long as the question, so both are asked at once.

        Raises, before the block or after it:
            Unavailable: as :meth:`require`.
        """
        look = self._look_at_mark_if_due()
        if look is None:
            self._require_known_mark()
        self._require_journals()
        yield
        if look is not None:
            look.result()
            self._require_known_mark()

    def _require_mark(self) -> None:
        look = self._look_at_mark_if_due()
        if look is not None:
            look.result()
        self._require_known_mark()

    def _require_known_mark(self) -> None:
        if not self._is_marked:
            raise _incomplete("it does not hold the whole archive")

    def _look_at_mark_if_due(self) -> "Future[None] | None":
        """The look at the mark that was begun because it is due; None if it is not."""
        now = self._clock.monotonic()
        with self._guard:
            if now < self._mark_due:
                return None
            if self._looking is None:
                self._looking = self._looks.submit(self._look_at_mark, now)
            return self._looking

    def _look_at_mark(self, now: int) -> None:
        marked: bool | None = None
        try:
            marked = self.found()
        finally:
            with self._guard:
                self._looking = None
                if marked is not None:
                    self._is_marked, self._mark_due = marked, now + MARK_EVERY

    def require(self) -> None:
        """Let a question through.

        Raises:
            Unavailable: ``index_incomplete``; or the index does not answer.
        """
        self._require_mark()
        self._require_journals()

    def _require_journals(self) -> None:
        now = self._clock.monotonic()
        if now >= self._journals_due:
            # Others go on with the last verdict: a store that hangs must not hold up questions to the index.
            # Before there is a verdict they wait for it.
            if self._listing.acquire(timeout=0 if self._is_compared else self._patience):
                try:
                    self._look_if_due()
                finally:
                    self._listing.release()
            elif not self._is_compared:
                raise _incomplete("it is being compared with the journals")
        if self._behind:
            raise _incomplete(f"it lacks journal batches of {', '.join(self._behind[:5])}")

    def _look_if_due(self) -> None:
        now = self._clock.monotonic()
        if now < self._journals_due:
            return  # somebody else did
        self._look_at_journals()
        self._is_compared = True
        took = self._clock.monotonic() - now
        every = BEHIND_EVERY if self._behind else JOURNALS_EVERY
        self._journals_due = now + took + max(every, _REST * took)

    def _look_at_journals(self) -> None:
        since, now = self._index.compared_at(), self._clock.now()
        try:
            late = batches_behind(self._stores.records, self._index.cursor, now, GRACE, since=since)
            self._behind = sorted(recorder for recorder, key in late.items() if self._verifies(recorder, key))
        except (Unavailable, Refused):
            return  # the store does not answer: what was known stays
        if self._behind or (since is not None and now - since < GRACE):
            return
        try:
            self._index.keep_compared_at(now)
        except (Unavailable, StoreFull):
            return  # it can still be read; the next look lists more

    def _verifies(self, recorder: str, key: str) -> bool:
        """Whether an index would take the batch."""
        try:
            known = {}
            for entry in self._ledger.history("recorder", recorder):
                public = journal.registered_key(recorder, entry.state)
                known[journal.public_key_sha256(public)] = public
            journal.verify_lines(self._stores.records.get(key), known)
        except (IntegrityError, Malformed, NotFound):
            return False
        return True

    def _nothing_recorded(self) -> bool:
        records = self._stores.records
        if next(iter(records.list("journal/")), None) is not None:
            return False
        if next(iter(stored_cameras(self._stores.footage)), None) is not None:
            return False
        return ids_of(records, CAMERA) <= {one.id for one in self._index.documents(CAMERA)}


_REBUILD = "Run saksi index rebuild and wait for its end. The archive itself is not affected."
_FOLLOW = "Run saksi work (job follow), or saksi index sync. The archive itself is not affected."


def _incomplete(why: str, *, hint: str = _REBUILD) -> Unavailable:
    return Unavailable(f"the index is incomplete: {why}", code="index_incomplete", hint=hint)
