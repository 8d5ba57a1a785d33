"""Handing over and confirming: three people, and the papers that record what each did.

**Hand over** (an officer who neither asked nor decided)

1. The right is put as an object, locked as long as the package.
2. The request's entry ``request.handed_over`` names it. From here on the recipient may fetch the package.

**Confirm** (the recipient, who compares their copy with the sealed package by its two fingerprints)

1. The receipt is put as an object.
2. The entry ``request.received`` names it.

**Close** (an officer): :mod:`archive.cases.handover.closing`.

After a crash the object of step 1 may exist without the entry of step 2; then the operation never happened.
Repeating a step is safe: the entry is a compare-and-append, so of two officers one succeeds and the other
reads again. The job that seals copies the papers that entries name into the package
(:mod:`archive.cases.handover.papers`).
"""

import secrets

from archive.cases.handover.closing import Closings, HoldDesk
from archive.cases.handover.fetching import Fetching, Fetchings, check_session, check_time
from archive.cases.handover.reading import Handover, Shelf
from archive.cases.handover.requests import RequestFile, RequestFiles, naming, require_sealed
from archive.cases.requests.transitions import RequestAct
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Refused
from archive.model.handover import (
    Officer,
    Receipt,
    Recipient,
    Right,
    check_text,
    receipt_state,
    right_state,
)
from archive.model.request import RequestStatus
from archive.persons import same_person
from archive.ports import ObjectStore
from archive.separation import Decision
from archive.timespan import HOUR

MAX_DOWNLOADS = 100
MAX_HOURS = 24 * 31


