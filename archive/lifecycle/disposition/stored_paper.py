"""Which object is the printed record of a disposition: the one whose hash the ledger names.

It is ``record.pdf``. If another object was there before the ledger's entry was made, the printed record is
``record-<first 16 hex digits of its SHA-256>.pdf``. Two cases need this: a page printed before an upgrade of
the program in the middle of a closing differs from the same page printed after it, and a planted page must
not keep a disposition open. The other object stays, and counts for nothing.
"""

from archive import keys
from archive.canonical import sha256_hex
from archive.errors import IntegrityError, NotFound
from archive.lifecycle.disposition.listing import PDF
from archive.model.disposition import Disposition
from archive.ports import ObjectStore


def own_name(page: bytes) -> str:
    """The name of a page that is printed when ``record.pdf`` is another object."""
    return f"record-{sha256_hex(page)[:16]}.pdf"


def read_paper(records: ObjectStore, found: Disposition, named: str) -> tuple[str, bytes]:
    """The name and bytes of a closed disposition's printed record; ``named`` is the SHA-256 in its entry.

    Raises:
        IntegrityError: ``hash_differs``: no object is the one that the ledger names.
        NotFound: there is no page. Unavailable: the store does not answer.
    """
    prefix = keys.disposition_prefix(found.id)
    for name in (PDF, f"record-{named[:16]}.pdf"):
        try:
            page = records.get(prefix + name)
        except NotFound:
            if name == PDF:
                raise
            break
        if sha256_hex(page) == named:
            return name, page
    raise IntegrityError(
        f"{PDF} of disposition {found.id} is not the one that the ledger names",
        code="hash_differs",
        hint="Do not use it; the signed record is record.json. Call the auditor.",
    )
