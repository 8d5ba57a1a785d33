"""Steps 3 to 6: destroying what an approved order names, and recording it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from archive import keys
from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.errors import Malformed, Refused
from archive.footage.places import PlaceHistory
from archive.lifecycle.breakglass.service import (
    Order,
    OrderStatus,
    append,
    approved_order,
)
from archive.lifecycle.disposition.copies import forget_copies
from archive.lifecycle.disposition.gaps import disposed_gaps
from archive.lifecycle.disposition.listing import (
    LIST,
    MAX_SEGMENTS,
    Doomed,
    DoomedList,
    batches,
    disposition_id,
    read_list,
)
from archive.lifecycle.gate import Gate
from archive.lifecycle.holds.book import HoldBook
from archive.model import hold as holds
from archive.model import leaf as leaves
from archive.model.disposition import Cause, Disposition
from archive.model.segment import Segment, SegmentRef
from archive.objects import checks as rules
from archive.ports import (
    Content,
    IndexEntry,
    Lock,
    LockMode,
    ObjectHead,
    ObjectVersion,
    SegmentIndex,
    Stores,
)
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, hour_of

Progress = Callable[[str, int], None]
"""Called with the step's name and the number of segments it has seen."""

LONGEST = HOUR
"""No segment is longer. One that begins up to this long before the order's span may reach into it."""


class Destroyer(Protocol):
    """The store with its root credential."""

    def destroy(self, key: str, *, version: str) -> None:
        """Destroy one version, even under a GOVERNANCE lock; idempotent.

        Raises:
            Refused: ``under_hold``, ``compliance_locked``, ``store_access_denied``,
                ``store_credentials_wrong``.
        """
        ...


class ForgettingIndex(SegmentIndex, Protocol):
    """What break-glass needs of an index."""

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """Forget segments; idempotent."""
        ...