class Handovers:
    """The handovers of one archive. ``downloads`` and ``hours`` are the defaults of a right."""

    def __init__(
        self,
        files: RequestFiles,
        records: ObjectStore,
        fetchings: Fetchings,
        holds: HoldDesk,
        clock: Clock,
        *,
        downloads: int = 3,
        hours: int = 72,
    ) -> None:
        self._files = files
        self._shelf = Shelf(records, fetchings)
        self._fetchings = fetchings
        self._closings = Closings(files, self._shelf, holds, clock)
        self._clock = clock
        self._downloads = downloads
        self._hours = hours

    @property
    def fetchings(self) -> Fetchings:
        """The counted downloads."""
        return self._fetchings

    @property
    def closings(self) -> Closings:
        """The closings of requests."""
        return self._closings

    def give(
        self,
        request_id: str,
        *,
        actor: str,
        downloads: int | None = None,
        hours: int | None = None,
        note: str = "",
        recipient: str = "",
        officer: Officer | None = None,
        expected: int | None = None,
    ) -> Handover:
        """Hand a package over to the person who asked for it; or again, if the first right ran out.

        ``downloads`` 0 is for a package that was given on a carrier. ``expected`` is the version that the
        officer has read, None for the newest. ``recipient`` is the account of the person who asked, for a
        request that came on paper and was filed on the host; the caller has checked that it belongs to their
        agency. ``officer`` is how the report names the officer.

        Raises:
            NotFound: ``request_not_found``.
            Refused: ``same_person``: the officer asked for the package or decided about it;
                ``person_unknown``, ``persons_tied``, ``host_unlinked``: as
                :func:`archive.separation.check_separation`.
            Conflict: ``not_sealed``, ``not_stamped``, ``request_closed``, ``ledger_conflict``.
            Malformed: ``bad_handover_request``.
        """
        file = self._files.find(request_id, expected)
        now = self._clock.now()
        apart = (*file.askers, *file.deciders)
        self._files.check_apart(Decision.REQUEST_HAND_OVER, actor, apart, now)
        package = require_sealed(file).package
        if package is None or package.gen_time is None:
            raise Conflict(f"{request_id} is not sealed", code="not_sealed")
        asked = file.request.requester
        person = self._recipient(file, recipient, actor)
        right = Right(
            evidence_id=package.evidence_id,
            number=len(file.given) + 1,
            request_id=request_id,
            request_entry=file.entry.digest,
            recipient=Recipient(
                person=person,
                name=asked.name,
                rank=asked.rank,
                nrp_nip=asked.nrp_nip,
                agency=asked.agency,
                unit=asked.unit,
            ),
            downloads=_within("downloads", downloads, self._downloads, 0, MAX_DOWNLOADS),
            until=now + _within("hours", hours, self._hours, 1, MAX_HOURS) * HOUR,
            given_by=actor,
            given_at=now,
            note=check_text("note", note, needed=False),
            tagmanifest_sha256=package.tagmanifest_sha256,
            signer_sha256=package.signer_sha256,
            tsa=package.tsa,
            gen_time=package.gen_time,
            officer=_checked(officer or Officer()),
        )
        digest = self._shelf.put(right, "right", right_state(right))
        self._files.append(
            file,
            RequestAct.HAND_OVER,
            actor=actor,
            reason=naming(right.number, digest),
        )
        return self.newest(request_id)

    def newest(self, request_id: str) -> Handover:
        """The newest handover of a request. Raises NotFound ``request_not_found``, ``handover_not_found``."""
        return self._shelf.newest(self._files.find(request_id))

    def numbered(self, request_id: str, number: int) -> Handover:
        """One handover of a request; they count from 1. Raises as :meth:`newest`."""
        return self._shelf.numbered(self._files.find(request_id), number)

    def begin_download(
        self, request_id: str, *, person: str, address: str, session: str = ""
    ) -> tuple[Handover, Fetching]:
        """Count a download for the recipient, in their ``session``; returns it with its handover.

        Raises:
            NotFound: ``request_not_found``, ``handover_not_found``.
            Refused: ``not_recipient``, ``handover_expired``, ``downloads_used_up``.
            Conflict: ``request_closed``.
        """
        found = self._for_recipient(request_id, person)
        made = self._fetchings.begin(
            found.right, secret=secrets.token_hex(16), address=address, session=session
        )
        return found, made

    def admit(
        self, evidence_id: str, request_id: str, download: str, *, person: str, session: str = ""
    ) -> tuple[Right, Fetching]:
        """The right and the download under which the person fetches a package in their ``session``.

        Raises:
            NotFound: ``handover_not_found``, ``download_not_found``.
            Refused: ``not_recipient``, ``handover_expired``; ``other_session``: it was begun in another one.
            Conflict: ``request_closed``.
        """
        found = self._for_recipient(request_id, person)
        if found.right.evidence_id != evidence_id:
            raise NotFound(f"{evidence_id} was not handed over", code="handover_not_found")
        check_time(found.right, self._clock.now())
        fetching = self._fetchings.find(found.right, download)
        check_session(fetching, session)
        return found.right, fetching

    def confirm(self, request_id: str, *, person: str, tagmanifest: str, signer: str) -> Handover:
        """Confirm that the person's copy has these two fingerprints, as they typed or pasted them.

        A confirmed handover stays unchanged.

        Raises:
            NotFound, Conflict: as :meth:`begin_download`; Conflict ``not_fetched``: nothing was downloaded.
            Refused: ``not_recipient``; ``confirmation_differs``: a fingerprint is not the package's.
        """
        found = self._for_recipient(request_id, person)
        right = found.right
        differing = [
            name
            for name, given, sealed in (
                ("tag manifest", tagmanifest, right.tagmanifest_sha256),
                ("signer", signer, right.signer_sha256),
            )
            if not secrets.compare_digest(typed_sha256(given), sealed)
        ]
        if differing:
            raise Refused(
                f"the {' and the '.join(differing)} SHA-256 is not that of {right.evidence_id}",
                code="confirmation_differs",
                hint="Type it again from your own copy; if it still differs, do not use that copy.",
            )
        if found.receipt is not None:
            return found
        if right.downloads and not found.fetched:
            raise Conflict(
                f"{right.evidence_id} has not been fetched yet",
                code="not_fetched",
                hint="Download the package, compare it, then confirm.",
            )
        receipt = Receipt(
            confirmed_by=person,
            confirmed_at=self._clock.now(),
            right_sha256=found.right_sha256,
            tagmanifest_sha256=right.tagmanifest_sha256,
            signer_sha256=right.signer_sha256,
            downloads=len(found.fetched),
        )
        digest = self._shelf.put(right, "receipt", receipt_state(receipt))
        self._files.append(
            found.file,
            RequestAct.RECEIVE,
            actor=person,
            reason=naming(right.number, digest),
        )
        return self.newest(request_id)

    # -- inside ----------------------------------------------------------------------------------------

    def _recipient(self, file: RequestFile, recipient: str, actor: str) -> str:
        filed_by = file.request.requester.person
        if not recipient or recipient == filed_by:
            return filed_by
        if not filed_by.startswith("os:"):
            raise Malformed(
                f"{file.request.id} can only be handed over to {filed_by}, who asked for it",
                code="bad_handover_request",
                hint="Name a recipient only if the request was filed on the host.",
            )
        # The recipient did not act on the request yet, so the rule is asked from both sides.
        self._files.check_each_apart(
            Decision.REQUEST_HAND_OVER, (actor, *file.deciders), (recipient,), self._clock.now()
        )
        return recipient

    def _for_recipient(self, request_id: str, person: str) -> Handover:
        found = self.newest(request_id)
        if not same_person(found.right.recipient.person, person):
            raise Refused(
                f"{found.right.evidence_id} was handed over to another person",
                code="not_recipient",
                hint="Only the recipient may fetch and confirm it.",
            )
        if found.file.status is RequestStatus.CLOSED:
            raise Conflict(
                f"{request_id} is closed",
                code="request_closed",
                hint="Its package can no longer be fetched. File a new request.",
            )
        return found


def typed_sha256(text: str) -> str:
    """A SHA-256 as people type or paste it: case, spaces, colons and hyphens do not matter."""
    return (
        "".join(c for c in text.casefold() if c not in " \t\r\n:-\u00a0").encode("ascii", "replace").decode()
    )


def _checked(officer: Officer) -> Officer:
    return Officer(
        name=check_text("officer's name", officer.name, needed=False),
        nip=check_text("officer's NIP", officer.nip, needed=False),
        position=check_text("officer's position", officer.position, needed=False),
    )


def _within(name: str, given: int | None, usual: int, least: int, most: int) -> int:
    value = usual if given is None else given
    if not least <= value <= most:
        raise Malformed(
            f"{name} is {value}", code="bad_handover_request", hint=f"Give {least} to {most} {name}."
        )
    return value
