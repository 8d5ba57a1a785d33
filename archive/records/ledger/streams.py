"""The ledger: append-only streams of hash-linked entries, one object each.

An entry carries the whole new state of its entity, so the newest entry is the document and the stream its
history; :mod:`archive.records.ledger.wire` has its bytes. Appending is compare-and-append: put-if-absent of
``version + 1``, which every store decides for exactly one of any number of racing writers (design: objects).
Readers take the oldest version of each entry object, so a later version or a delete marker changes nothing
(I9).
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from archive import keys
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import AlreadyExists, Conflict, IntegrityError, Malformed, NotFound
from archive.ids import check_name, new_entry_id
from archive.ports import Content, Lock, LockMode, ObjectStore, ObjectVersion
from archive.records.ledger.listed import Listed, entries_of
from archive.records.ledger.wire import Entry as Entry
from archive.records.ledger.wire import Salts, decode, encode, new_salt
from archive.timespan import DAY

KINDS = (
    "camera",
    "recorder",
    "policy",
    "hold",
    "request",
    "evidence",
    "backfill",
    "grant",
    "user",
    "token",
    "disposition",
    "break_glass",
    "integrity_incident",
)
GENESIS = "0" * 64
"""``prev`` of the first entry of a stream."""


OnAppend = Callable[[Entry], None]
"""Called with an entry that is in the ledger; must not raise, since the entry stands."""


class Memory(Protocol):
    """Keeps entries by the version of their object; see :mod:`archive.records.ledger.memory`."""

    def entry(self, found: ObjectVersion, read: Callable[[], Entry]) -> Entry:
        """The entry in a listed object; ``read`` fetches it if it is not in memory, and may raise."""
        ...


class Ledger:
    """The streams of one archive. Thread-safe as its store is.

    Entries are locked in GOVERNANCE mode for ``lock_days``. With a ``memory`` each object is read only
    once. ``salts`` gives the salts of new entries (:mod:`archive.records.ledger.wire`). ``on_append`` is
    called with each entry after it was appended.
    """

    def __init__(
        self,
        records: ObjectStore,
        clock: Clock,
        *,
        lock_days: int = 3650,
        memory: Memory | None = None,
        salts: Salts = new_salt,
        on_append: OnAppend | None = None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._lock_days = lock_days
        self._memory = memory
        self._salts = salts
        self._on_append = on_append

    def append(
        self,
        kind: str,
        entity: str,
        state: JsonObject,
        *,
        expected: int,
        actor: str,
        action: str,
        reason: str = "",
    ) -> Entry:
        """Append version ``expected + 1`` to a stream whose newest version is ``expected`` (0 for a new one).

        Safe to repeat after an unclear answer only through :meth:`append`'s own retry: each call makes a new
        ``entry_id``, and a call that finds its own entry already stored returns it.

        Raises:
            Malformed: ``bad_reason``: not printable. ``bad_entry``, ``not_canonical``: the state has no form.
            Conflict: ``ledger_conflict``: another writer appended first; read the head again.
            IntegrityError: ``second_version``: the store accepted a second object under the entry's name.
        """
        check_printable(reason)
        previous = None if expected == 0 else self.entry(kind, entity, expected)
        now = self._clock.now()
        data = encode(
            kind=_check_kind(kind),
            entity=check_name(kind, entity),
            version=expected + 1,
            entry_id=new_entry_id(),
            at=now,
            actor=actor,
            action=action,
            reason=reason,
            prev=GENESIS if previous is None else previous.digest,
            state=state,
            salts=self._salts,
        )
        key = keys.ledger_key(kind, entity, expected + 1)
        lock = Lock(LockMode.GOVERNANCE, now + self._lock_days * DAY)
        try:
            stored = self._records.put(key, Content.of_bytes(data), lock=lock)
        except AlreadyExists as error:
            raise changed(kind, entity) from error
        self._refuse_second_version(key, stored.version)
        entry = decode(key, data)
        if self._on_append is not None:
            self._on_append(entry)
        return entry

    def entry(self, kind: str, entity: str, version: int) -> Entry:
        """One entry. Raises NotFound, or IntegrityError if its bytes are not that entry."""
        key = keys.ledger_key(kind, entity, version)
        return decode(key, self._records.get(key))

    def listed(self, found: ObjectVersion) -> Entry:
        """The entry in a listed object, read in the listed version, which saves a second lookup.

        A listing names the oldest version of each key, which is the one that counts (I9). Raises as
        :meth:`entry`.
        """

        def read() -> Entry:
            return decode(found.key, self._records.get(found.key, version=found.version))

        return read() if self._memory is None else self._memory.entry(found, read)

    def head(self, kind: str, entity: str) -> Entry:
        """The newest entry of a stream. Raises NotFound ``<kind>_not_found``."""
        newest: Listed | None = None
        for one in entries_of(self._records, kind, entity):
            newest = one
        if newest is None:
            raise NotFound(f"there is no {kind} {entity}", code=f"{kind}_not_found")
        return self.listed(newest.found)

    def head_at(self, kind: str, entity: str, expected: int | None) -> Entry:
        """The newest entry, for a decision that is based on version ``expected``; None accepts any.

        This only reports early what :meth:`append` would: the winner of several writers is decided there.

        Raises:
            NotFound: ``<kind>_not_found``.
            Conflict: ``ledger_conflict``: the newest version is another.
        """
        head = self.head(kind, entity)
        if expected not in (None, head.version):
            raise changed(kind, entity)
        return head

    def history(self, kind: str, entity: str) -> Iterator[Entry]:
        """Every entry of a stream from the first.

        Raises:
            IntegrityError: ``ledger_broken``: a version is missing, or ``prev`` is not the previous hash.
        """
        prev, expected = GENESIS, 1
        for one in entries_of(self._records, kind, entity):
            entry = self.listed(one.found)
            if entry.version != expected or entry.prev != prev:
                raise IntegrityError(
                    f"{kind} {entity} is broken at version {expected}",
                    code="ledger_broken",
                    hint="Do not append to it; run saksi archive check and call the auditor.",
                )
            yield entry
            prev, expected = entry.digest, expected + 1

    def heads(self, kind: str) -> Iterator[Entry]:
        """The newest entry of every stream of a kind, by id."""
        newest: Listed | None = None
        for one in entries_of(self._records, _check_kind(kind)):
            if newest is not None and newest.id != one.id:
                yield self.listed(newest.found)
            newest = one
        if newest is not None:
            yield self.listed(newest.found)

    def _refuse_second_version(self, key: str, mine: str) -> None:
        """After the put, check that our object is the only one under the name.

        Put-if-absent succeeds over a delete marker (measured on MinIO), so its success is not proof.
        """
        found = [version for version in self._records.versions(key) if version.key == key]
        if [version.version for version in found] != [mine]:
            raise IntegrityError(
                f"{key} has {len(found)} versions",
                code="second_version",
                hint="A ledger entry was removed or overwritten; run saksi archive check.",
            )


def check_printable(reason: str) -> None:
    """Let a reason pass that an entry can hold. Raises Malformed ``bad_reason``."""
    if not reason.isprintable():
        raise Malformed("the reason cannot be recorded", code="bad_reason", hint="Use printable characters.")


def printable(text: str) -> str:
    """A program's text as a reason for :meth:`Ledger.append`: blanks replace unprintable characters."""
    return "".join(one if one.isprintable() else " " for one in text)


def changed(kind: str, entity: str) -> Conflict:
    """The error for a decision based on an entry that is no longer the newest."""
    return Conflict(
        f"{kind} {entity} was changed by another writer",
        code="ledger_conflict",
        hint="Read it again and repeat the change if it still makes sense.",
    )


def _check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise Malformed(f"{kind!r} is not a ledger kind", code="bad_kind")
    return kind
