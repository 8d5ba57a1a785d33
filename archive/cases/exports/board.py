"""Where exports are kept: objects of the cache bucket, changed by compare-and-append.

``exports/<owner>/<id>/`` has ``order.json``, ``state/<number>.json`` and ``part/<…>.mp4``. A state is put if
its number is free, so of several writers one wins, and the others read again.
"""

import secrets
from collections.abc import Iterator

from archive import canonical
from archive.cases.exports.model import (
    LONGEST,
    MOST_AT_ONCE,
    MOST_FOOTAGE,
    OVER,
    UNFINISHED,
    Export,
    ExportOrder,
    ExportState,
    ExportStatus,
    order_json,
    order_of,
    owner_prefix,
    state_json,
    state_of,
)
from archive.clock import Clock
from archive.errors import AlreadyExists, Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.ids import check_name
from archive.ports import Content, ObjectStore
from archive.timespan import HOUR, Timespan

_WANTED = {
    ExportStatus.PAUSED: frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING}),
    ExportStatus.QUEUED: frozenset({ExportStatus.PAUSED}),
    ExportStatus.CANCELLED: UNFINISHED | {ExportStatus.READY},
}
"""What a person may ask for, and the states from which it follows."""


class ExportBoard:
    """The exports in one cache bucket. Thread-safe; any number of processes may use it."""

    def __init__(self, cache: ObjectStore, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def order(self, owner: str, purpose: str, cameras: tuple[str, ...], span: Timespan) -> Export:
        """Order an export; a worker makes it.

        Raises:
            Malformed: ``export_too_large``; ``export_not_over``: the span lies partly in the future.
            Refused: ``too_many_exports``: the person has :data:`MOST_AT_ONCE` that are not over.
            Unavailable: the cache does not answer.
        """
        now = self._clock.now()
        if span.duration > LONGEST or len(cameras) * span.duration > MOST_FOOTAGE:
            raise Malformed(
                f"an export of {len(cameras)} cameras and {span.duration / HOUR:.2f} h is too large",
                code="export_too_large",
                hint=f"Order at most {MOST_FOOTAGE // HOUR} h of all cameras together; divide the time.",
            )
        if span.end > now:
            raise Malformed(
                f"{span} has not passed yet", code="export_not_over", hint="Order it when the time is over."
            )
        if sum(one.state.status not in OVER for one in self.exports_of(owner)) >= MOST_AT_ONCE:
            raise Refused(
                f"you have {MOST_AT_ONCE} exports already",
                code="too_many_exports",
                hint="Cancel one, or wait until one is gone.",
            )
        order = ExportOrder(
            id=f"exp-{secrets.token_hex(12)}",
            owner=owner,
            purpose=purpose,
            cameras=cameras,
            span=span,
            ordered_at=now,
        )
        self._put(f"{order.prefix}order.json", canonical.encode(order_json(order)))
        first = Export(order, ExportState(status=ExportStatus.QUEUED, at=now), 0)
        return self.append(first, first.state)

    def append(self, export: Export, state: ExportState) -> Export:
        """Write the next state. Raises Conflict ``export_changed`` if somebody else did."""
        number = export.number + 1
        try:
            self._put(f"{export.order.prefix}state/{number:08d}.json", canonical.encode(state_json(state)))
        except AlreadyExists as error:
            raise Conflict(
                f"the export {export.order.id} was changed in the meantime",
                code="export_changed",
                hint="Look at it again.",
            ) from error
        return Export(export.order, state, number)

    def change(self, export: Export, wanted: ExportStatus) -> Export:
        """Pause, continue (``queued``) or cancel an export. What it is already stays.

        Raises:
            Conflict: ``export_state``: it cannot follow from the present state; ``export_changed``.
        """
        if export.state.status is wanted:
            return export
        if export.state.status not in _WANTED.get(wanted, frozenset()):
            raise Conflict(
                f"an export that is {export.state.status.value} does not become {wanted.value}",
                code="export_state",
                hint="Look at its status.",
            )
        state = ExportState(
            status=wanted, at=self._clock.now(), files=export.state.files, bytes=export.state.bytes
        )
        return self.append(export, state)

    def find(self, owner: str, export_id: str) -> Export:
        """An export of this owner. Raises NotFound ``export_not_found``, also for another's."""
        found = self._read(f"{owner_prefix(owner)}{check_name('export', export_id)}/")
        if found is None or found.order.owner != owner:
            raise NotFound(
                f"there is no export {export_id}",
                code="export_not_found",
                hint="Exports are kept for a day; the custody record keeps what was fetched.",
            )
        return found

    def exports_of(self, owner: str) -> list[Export]:
        """The exports of one person, the newest first."""
        found = [self._read(prefix) for prefix in self._cache.common_prefixes(owner_prefix(owner))]
        known = [one for one in found if one is not None and one.order.owner == owner]
        return sorted(known, key=lambda one: (one.order.ordered_at, one.order.id), reverse=True)

    def every(self) -> Iterator[Export]:
        """All exports, for the worker."""
        for owner in self._cache.common_prefixes("exports/"):
            for prefix in self._cache.common_prefixes(owner):
                found = self._read(prefix)
                if found is not None:
                    yield found

    def parts(self, order: ExportOrder) -> dict[str, int]:
        """The stored parts of an export and their sizes, by object name."""
        return {one.key: one.size for one in self._cache.list(f"{order.prefix}part/")}

    def forget_parts(self, order: ExportOrder) -> None:
        """Delete the parts of an export; idempotent."""
        self._delete(f"{order.prefix}part/")

    def forget(self, order: ExportOrder) -> None:
        """Delete an export: its parts first, its order last; idempotent."""
        for folder in ("part/", "state/", ""):
            self._delete(f"{order.prefix}{folder}")

    def _delete(self, prefix: str) -> None:
        for one in list(self._cache.versions(prefix)):
            self._cache.delete_version(one.key, version=one.version)

    def _put(self, key: str, data: bytes) -> None:
        self._cache.put(key, Content.of_bytes(data))

    def _read(self, prefix: str) -> Export | None:
        """An export by its folder; None if it is being made or removed, or cannot be read."""
        try:
            order = order_of(canonical.decode(self._cache.get(f"{prefix}order.json")))
            states = [one.key for one in self._cache.list(f"{prefix}state/")]
            if not states:
                return None
            state = state_of(canonical.decode(self._cache.get(states[-1])))
        except (NotFound, IntegrityError, Malformed):
            return None  # a cache may lose or corrupt its objects; the record is elsewhere
        return Export(order, state, int(states[-1].rpartition("/")[2].removesuffix(".json")))
