"""Where exports are kept: objects of the cache bucket, changed by compare-and-append.

``exports/<owner>/<id>/`` has ``order.json``, ``state/<number>.json`` and ``part/<camera>/<…>.mp4``. A state
is put if its number is free, so of several writers one wins, and the others read again.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby

from archive import canonical
from archive.canonical import JsonObject
from archive.cases.exports.model import (
    MOST_AT_ONCE,
    OVER,
    UNFINISHED,
    Export,
    ExportOrder,
    ExportState,
    ExportStatus,
    check_order,
    order_json,
    order_of,
    owner_prefix,
    state_json,
    state_of,
)
from archive.clock import Clock
from archive.errors import AlreadyExists, Conflict, IntegrityError, Malformed, NotFound, Refused, Unavailable
from archive.footage.download.export_parts import PREFIX
from archive.ids import check_name
from archive.ports import Content, ObjectStore
from archive.timespan import Timespan

_TRIES = 5
_WANTED = {
    ExportStatus.PAUSED: frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING}),
    ExportStatus.QUEUED: frozenset({ExportStatus.PAUSED}),
    ExportStatus.CANCELLED: UNFINISHED | {ExportStatus.READY},
}
"""What a person may ask for, and the states from which it follows."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One export's objects, as one listing showed them. ``parts`` are sizes by key.

    ``order`` is None if it is gone or cannot be read, ``export`` also while it has no state.
    """

    prefix: str
    order: ExportOrder | None
    export: Export | None
    parts: Mapping[str, int]

    @property
    def taken(self) -> int:
        """The bytes that it takes or will take."""
        stored = sum(self.parts.values())
        export = self.export
        if export is None or export.state.status not in UNFINISHED:
            return stored
        return max(stored, export.order.footage_bytes)


class ExportBoard:
    """The exports in one cache bucket. Thread-safe; any number of processes may use it.

    ``room`` is the most bytes that all exports together may take.
    """

    def __init__(self, cache: ObjectStore, clock: Clock, *, room: int) -> None:
        self._cache = cache
        self._clock = clock
        self._room = room
        self._known: dict[str, Export] = {}  # by the key of the newest state; states never change

    def order(
        self, owner: str, purpose: str, cameras: tuple[str, ...], span: Timespan, *, footage_bytes: int
    ) -> Export:
        """Order an export; a worker makes it.

        Raises:
            Malformed: as :func:`archive.cases.exports.model.check_order`; ``export_too_large``: it needs more
                than the room for all exports.
            Refused: ``too_many_exports``: the person has :data:`MOST_AT_ONCE` that are not over.
            Unavailable: ``exports_full``: other exports take the room; or the cache does not answer.
        """
        now = self._clock.now()
        check_order(len(cameras), span, now)
        if footage_bytes > self._room:
            raise Malformed(
                f"an export of {footage_bytes >> 20} MiB is too large for the room of all exports, "
                f"{self._room >> 20} MiB",
                code="export_too_large",
                hint="Divide the time, or have export_cache_gib raised.",
            )
        if sum(one.state.status not in OVER for one in self.exports_of(owner)) >= MOST_AT_ONCE:
            raise Refused(
                f"you have {MOST_AT_ONCE} exports already",
                code="too_many_exports",
                hint="Cancel one, or wait until one is gone.",
            )
        if footage_bytes + sum(one.taken for one in self.folders()) > self._room:
            raise Unavailable(
                f"the exports that stand leave no room for {footage_bytes >> 20} MiB more",
                code="exports_full",
                hint="Cancel one of yours, or order later: each is kept for a day.",
            )
        order = ExportOrder(
            id=f"exp-{secrets.token_hex(12)}",
            owner=owner,
            purpose=purpose,
            cameras=cameras,
            span=span,
            ordered_at=now,
            footage_bytes=footage_bytes,
        )
        self._put(f"{order.folder}order.json", order_json(order))
        return self.append(
            Export(order, ExportState(status=ExportStatus.QUEUED, at=now), 0),
            ExportState(status=ExportStatus.QUEUED, at=now),
        )

    def append(self, export: Export, state: ExportState) -> Export:
        """Write the next state. Raises AlreadyExists ``export_changed`` if somebody else did."""
        number = export.number + 1
        try:
            self._put(f"{export.order.folder}state/{number:08d}.json", state_json(state))
        except AlreadyExists as error:
            raise changed(export.order) from error
        return Export(export.order, state, number)

    def change(self, owner: str, export_id: str, wanted: ExportStatus) -> Export:
        """Pause, continue (``queued``) or cancel an export. What it is already stays.

        Raises:
            NotFound: as :meth:`find`.
            Conflict: ``export_state``: it cannot follow from the present state; ``export_changed``: a worker
                changed it again and again.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._changed_once(owner, export_id, wanted)
            except AlreadyExists:
                continue  # a worker wrote a state between reading and writing
        return self._changed_once(owner, export_id, wanted)

    def _changed_once(self, owner: str, export_id: str, wanted: ExportStatus) -> Export:
        export = self.find(owner, export_id)
        status = export.state.status
        if status is wanted or (wanted is ExportStatus.QUEUED and status is ExportStatus.RUNNING):
            return export
        if status not in _WANTED.get(wanted, frozenset()):
            raise Conflict(
                f"an export that is {status.value} does not become {wanted.value}",
                code="export_state",
                hint="Look at its status.",
            )
        if wanted is not ExportStatus.CANCELLED:
            pieces = export.state.pieces
            return self.append(export, ExportState(status=wanted, at=self._clock.now(), pieces=pieces))
        cancelled = self.append(export, ExportState(status=wanted, at=self._clock.now()))
        self.forget_parts(export.order)  # a worker removes the part that it is just making
        return cancelled

    def find(self, owner: str, export_id: str) -> Export:
        """An export of this owner. Raises NotFound ``export_not_found``, also for another's."""
        found = self._read(f"{owner_prefix(owner)}{check_name('export', export_id)}/")
        if found is None or not self._is_shown(found, owner):
            raise no_export(export_id)
        return found

    def read(self, order: ExportOrder) -> Export | None:
        """An export as it is now; None if it is gone. It may be over for its owner."""
        return self._read(order.folder)

    def exports_of(self, owner: str) -> list[Export]:
        """The exports of one person, the newest first."""
        found = [self._read(prefix) for prefix in self._cache.common_prefixes(owner_prefix(owner))]
        known = [one for one in found if one is not None and self._is_shown(one, owner)]
        return sorted(known, key=lambda one: (one.order.ordered_at, one.order.id), reverse=True)

    def marks_of(self, owner: str) -> Mapping[str, int]:
        """The number of the newest state of each of a person's exports, by folder; none is read."""
        folders = self._cache.common_prefixes(owner_prefix(owner))
        return {folder: number for folder in folders if (number := self._newest_in(folder))}

    def _is_shown(self, export: Export, owner: str) -> bool:
        state = export.state
        is_over = state.status is ExportStatus.READY and self._clock.now() >= state.until
        return export.order.owner == owner and not is_over

    def newest(self, export: Export) -> int:
        """The number of the newest state; 0 if the export is gone."""
        return self._newest_in(export.order.folder)

    def _newest_in(self, folder: str) -> int:
        numbers = [_number(one.key) for one in self._cache.list(f"{folder}state/")]
        return max(numbers, default=0)

    def folders(self) -> list[Folder]:
        """All exports, whole or not, from one listing; only what is new since the last time is read."""
        found: list[Folder] = []
        known: dict[str, Export] = {}
        listed = ((one.key, one.size) for one in self._cache.list(PREFIX))
        for prefix, objects in groupby(listed, key=lambda one: "/".join(one[0].split("/")[:3]) + "/"):
            keys = dict(objects)
            states = [key for key in keys if key.startswith(f"{prefix}state/")]
            parts = {key: size for key, size in keys.items() if key.startswith(f"{prefix}part/")}
            export = self._known.get(states[-1]) if states else None
            if export is None and states:
                export = self._read(prefix)
            if export is not None and states:
                known[states[-1]] = export
            order = self._order(prefix) if export is None else export.order
            found.append(Folder(prefix, order, export, parts))
        self._known = known
        return found

    def everybodys(self) -> list[Export]:
        """The exports of all people that can be read."""
        return [one.export for one in self.folders() if one.export is not None]

    def parts(self, order: ExportOrder) -> dict[str, int]:
        """The stored parts of an export and their sizes, by key."""
        return {one.key: one.size for one in self._cache.list(f"{order.folder}part/")}

    def forget_parts(self, order: ExportOrder, *, but: frozenset[str] = frozenset()) -> int:
        """Delete the parts of an export, except some; idempotent. Returns how many."""
        return self._delete(f"{order.folder}part/", lambda key: key not in but)

    def forget_these(self, order: ExportOrder, keys: frozenset[str]) -> int:
        """Delete these parts of an export; idempotent. Returns how many."""
        return self._delete(f"{order.folder}part/", keys.__contains__)

    def forget(self, prefix: str) -> None:
        """Delete an export's folder: its parts first, its order last; idempotent."""
        for inner in ("part/", "state/", ""):
            self._delete(f"{prefix}{inner}", lambda key: True)

    def _delete(self, prefix: str, is_doomed: Callable[[str], bool]) -> int:
        doomed = [one for one in self._cache.versions(prefix) if is_doomed(one.key)]
        for one in doomed:
            self._cache.delete_version(one.key, version=one.version)
        return len(doomed)

    def _put(self, key: str, value: JsonObject) -> None:
        self._cache.put(key, Content.of_bytes(canonical.encode(value)))

    def _order(self, prefix: str) -> ExportOrder | None:
        try:
            return order_of(canonical.decode(self._cache.get(f"{prefix}order.json")))
        except (NotFound, IntegrityError, Malformed):
            return None  # a cache may lose or corrupt its objects; the record is elsewhere

    def _read(self, prefix: str) -> Export | None:
        """An export by its folder; None if it is being made or removed, or cannot be read."""
        order = self._order(prefix)
        if order is None:
            return None
        try:
            states = [one.key for one in self._cache.list(f"{prefix}state/")]
            if not states:
                return None
            state = state_of(canonical.decode(self._cache.get(states[-1])))
        except (NotFound, IntegrityError, Malformed):
            return None
        return Export(order, state, _number(states[-1]))


def no_export(export_id: str) -> NotFound:
    """The answer for an export that is not there, or not the caller's."""
    return NotFound(
        f"there is no export {export_id}",
        code="export_not_found",
        hint="Exports are kept for a day; the custody record keeps what was fetched.",
    )


def changed(order: ExportOrder) -> AlreadyExists:
    """Somebody else wrote the next state."""
    return AlreadyExists(
        f"the export {order.id} was changed in the meantime", code="export_changed", hint="Look at it again."
    )


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].removesuffix(".json"))
