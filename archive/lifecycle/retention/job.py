"""The job ``locks``: after a policy got longer, the locks of stored segments follow it.

1. The policies' newest entries, and the last instant at which any terms began or ended, name a *target*. A
   target that is marked done costs one listing.
2. A fresh target waits :data:`SETTLE`, until every recorder locks new segments by it. Then the job marks the
   instant as of which locks will follow. That instant lies :data:`SETTLE` earlier, so that segments which
   recorders are writing now are not passed over.
3. For each camera: the job extends the lock of every stored segment that must be locked longer than when the
   last target was done; then it marks the camera.
4. The job marks the target done and removes the marks of other targets.

Each step is idempotent: a lock that is long enough refuses to be shortened and stays. The marks lie in the
cache bucket; losing them only repeats work.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice

from archive import canonical, keys
from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, NotFound, Refused
from archive.footage.places import PlaceHistory
from archive.footage.stored_cameras import stored_cameras
from archive.lifecycle.retention.locks import LockHistory
from archive.model.retention import KIND
from archive.ports import Content, Lock, LockMode, ObjectStore, ObjectVersion, Stores
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import MINUTE, SECOND, format_instant, parse_instant

SETTLE = MINUTE
"""How long after a change a recorder may still lock new segments by the earlier rules."""

TURN = 30 * SECOND
"""How long one turn lasts at most; the next goes on where it ended."""

PREFIX = "retention/locks/"
_BATCH = 256

Progress = Callable[[str, int], None]
"""Called with the camera and the number of its segments seen."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One version, and until when its lock must last."""

    key: str
    version: str
    until: int