class Closer(Protocol):
    """Writes the signed record of a disposition; :class:`archive.lifecycle.disposition.job.Disposer`."""

    def close_ordered(self, found: Disposition, doomed: DoomedList, *, reason: str) -> Disposition:
        """The disposition with its outcome; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Execution:
    """Executes orders for one archive. ``lock_days`` is how long the list is locked."""

    stores: Stores
    index: ForgettingIndex
    ledger: Ledger
    clock: Clock
    destroyer: Destroyer
    closer: Closer
    lock_days: int = 3650
    progress: Progress = lambda step, seen: None
    gate: Gate | None = None

    def execute(self, order_id: str, *, actor: str) -> Order:
        """Steps 3 to 6; an order that has been executed is returned unchanged.

        Raises:
            NotFound: ``break_glass_not_found``.
            Refused: ``order_not_approved``, ``same_person``, ``under_hold``, ``compliance_locked``; the
                store's own where the credential is not root's. What was destroyed before stays destroyed, and
                the order stays in work.
            Malformed: ``order_empty``, ``order_too_large``.
            Unavailable: execute it again.
        """
        head, order = approved_order(self.ledger, order_id)
        if order.status is OrderStatus.EXECUTED:
            return order
        if order.status is OrderStatus.APPROVED:
            order = self._begin(order, actor=actor)
            head, _ = approved_order(self.ledger, order_id)
        doomed = read_list(self.stores.records, order.started())
        self._destroy(order, doomed)
        self.closer.close_ordered(order.started(), doomed, reason=order.basis)
        done = replace(order, status=OrderStatus.EXECUTED, executed_at=self.clock.now())
        return append(self.ledger, head, done, actor=actor, action="break_glass.executed")

    def look(self, order: Order) -> DoomedList:
        """The read-only part of step 3: what the order would destroy. Raises if anything forbids it.

        Raises:
            Refused: ``under_hold``, ``compliance_locked``.
            Malformed: ``order_empty``, ``order_too_large``; ``bad_leaf``: the end of a segment is unknown.
        """
        heads = StrictHeads(self.ledger, self.stores.records, holds.KIND).refresh()
        book = HoldBook.of_entries(heads.values())
        found: list[Doomed] = []
        for camera in order.cameras:
            for doomed in self._of_camera(order, camera, book):
                found.append(doomed)
                self.progress("listed", len(found))
                if len(found) > MAX_SEGMENTS:
                    raise Malformed(
                        f"order {order.id} covers more than {MAX_SEGMENTS} segments",
                        code="order_too_large",
                        hint="Place several orders, each of a shorter span or fewer cameras.",
                    )
        if not found:
            raise Malformed(
                f"the archive stores no segment that order {order.id} covers",
                code="order_empty",
                hint="Look with: saksi recordings",
            )
        found.sort(key=lambda one: one.key)
        return DoomedList(Cause.BREAK_GLASS, order.span.end, tuple(found))

    def _begin(self, order: Order, *, actor: str) -> Order:
        """Step 3: the list, then the entry that names it."""
        doomed = self.look(order)
        data = doomed.encode()
        digest = sha256_hex(data)
        name = disposition_id(digest)
        now = self.clock.now()
        self.stores.records.put(
            keys.disposition_prefix(name) + LIST,
            Content.of_bytes(data),
            lock=Lock(LockMode.GOVERNANCE, now + self.lock_days * DAY),
        )
        begun = replace(
            order,
            status=OrderStatus.IN_WORK,
            disposition=name,
            list_sha256=digest,
            listed_span=doomed.span,
            segments=len(doomed.segments),
            size=doomed.bytes,
            started_at=now,
            started_by=actor,
        )
        head, _ = approved_order(self.ledger, order.id)
        return append(self.ledger, head, begun, actor=actor, action="break_glass.started")

    def _of_camera(self, order: Order, camera: str, book: HoldBook) -> Iterator[Doomed]:
        hour = hour_of(order.span.start - LONGEST)
        while hour < order.span.end:
            listed = self.stores.footage.versions(keys.segment_prefix(camera, hour))
            for key, group in groupby(listed, key=lambda version: version.key):
                versions = [version for version in group if not version.deleted]
                if versions and keys.parse_segment_key(key).start < order.span.end:
                    yield from self._of_key(order, camera, versions, book)
            hour += HOUR

    def _of_key(
        self, order: Order, camera: str, versions: Sequence[ObjectVersion], book: HoldBook
    ) -> Iterator[Doomed]:
        heads = [self.stores.footage.head(one.key, version=one.version) for one in versions]
        span = _leaf(heads[0]).span
        if not span.overlaps(order.span):
            return
        covering = book.covering(camera, span)
        for head in heads:
            if covering or head.held:
                raise _held(head.key, ", ".join(hold.id for hold in covering))
            lock = head.lock
            if lock and lock.mode is LockMode.COMPLIANCE and lock.until > self.clock.now():
                raise rules.compliance_locked(head.key)
            sha256 = head.sha256 or _leaf(head).sha256
            yield Doomed(camera, span, head.key, head.version, head.size, sha256, order.id)

    def _destroy(self, order: Order, doomed: DoomedList) -> None:
        """Step 4."""
        places = PlaceHistory.read(self.ledger, self.stores.records)
        heads = StrictHeads(self.ledger, self.stores.records, holds.KIND)
        gate = self.gate or Gate(self.stores.cache, self.clock)
        done = 0
        for batch in batches(doomed.segments):
            with gate.deleting() as turn:
                book = HoldBook.of_entries(heads.refresh().values())
                for one in batch:
                    covering = book.covering(one.camera, one.span)
                    if covering:
                        raise _held(one.key, ", ".join(hold.id for hold in covering))
                for one in batch:
                    turn.check()
                    self.destroyer.destroy(one.key, version=one.version)
            gaps = disposed_gaps(order.disposition, order.started().started_at, batch)
            self.index.add(
                [IndexEntry(leaf=gap, place=places.place(gap.camera, gap.span.start)) for gap in gaps]
            )
            self.index.remove([one.ref for one in batch])
            forget_copies(self.stores.cache, batch)
            done += len(batch)
            self.progress("destroyed", done)


def _held(key: str, names: str) -> Refused:
    return Refused(
        f"{key} is held{f' by {names}' if names else ' in the store'}; held footage is never destroyed",
        code="under_hold",
        hint="Two people must release the hold first: saksi hold release",
    )


def _leaf(head: ObjectHead) -> Segment:
    """The leaf that an object carries. Raises Malformed ``bad_leaf``."""
    leaf = leaves.decode(head.metadata.get("leaf", "").encode("ascii", "replace"))
    if not isinstance(leaf, Segment) or leaf.key != head.key:
        raise Malformed(f"{head.key} carries the leaf of another object", code="bad_leaf")
    return leaf
