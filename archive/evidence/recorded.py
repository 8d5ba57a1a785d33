"""The ledger entries that a package encloses: who asked, who approved, what is held, what was registered.

Each is shown by its first line, by the openings of chosen fields, and by that line's place in the log
(:mod:`archive.records.ledger.wire`). :data:`SHOWN` has the fields: what ``evidence.json`` states and what
ties an entry to the package, and nothing else. Of a list of cameras only those of the package are opened.

An entry of version 1 has no parts. It is enclosed whole if nothing in it is a secret or concerns another
case; else the package names it, and says that it is not shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archive import canonical
from archive.canonical import JsonObject
from archive.evidence.plan import Destruction, PackagePlan, Record, journal_facts
from archive.evidence.proving import Prover
from archive.evidence.sounds import cameras_with_sound
from archive.model import disposition as dispositions
from archive.model import hold as holds
from archive.model import request as requests
from archive.model.disposition import Cause, Disposition
from archive.model.sound_permission import PERMISSION
from archive.ports import ObjectStore
from archive.records import journal
from archive.records.checkpoint.prove import InclusionProof, Line
from archive.records.ledger import wire
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import HOUR

RECORDER = "recorder"
_FACTS = ("name", "lat", "lon", "kecamatan", "kelurahan", "owner", "view", "segment_seconds")
_ASKED = (
    "requester.name", "requester.rank", "requester.nrp_nip", "requester.agency_kind", "requester.agency",
    "requester.unit", "letter.number", "letter.date", "letter.sha256", "legal_basis", "case", "purpose",
    "from", "to", "urgent", "filed_at", "hold_id", "evidence_id", "status",
    "decision.by", "decision.name", "decision.at", "decision.outcome", "decision.entry_sha256",
    "decision.kind",
)  # fmt: skip
SHOWN: dict[str, tuple[str, ...]] = {
    requests.KIND: ("actor", "action", *(f"state.{name}" for name in _ASKED)),
    holds.KIND: ("action", "state.from", "state.to", "state.status", "state.placed_at"),
    "camera": (
        "action", "state.id", "state.registered_at", "state.disabled", *(f"state.{one}" for one in _FACTS),
    ),
    RECORDER: ("action", "state.public_key", "state.key_sha256"),
    dispositions.KIND: ("state.cause", "state.status", "state.from", "state.to", "state.started_at"),
}  # fmt: skip
"""By kind, the fields that are opened; of a request and a hold also ``state.cameras[N]`` of the package."""
_AUDIO = (
    "state.audio",
    *(f"state.{PERMISSION}.{name}" for name in ("proposed_by", "allowed_by", "reason", "since")),
)
"""What is opened, too, of a camera whose originals have sound."""
_TOGETHER = HOUR
"""Lines that were written within this time of one another are sought in the log together."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An entry to be enclosed: its bytes, and whether it may be shown."""

    entry: Entry
    data: bytes
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """Finds entries in the ledger, and their places in the log."""

    ledger: Ledger
    records: ObjectStore
    prover: Prover

    def enclosed(self, plan: PackagePlan, gone: Sequence[tuple[Disposition, Entry]]) -> PackagePlan:
        """The plan with its entries, and with these destructions and the entry of each.

        Raises:
            CheckpointPending: an entry is under no sealed checkpoint yet.
            IntegrityError: ``ledger_broken``, ``bad_entry``; ``checkpoint_altered``, ``leaves_altered``.
        """
        wanted = [
            *self._request(plan),
            *self._hold(plan),
            *self._cameras(plan),
            *self._recorders(plan),
        ]
        destroyed = [self._wanted(plan, entry) for _, entry in gone]
        found = self._proven(plan, [*wanted, *destroyed])
        return replace(
            plan,
            records=tuple(found[: len(wanted)]),
            destructions=tuple(
                Destruction(disposition=one, record=record)
                for (one, _), record in zip(gone, found[len(wanted) :], strict=True)
            ),
        )

    def _wanted(self, plan: PackagePlan, entry: Entry) -> _Wanted:
        data = self.records.get(entry.key)
        return _Wanted(entry, data, wire.can_show_parts(data) or _may_show_whole(plan, entry))

    def _request(self, plan: PackagePlan) -> Iterator[_Wanted]:
        """Every entry of the request up to the order for the package, at least up to its approval."""
        if plan.request is None:
            return
        history = list(self.ledger.history(requests.KIND, plan.request.id))
        bound = {plan.request.entry_sha256, *(one.entry_sha256 for one in plan.request.approvals)}
        for number, entry in enumerate(history):
            rest = history[number:]
            is_decided = any(one.digest in bound or one.prev in bound for one in rest)
            if entry.at <= plan.prepared_at or is_decided:
                yield self._wanted(plan, entry)

    def _hold(self, plan: PackagePlan) -> Iterator[_Wanted]:
        if plan.request is None or not plan.request.hold_id:
            return
        for number, entry in enumerate(self.ledger.history(holds.KIND, plan.request.hold_id)):
            if number == 0 or entry.at <= plan.prepared_at:
                yield self._wanted(plan, entry)

    def _cameras(self, plan: PackagePlan) -> Iterator[_Wanted]:
        """Of each camera the entry in force when the span began, and every later one up to the span's end."""
        for camera in plan.cameras:
            history = list(self.ledger.history("camera", camera.id))
            first = 0
            while first + 1 < len(history) and history[first + 1].at <= plan.span.start:
                first += 1
            inside = [number for number, entry in enumerate(history) if entry.at < plan.span.end]
            for entry in history[first : max([first, *inside]) + 1]:
                yield self._wanted(plan, entry)

    def _recorders(self, plan: PackagePlan) -> Iterator[_Wanted]:
        """The registration of each key that signed a batch."""
        signed = dict.fromkeys((journal_facts(one)[0], one.public_key) for one in plan.journals)
        for recorder, key in signed:
            for entry in self.ledger.history(RECORDER, recorder):
                if journal.registered_key(recorder, entry.state).public_bytes_raw() == key:
                    yield self._wanted(plan, entry)
                    break

    def _proven(self, plan: PackagePlan, wanted: Sequence[_Wanted]) -> list[Record]:
        lines = [Line(wire.line_of(one.data), one.entry.at) for one in wanted if one.is_shown]
        proofs: dict[bytes, InclusionProof | None] = {}
        for group in _grouped(lines):
            leaves = [line.leaf for line in group]
            proofs |= zip(leaves, self.prover.prove(group, leaves), strict=True)
        return [_record(plan, one, proofs) for one in wanted]