class LockExtension:
    """Extends the locks of stored segments after policies got longer. One thread at a time.

    ``pool`` extends locks in parallel; None extends them one by one.
    """

    def __init__(
        self,
        stores: Stores,
        ledger: Ledger,
        clock: Clock,
        *,
        floor_days: int,
        pool: Executor | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._stores = stores
        self._ledger = ledger
        self._clock = clock
        self._floor_days = floor_days
        self._pool = pool
        self._progress = progress or (lambda camera, seen: None)
        self._heads = StrictHeads(ledger, stores.records, KIND)
        self._read_for = ""
        self._history = LockHistory({}, floor_days=floor_days)
        self._done = ""
        self._at_work: tuple[str, Iterator[int]] | None = None

    def run(self) -> int:
        """One turn; returns how many locks were extended: 0 if all follow the policies, or a change settles.

        Raises:
            ArchiveError: as the stores and the ledger; the next turn repeats what was not marked.
        """
        now = self._clock.now()
        target, changed_at = self._target(now)
        if target == self._done:
            return 0
        sweep = self._sweep_at_work(target)
        if sweep is None:
            if self._is_marked(f"{target}/done"):
                self._done = target
                return 0
            if now < changed_at + SETTLE:
                return 0
            sweep = self._sweep(target)
        ends = self._clock.monotonic() + TURN
        extended = 0
        for count in sweep:
            extended += count
            if self._clock.monotonic() >= ends:
                self._at_work = target, sweep
                return extended
        self._done = target
        return extended

    def _sweep_at_work(self, target: str) -> Iterator[int] | None:
        """The sweep to continue. It is taken out: a failed sweep is over, and marks show where to resume."""
        at_work, self._at_work = self._at_work, None
        return at_work[1] if at_work is not None and at_work[0] == target else None

    def _target(self, now: int) -> tuple[str, int]:
        """The name of the rules that locks follow now, and when those rules began."""
        heads = {name: entry.digest for name, entry in self._heads.refresh().items()}
        known = canonical.sha256_hex(canonical.encode({"floor_days": self._floor_days, "heads": heads}))
        if known != self._read_for:
            self._history = LockHistory.read(self._ledger, self._stores.records, floor_days=self._floor_days)
            self._read_for = known
        changed_at = max((edge for edge in self._history.edges() if edge <= now), default=0)
        name = canonical.sha256_hex(f"{known}|{changed_at}".encode())[:32]
        return name, changed_at

    # The sweep ---------------------------------------------------------------------------------------

    def _sweep(self, target: str) -> Iterator[int]:
        """Steps 2 to 4, batch by batch: how many locks each extended."""
        # The listing shows what was stored before that instant; it may miss what is being written now.
        self._mark(f"{target}/begun", self._clock.now() - SETTLE)
        begun = self._marked_at(f"{target}/begun")
        before = locks_followed_at(self._stores.cache)
        places = PlaceHistory.read(self._ledger, self._stores.records)
        for camera in stored_cameras(self._stores.footage):
            mark = f"{target}/cameras/{camera}"
            if self._is_marked(mark):
                continue
            yield from self._camera(camera, places, before)
            self._mark(mark, begun)
        self._mark(f"{target}/done", begun)
        self._forget_all_but(target)

    def _camera(self, camera: str, places: PlaceHistory, before: int | None) -> Iterator[int]:
        now = self._clock.now()
        if before is not None and not self._got_longer(camera, places, before, now):
            return
        tasks = self._tasks(camera, places, before, now)
        while batch := list(islice(tasks, _BATCH)):
            done = map(self._extend, batch) if self._pool is None else self._pool.map(self._extend, batch)
            yield sum(done)

    def _got_longer(self, camera: str, places: PlaceHistory, before: int, now: int) -> bool:
        """Whether a longer minimum began to rule any footage of the camera since ``before``."""
        return any(
            self._history.keep_days(camera, place, before, now)
            > self._history.keep_days(camera, place, before, before)
            for place in places.all_of(camera) or (None,)
        )

    def _tasks(self, camera: str, places: PlaceHistory, before: int | None, now: int) -> Iterator[_Task]:
        for seen, listed in enumerate(self._segments(camera), 1):
            if seen % _BATCH == 0:
                self._progress(camera, seen)
            try:
                start = keys.parse_segment_key(listed.key).start
            except Malformed:
                continue  # not a segment: saksi archive check reports it
            place = places.place(camera, start)
            until = self._history.expected_lock(camera, place, start, now)
            if until <= now:
                continue
            if before is not None and listed.stored_at < before:
                if until <= self._history.expected_lock(camera, place, start, before):
                    continue
            yield _Task(listed.key, listed.version, until)

    def _segments(self, camera: str) -> Iterator[ObjectVersion]:
        return self._stores.footage.list(keys.segment_prefix(camera))

    def _extend(self, task: _Task) -> int:
        lock = Lock(LockMode.GOVERNANCE, task.until)
        try:
            self._stores.footage.extend_lock(task.key, lock, version=task.version)
        except NotFound:
            return 0  # destroyed meanwhile, by the rules
        except Refused as error:
            # Already locked for longer; or in another mode, which fixity reports and nobody may undo.
            if error.code in {"lock_shortened", "lock_mode_changed"}:
                return 0
            raise
        return 1

    # Marks -------------------------------------------------------------------------------------------

    def _mark(self, name: str, at: int) -> None:
        body = Content.of_bytes(canonical.encode({"at": format_instant(at)}))
        try:
            self._stores.cache.put(PREFIX + name, body)
        except AlreadyExists:
            pass  # another worker marked it, with its own instant

    def _is_marked(self, name: str) -> bool:
        try:
            self._stores.cache.head(PREFIX + name)
        except NotFound:
            return False
        return True

    def _marked_at(self, name: str) -> int:
        return _instant_of(self._stores.cache, PREFIX + name)

    def _forget_all_but(self, target: str) -> None:
        kept = f"{PREFIX}{target}/done"
        for listed in list(self._stores.cache.list(PREFIX)):
            if listed.key != kept:
                self._stores.cache.delete_version(listed.key, version=listed.version)


def locks_followed_at(cache: ObjectStore) -> int | None:
    """The last instant as of which every stored segment's lock is known to follow the policies.

    None if there was no such instant, or the mark was lost. A caller that compares stored locks with
    :meth:`archive.lifecycle.retention.locks.LockHistory.expected_lock` passes this as ``now``: the job is
    still extending the locks that became longer since.
    """
    marks = [listed.key for listed in cache.list(PREFIX) if listed.key.endswith("/done")]
    found: list[int] = []
    for key in marks:
        try:
            found.append(_instant_of(cache, key))
        except NotFound:
            continue  # another worker tidied up
    return max(found, default=None)


def _instant_of(cache: ObjectStore, key: str) -> int:
    body: Mapping[str, str] = canonical.decode(cache.get(key))
    return parse_instant(body["at"])
