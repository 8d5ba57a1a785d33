"""The parts of the requests of one archive, together."""

from dataclasses import dataclass

from archive.cases.requests.attachments import Attachments
from archive.cases.requests.book import RequestBook
from archive.cases.requests.deciding import Deciding
from archive.cases.requests.filing import Filing
from archive.cases.requests.job import Following
from archive.cases.requests.stream import RequestStream


@dataclass(frozen=True, slots=True)
class Requests:
    """Reading (``book``), what the agency (``filing``) and the War Room (``deciding``) do, and the job."""

    stream: RequestStream
    book: RequestBook
    attachments: Attachments
    filing: Filing
    deciding: Deciding
    following: Following