def _record(plan: PackagePlan, wanted: _Wanted, proofs: Mapping[bytes, InclusionProof | None]) -> Record:
    entry = wanted.entry
    named = Record(kind=entry.kind, id=entry.id, version=entry.version, sha256=entry.digest)
    if not wanted.is_shown:
        return named
    line = wire.line_of(wanted.data)
    return replace(named, line=line, opened=_opened(plan, wanted), proof=proofs[line])


def _grouped(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines by when they were written: a search in the log reads every checkpoint from the first on."""
    group: list[Line] = []
    for line in sorted(lines, key=lambda line: line.since):
        if group and line.since - group[0].since > _TOGETHER:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _opened(plan: PackagePlan, wanted: _Wanted) -> bytes:
    """The openings of the chosen fields; empty for an entry that is shown whole."""
    if not wire.can_show_parts(wanted.data):
        return b""
    entry = wanted.entry
    chosen = list(SHOWN[entry.kind])
    if entry.kind in (requests.KIND, holds.KIND):
        mine = {camera.id for camera in plan.cameras}
        named = enumerate(entry.state["cameras"])
        chosen += [f"state.cameras[{place}]" for place, camera in named if camera in mine]
    if entry.kind == holds.KIND and _is_of_case(plan, entry.state):
        chosen.append("state.case")
    if entry.kind == "camera" and entry.id in cameras_with_sound(plan):
        chosen += _AUDIO
    return canonical.encode(wire.openings(wanted.data, chosen))


def _is_of_case(plan: PackagePlan, state: JsonObject) -> bool:
    """Whether a hold's case is the package's; the hold of a request has the request's id as its case."""
    return plan.request is not None and state["case"] in (plan.request.id, plan.request.case)


def _may_show_whole(plan: PackagePlan, entry: Entry) -> bool:
    """Whether an entry of version 1 holds no secret, no other case and no other camera."""
    mine = {camera.id for camera in plan.cameras}
    state = entry.state
    if entry.kind in (requests.KIND, RECORDER):
        return True
    if entry.kind == holds.KIND:
        return mine.issuperset(state["cameras"]) and _is_of_case(plan, state)
    if entry.kind == dispositions.KIND:
        scopes = (one["scope"] for one in state["policies"] if one["scope"].startswith("camera:"))
        named = {scope.partition(":")[2] for scope in scopes}
        return named <= mine and state["cause"] != Cause.BREAK_GLASS  # an order may name another case
    return False  # a camera's entry has its source
