"""The parts of the requests of one archive, together."""

from dataclasses import dataclass

from archive.requests.attachments import Attachments
from archive.requests.book import RequestBook
from archive.requests.deciding import Deciding
from archive.requests.filing import Filing
from archive.requests.following import Following
from archive.requests.stream import RequestStream


@dataclass(frozen=True, slots=True)
class Requests:
    """Reading (``book``), what the agency (``filing``) and the War Room (``deciding``) do, and the job."""

    stream: RequestStream
    book: RequestBook
    attachments: Attachments
    filing: Filing
    deciding: Deciding
    following: Following
