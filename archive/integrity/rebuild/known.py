"""The parts of the ledger that a rebuild needs: documents, places, keys, holds, dispositions."""

from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.canonical import JsonObject
from archive.clock import ManualClock
from archive.errors import ArchiveError, Malformed
from archive.footage.cameras import KIND as CAMERA
from archive.integrity.rebuild.report import RebuildReport
from archive.lifecycle.disposition.gaps import gaps_of
from archive.lifecycle.holds.book import HoldBook
from archive.model import disposition as dispositions
from archive.model import hold as holds
from archive.model.camera import Place, from_state, public_state
from archive.model.disposition import Disposition
from archive.model.gap import Gap
from archive.model.hold import Hold
from archive.model.request import KIND as REQUEST
from archive.model.request import public_state as public_request
from archive.model.stay import KIND as STAYS
from archive.model.stay import stays_state
from archive.ports import ObjectStore
from archive.records import journal
from archive.records.indexed.streams import shown_state
from archive.records.ledger.streams import KINDS, Entry, Ledger
from archive.timespan import Timespan

RECORDER = "recorder"
_NEVER = 1 << 62

Document = Callable[[str, str, int, JsonObject], None]
"""Called with a document: kind, id, version and state."""


class Known:
    """Filled by :meth:`learn` from every stream of the ledger; unreadable streams are left out and named."""

    def __init__(self, records: ObjectStore, report: RebuildReport) -> None:
        self._records = records
        self._report = report
        # Reading a ledger needs no clock; only appending does.
        self._ledger = Ledger(records, ManualClock(0))
        self._places: dict[str, list[tuple[int, Place]]] = {}
        self._states: dict[str, list[tuple[int, JsonObject]]] = {}
        self.keys: dict[str, dict[str, Ed25519PublicKey]] = {}
        self._holds: list[Hold] = []
        self._dispositions: list[Disposition] = []
        self.book = HoldBook(())
        self.held_cameras: frozenset[str] = frozenset()

    def learn(self, tell: Document) -> None:
        """Read all streams; call ``tell`` with every document.

        Raises:
            Unavailable: the store or the receiver of documents does not answer.
        """
        for kind in KINDS:
            for entity in self._streams(kind):
                head = self._head(kind, entity)
                if head is not None and kind == CAMERA and entity in self._states:
                    tell(STAYS, entity, head.version, stays_state(self._states[entity]))
                if head is None:
                    continue
                try:
                    state = document_state(kind, head.state)
                except Malformed as error:
                    self._report.leave_out(f"ledger/{kind}/{entity}", error)
                    continue
                tell(kind, entity, head.version, state)
        self.book = HoldBook(self._holds)
        self.held_cameras = frozenset(
            camera for hold in self._holds if hold.in_force for camera in hold.cameras
        )

    @property
    def cameras(self) -> tuple[str, ...]:
        """Every camera that was ever registered."""
        return tuple(self._places)

    def place(self, camera: str, instant: int) -> Place | None:
        """Where the camera stood: its entry valid at ``instant``; before the first entry, the first place."""
        return self.stay(camera, instant)[1]

    def stay(self, camera: str, instant: int) -> tuple[int, Place | None]:
        """The same, and the instant until which it is valid."""
        until = _NEVER
        history = self._places.get(camera, ())
        for at, place in reversed(history):
            if at <= instant:
                return until, place
            until = min(until, at)
        return until, history[0][1] if history else None

    def is_held(self, camera: str, span: Timespan) -> bool:
        """Whether a hold in force covers the camera in the span."""
        return camera in self.held_cameras and bool(self.book.covering(camera, span))

    def disposed(self) -> Iterator[Gap]:
        """Destroyed time, by every closed disposition; unreadable lists are named in the report."""
        for found in self._dispositions:
            if found.outcome is not None:
                try:
                    yield from gaps_of(self._records, found)
                except ArchiveError as error:
                    self._report.leave_out(keys.disposition_prefix(found.id), error)

    def _streams(self, kind: str) -> Iterator[str]:
        found: dict[str, None] = {}
        for listed in self._records.list(keys.ledger_prefix(kind)):
            try:
                found[keys.parse_ledger_key(listed.key)[1]] = None
            except Malformed as error:
                self._report.leave_out(listed.key, error)
        yield from found

    def _head(self, kind: str, entity: str) -> Entry | None:
        head: Entry | None = None
        try:
            if kind in (CAMERA, RECORDER):
                for head in self._ledger.history(kind, entity):
                    self._learn(head)
            else:
                head = self._ledger.head(kind, entity)
                self._learn(head)
        except ArchiveError as error:
            self._report.leave_out(f"ledger/{kind}/{entity}", error)
        return head

    def _learn(self, entry: Entry) -> None:
        """Note the camera's place, the recorder's key, the hold or the disposition of this entry."""
        if entry.kind == CAMERA:
            self._places.setdefault(entry.id, []).append((entry.at, from_state(entry.state).place))
            self._states.setdefault(entry.id, []).append((entry.at, entry.state))
        elif entry.kind == RECORDER:
            public = journal.registered_key(entry.id, entry.state)
            self.keys.setdefault(entry.id, {})[journal.public_key_sha256(public)] = public
        elif entry.kind == holds.KIND:
            self._holds.append(holds.from_state(entry.id, entry.state))
        elif entry.kind == dispositions.KIND:
            self._dispositions.append(dispositions.from_state(entry.id, entry.state))


def document_state(kind: str, state: JsonObject) -> JsonObject:
    """A ledger state as the index may keep it: no more than its record has, of requests no people."""
    if kind == REQUEST:
        return public_request(state)
    return public_state(state) if kind == CAMERA else shown_state(kind, state)
