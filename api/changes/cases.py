"""The requests and packages that are not over, as one look at the index shows them.

One look serves every reader: what each of them would see of it is picked out in memory, and is told apart
from an earlier look by a fingerprint. A fingerprint is made of ids and versions that its reader may see, so
it says nothing that their list does not.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from api.changes.subjects import Scope, Subject
from archive.errors import ArchiveError
from archive.model import evidence as packages
from archive.model.evidence import EvidenceStatus
from archive.model.request import ENDED, RequestStatus
from archive.model.request import KIND as REQUEST
from archive.model.stay import Stay
from archive.persons import same_person
from archive.ports import Record, RecordIndex, RecordOrder, RecordQuery
from archive.records.indexed.streams import EVIDENCE, STATUS
from archive.records.indexed.terms import any_of
from archive.timespan import Timespan

MOST = 1000
"""The newest so many of each: a city has some dozens that are not over."""

_OPEN = tuple(one.value for one in RequestStatus if one not in {*ENDED, RequestStatus.CLOSED})
_QUEUED = frozenset(
    one.value
    for one in (
        RequestStatus.SUBMITTED,
        RequestStatus.SEALED,
        RequestStatus.HANDED_OVER,
        RequestStatus.SEAL_FAILED,
    )
)
"""What waits for the War Room."""
_MADE = tuple(one.value for one in EvidenceStatus if one not in packages.ENDS)


@dataclass(frozen=True, slots=True)
class _Request:
    id: str
    version: int
    status: str
    person: str
    agency: str

    def is_in(self, scope: Scope) -> bool:
        """As the list of requests decides it (:mod:`archive.cases.requests.listing`)."""
        if scope.is_whole or same_person(self.person, scope.person):
            return True
        return scope.agency != "" and self.agency == scope.agency


@dataclass(frozen=True, slots=True)
class _Package:
    """``districts`` are those in which its cameras stood in its span; empty if that was not looked up."""

    id: str
    version: int
    actor: str
    request: str
    cameras: tuple[str, ...] = ()
    span: Timespan | None = None
    districts: frozenset[str] = frozenset()

    def is_in(self, scope: Scope, asked: Container[str]) -> bool:
        """As the list of packages decides it (:meth:`api.auth.access.Access.has_part_in`)."""
        if scope.is_whole or self.request in asked:
            return True
        if self.districts and self.districts <= scope.districts:
            return True
        return not self.request and scope.person != "" and same_person(self.actor, scope.person)

    def placed(self, stays: Mapping[str, Sequence[Stay]]) -> "_Package":
        """The same with its districts; without them if a camera is not known."""
        if self.span is None:
            return self
        span = self.span
        stood = [
            {one.facts.place.kecamatan for one in stays.get(camera, ()) if one.within(span)}
            for camera in self.cameras
        ]
        return replace(self, districts=frozenset().union(*stood)) if all(stood) else self


@dataclass(frozen=True, slots=True)
class Cases:
    """One look. Thread-safe: a fingerprint may be made twice, and is the same."""

    requests: tuple[_Request, ...] = ()
    packages: tuple[_Package, ...] = ()
    _made: dict[tuple[Subject, Scope], str] = field(default_factory=dict)

    def placed(self, stays: Mapping[str, Sequence[Stay]]) -> "Cases":
        """The same look, where each package has the districts of its cameras."""
        return Cases(self.requests, tuple(one.placed(stays) for one in self.packages))

    def mark(self, subject: Subject, scope: Scope) -> str:
        """The fingerprint of one subject as one reader sees it."""
        key = subject, scope
        if key not in self._made:
            self._made[key] = fingerprint(self._seen(subject, scope))
        return self._made[key]

    def _seen(self, subject: Subject, scope: Scope) -> Iterable[tuple[str, int]]:
        theirs = [one for one in self.requests if one.is_in(scope)]
        if subject is Subject.REQUESTS:
            return [(one.id, one.version) for one in theirs]
        if subject is Subject.QUEUE:
            return [(one.id, one.version) for one in theirs if one.status in _QUEUED]
        asked = {one.id for one in theirs}
        return [(one.id, one.version) for one in self.packages if one.is_in(scope, asked)]


def read_cases(index: RecordIndex) -> Cases:
    """Look at the index. Raises as the index."""
    return Cases(
        requests=tuple(map(_request, _newest(index, REQUEST, _OPEN))),
        packages=tuple(map(_package, _newest(index, EVIDENCE, _MADE))),
    )


def fingerprint(seen: Iterable[tuple[str, int]]) -> str:
    """Sixteen hex digits that tell two looks apart, whatever their order."""
    text = "\n".join(f"{name} {version}" for name, version in sorted(seen))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _newest(index: RecordIndex, kind: str, statuses: Iterable[str]) -> Iterable[Record]:
    query = RecordQuery(kind=kind, any_of=(any_of(STATUS, statuses),), order=RecordOrder.NEWEST_FIRST)
    return index.find_records(query, limit=MOST)


def _request(record: Record) -> _Request:
    state = record.body.get("state", {})
    requester = state.get("requester", {})
    return _Request(
        id=record.id,
        version=record.version,
        status=str(state.get("status", "")),
        person=str(requester.get("person", "")),
        agency=str(state.get("agency_account", "")),
    )


def _package(record: Record) -> _Package:
    state = record.body.get("state", {})
    return _Package(
        id=record.id,
        version=record.version,
        actor=str(state.get("actor", "")),
        request=str(state.get("request_id") or ""),
        cameras=tuple(map(str, state.get("cameras", ()))),
        span=_span(state),
    )


def _span(state: Mapping[str, Any]) -> Timespan | None:
    try:
        return Timespan.parse(str(state["from"]), str(state["to"]))
    except (KeyError, ArchiveError):
        return None  # a damaged entry is in nobody's districts
