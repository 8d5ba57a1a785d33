"""The papers of handovers become part of their packages: ``handover/<n>/`` outside the seal.

The processes that serve people put rights, receipts and closings, but may write no package. The job that
seals copies them, each under its own name and in COMPLIANCE mode, and only those that an entry of the request
names. Beside them it puts the printed and signed reports (:mod:`archive.cases.handover.paper`). Idempotent:
an existing copy stays.
"""

from collections.abc import Callable

from archive import keys
from archive.canonical import sha256_hex
from archive.cases.handover.reading import Handover, Shelf, paper_key
from archive.cases.handover.requests import RequestFile, RequestFiles
from archive.errors import ArchiveError, IntegrityError
from archive.evidence.sealed import package_lock
from archive.model.request import RequestStatus
from archive.ports import Content, ObjectStore

KeepReports = Callable[[Handover], int]
"""Puts the handover reports that a package lacks; returns their number."""


class Papers:
    """Copies papers into their packages. Not thread-safe.

    ``keep_reports`` prints and signs the reports; without it packages get only the other papers.
    """

    def __init__(
        self,
        files: RequestFiles,
        records: ObjectStore,
        shelf: Shelf | None = None,
        keep_reports: KeepReports | None = None,
    ) -> None:
        self._files = files
        self._records = records
        self._shelf = shelf
        self._keep_reports = keep_reports
        self._done: set[str] = set()

    def shelve(self) -> int:
        """Copy the papers that entries name and packages lack; returns their number.

        A request whose papers cannot be copied does not stop the others; its error is raised at the end.

        Raises:
            IntegrityError: ``handover_altered``: a paper differs from the one that is named.
        """
        copied, trouble = 0, list[ArchiveError]()
        for name, entry in self._files.standing(RequestStatus.HANDED_OVER, RequestStatus.CLOSED).items():
            if entry.digest in self._done:
                continue
            try:
                copied += self._shelve(self._files.find(name))
            except ArchiveError as error:
                trouble.append(error)
            else:
                self._done.add(entry.digest)
        if trouble:
            raise trouble[0]
        return copied

    def _shelve(self, file: RequestFile) -> int:
        evidence_id = file.request.evidence_id
        lock = package_lock(self._records, evidence_id)
        named = [("right", one.number, one.sha256) for one in file.given]
        named += [("receipt", one.number, one.sha256) for one in file.received.values()]
        if file.closing is not None:
            named.append(("closing", file.given[-1].number, file.closing.sha256))
        copied = 0
        for kind, number, digest in named:
            source = paper_key(evidence_id, number, kind, digest)
            data = self._records.get(source)
            if sha256_hex(data) != digest:
                raise IntegrityError(
                    f"{source} is not the paper that the request names",
                    code="handover_altered",
                    hint="Run saksi archive check and call the auditor.",
                )
            target = keys.package_papers_prefix(evidence_id, number) + source.rpartition("/")[2]
            copied += self._records.put(target, Content.of_bytes(data), lock=lock).created
        if self._shelf is not None and self._keep_reports is not None:
            for one in file.given:
                copied += self._keep_reports(self._shelf.numbered(file, one.number))
        return copied
