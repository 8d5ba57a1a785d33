"""Writing the sealing report into a package: :data:`archive.evidence.sealing.Compose`."""

from collections.abc import Mapping
from dataclasses import dataclass

from archive.evidence.documents import sealing_report
from archive.evidence.documents.contact_sheet import ContactSheet
from archive.evidence.plan import Document
from archive.evidence.sealing import Copied

REPORT = "laporan-penyegelan.pdf"
REPORT_KIND = "sealing_report"


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes the sealing report. Without a ``sheet`` (no FFmpeg on the machine) it has no pictures.

    The report is sealed too, so a second worker must write the same bytes: the report depends only on the
    plan, the results of copying, and pictures made by the same FFmpeg.
    """

    sheet: ContactSheet | None = None

    def __call__(self, copied: Copied) -> Mapping[str, Document]:
        """The documents by name under ``data/documents/``.

        Raises:
            IntegrityError, Unavailable: as :meth:`ContactSheet.of`.
            Malformed: ``bad_time_zone``.
        """
        pictures = None if self.sheet is None else self.sheet.of(copied.plan)
        return {REPORT: Document(REPORT_KIND, sealing_report.render(copied, pictures))}
